/* Multi-class hinge losses. A kink has the subgradient 0. */
#ifndef FL_ROWS_HINGE_H
#define FL_ROWS_HINGE_H

#include "row.h"

/* 1 + z − own, rounded once but for the last place; NaN kept. */
FL_INLINE real fl_margin(real z, real own) {
    fl_pair d = fl_two_sum(z, -own);
    return (1 + d.hi) + (fl_abs(d.hi) <= FL_LARGEST ? d.lo : 0);
}

/* Crammer and Singer 2001: [1 + max_{j≠y} z_j − z_y]₊; the first maximum takes the subgradient. */
FL_ROW_ADDS(crammer_singer, FL_FINDS_FIRST)

FL_ROW_SCAN(crammer_singer) {
    return (fl_row_scan){e.is_own ? -FL_INFINITY : e.z, e.z != e.z ? e.z : row.poison};
}

FL_ROW_PREPARE(crammer_singer) {
    return row;
}

FL_ROW_TERM(crammer_singer) {
    int found = !e.is_own & (e.z == row.reference);
    return (fl_row_term){.kept = e.z, .first = found ? e.k : FL_NOT_FOUND};
}

FL_ROW_CLOSE(crammer_singer) {
    return row;
}

FL_ROW_MERGE(crammer_singer) {
    int keep = p.reference >= q.reference;
    real_int least = p.first < q.first ? p.first : q.first;
    p.first = p.reference == q.reference ? least : (keep ? p.first : q.first);
    p.reference = keep ? p.reference : q.reference;
    p.poison += q.poison;
    return p;
}

FL_ROW_FINISH(crammer_singer) {
    int ignored = row.label < 0;
    real margin = fl_margin(row.reference, row.own);
    margin += row.poison;
    real kept = margin <= 0 ? 0 : margin;
    row.value = ignored ? 0 : kept;
    real weight = margin > 0 ? row.weight : kept;
    row.slope = ignored ? 0 : weight;
    row.nan = kept != kept ? kept : 0;
    row.nan = ignored ? 0 : row.nan;
    return row;
}

FL_ROW_EMIT(crammer_singer) {
    real g = e.k == row.first ? row.slope : row.nan;
    return (fl_row_slopes){e.is_own ? 0 - row.slope : g, row.nan};
}

/* Weston and Watkins 1999: Σ_{j≠y} [1 + z_j − z_y]₊. */
#define ROW weston_watkins
#include "plain.inc"

FL_ROW_ADDS(weston_watkins, FL_ADDS_TOTAL | FL_ADDS_N_POSITIVE)

FL_ROW_TERM(weston_watkins) {
    real margin = fl_margin(e.z, row.own);
    real kept = margin <= 0 ? 0 : margin;
    return (fl_row_term){.kept = e.z,
                         .total = e.is_own ? margin - margin : kept,
                         .n_positive = ((margin > 0) & !e.is_own) ? 1 : 0,
                         .first = FL_NOT_FOUND};
}

FL_ROW_FINISH(weston_watkins) {
    int ignored = row.label < 0, bad = row.total != row.total;
    row.value = ignored ? 0 : row.total;
    row.slope = ignored ? 0 : (bad ? row.total : row.weight);
    row.nan = ignored ? 0 : (bad ? row.total : 0);
    return row;
}

FL_ROW_EMIT(weston_watkins) {
    real g = fl_margin(e.z, row.own) > 0 ? row.slope : row.nan;
    return (fl_row_slopes){e.is_own ? 0 - row.slope * row.n_positive : g, row.nan};
}

#endif
