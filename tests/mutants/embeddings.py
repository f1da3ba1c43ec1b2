"""Breaks of the losses of embeddings."""

from __future__ import annotations

from .breaks import breaks

BREAKS = [
    *breaks(
        "csrc/embeddings/evaluate.c",
        (
            "if (at < n)\n            return fl_bad_row(c, FL_BAD_TARGET",
            "if (at < n && !c->weight.data)\n            return fl_bad_row(c, FL_BAD_TARGET",
        ),
        ("fl_add(&total, totals[s].error);", ""),
        ("memset(s->value + n * p->ops->itemsize, 0, rest);", ""),
        ("memset(s->weight + n * p->ops->itemsize, 0, rest);", ""),
        ("p.scale = 1 / c->weight_sum;", "p.scale = 1 / (double)c->n_rows;"),
        ("(p->shares || slope[i] == 0)", "p->shares"),
        tests="weights",
    ),
    *breaks(
        "csrc/embeddings/pairs.h",
        ("similar ? d.square : missing * missing", "similar ? d.square : missing"),
        ("slope = d.root != d.root ? d.root : weight;", "slope = weight;"),
        ("fma(-along_b, y, x)", "fma(-along_a, y, x)"),
        ("cosine > 1 ? 1 :", "cosine > 2 ? 1 :"),
        ("!(low >= 0x1p-450 && high <= 0x1p500)", "0"),
        ("slope = cosine != cosine ? cosine : slope;", ""),
    ),
    *breaks(
        "csrc/embeddings/triplets.h",
        ("to_n[i] = (real)((ai - ni) * slope);", "to_n[i] = (real)((ni - ai) * slope);"),
        ("near.scale, far.scale, slope_p, slope_n);", "near.scale, near.scale, slope_p, slope_n);"),
        ("double over = (near.root - far.root) + t->margin;", "double over = (near.root - far.root) + 1;"),
    ),
    *breaks(
        "csrc/embeddings/distance.h",
        ("d.scaled_root == 0 ? 0 :", ""),
        ("!(square >= 0x1p-900 && square <= 0x1p1000)", "!(square <= 0x1p1000)"),
    ),
    *breaks(
        "csrc/embeddings/wide.h",
        ("fl_add(&total[m], sums[m]);", "total[m].sum += sums[m];"),
        ("for (size_t k = 0; i + k < n; k++) {", "for (size_t k = 0; i + k + 1 < n; k++) {"),
    ),
    *breaks(
        "csrc/embeddings/centers.c",
        ("if (slot % n_owners != owner)", "if (0)"),
        ("to = to < c->n_rows ? to : c->n_rows;", "to = to < c->n_rows ? to : c->n_rows - 1;"),
        ("fl_add(&total, part[i]);", "total.sum += part[i];"),
        ("sums[d + i] + part[d + i]}", "sums[d + i]}"),
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
