"""Breaks of the losses of embeddings."""

from __future__ import annotations

from .breaks import breaks

BREAKS = [
    *breaks(
        "csrc/embeddings/drive.h",
        (
            "if (at < n)\n            return fl_bad_row(c, FL_BAD_TARGET",
            "if (at < n && !c->weight.data)\n            return fl_bad_row(c, FL_BAD_TARGET",
        ),
        ("fl_add_all(&total, totals[s]);", "fl_add(&total, totals[s].sum);"),
        ("p.scale = 1 / c->weight_sum;", "p.scale = 1 / (double)c->n_rows;"),
        ("if (p->has_gradient && p->shares)", "if (0)"),
        tests="weights",
    ),
    *breaks(
        "csrc/embeddings/pass.h",
        ("memset(s->value + n, 0, rest);", ""),
        ("memset(s->weight + n, 0, rest);", ""),
        tests="weights",
    ),
    *breaks(
        "csrc/embeddings/put.h",
        ("return t->slope && t->slope[row] == 0;", "return 0;"),
        tests="weights",
    ),
    *breaks(
        "csrc/embeddings/put.h",
        ("return slope == 0 && !(square <= 0x1p1000);", "return 0;"),
        (
            "for (; i < end; i += QUARTER)\n        fl_put_piece",
            "for (; i + LINE < end; i += QUARTER)\n        fl_put_piece",
        ),
    ),
    *breaks(
        "csrc/embeddings/pairs.h",
        ("? d.square[i] : missing * missing", "? d.square[i] : missing"),
        ("together = d.root[i] != d.root[i] ? d.root[i] : weight;", "together = weight;"),
        ("fma(-(type)s[3], y, x)", "fma(-(type)s[2], y, x)"),
        ("cosine > 1 ? 1 :", "cosine > 2 ? 1 :"),
        ("(low >= 0x1p-450 && high <= 0x1p500)", "1"),
        ("s = cosine != cosine ? cosine : s;", ""),
    ),
    *breaks(
        "csrc/embeddings/triplets.h",
        ("g[2] = (real)(((type)a - (type)n)", "g[2] = (real)(((type)n - (type)a)"),
        ("near.scale[i], far.scale[i], slope_p[i]", "near.scale[i], near.scale[i], slope_p[i]"),
        (
            "over[i] = (near.root[i] - far.root[i]) + t->margin;",
            "over[i] = (near.root[i] - far.root[i]) + 1;",
        ),
    ),
    *breaks(
        "csrc/embeddings/distance.h",
        ("(scaled_root == 0) | (slope == 0);", "slope == 0;"),
        ("(square >= 0x1p-900 && square <= 0x1p1000)", "(square <= 0x1p1000)"),
    ),
    *breaks(
        "csrc/embeddings/wide.h",
        ("fl_add(&total[k], sums[k]);", "total[k].sum += sums[k];"),
        ("fl_pad_tail(r.c + i, n - i, b);", "fl_pad_tail(r.c + i, n - i - 1, b);"),
        ("int narrow = sums[0] >= 0x1p-100 &&", "int narrow = sums[0] >= 0 &&"),
    ),
    *breaks(
        "csrc/embeddings/wide.h",
        ("i < n && !fl_stops(watch, &done, FL_WIDE_CHUNK)", "i < n"),
        tests="interrupts",
    ),
    *breaks(
        "csrc/embeddings/drive_centers.h",
        ("start, n, p->call->n_centers, NULL", "start, n, (size_t)1 << 62, NULL"),
        ("if (n_owners > 1 && slot % n_owners != owner)", "if (0)"),
        ("apart = k->n_slots * k->slot_sums;", "apart = k->slot_sums;"),
        ("has_rows ? k->plan.n_segments : 0", "k->plan.n_segments"),
    ),
    *breaks(
        "csrc/embeddings/centers.h",
        ("FL_CENTER_SUMS > 1 ? part[n_columns + i] : 0", "0"),
        ("fabs(s) <= DBL_MAX ? lost : 0", "0"),
        ("fabs(s) <= DBL_MAX ? lost : 0", "lost"),
    ),
    *breaks(
        "csrc/embeddings/similarity.h",
        ("*own = -FL_INFINITY;", ";"),
        (
            "return vector < half ? vector + half : vector - half;",
            "return vector < half ? vector + half : 0;",
        ),
        ("sum[row] * exp((before - now) * b->inverse_temperature)", "sum[row]"),
        ("their_shares[j] * there", "my_share * there"),
    ),
]
