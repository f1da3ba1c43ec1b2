/* The Euclidean distance of a row. Differences are scaled by a power of two, so that no square over- or
 * underflows that matters. Its Hessian is not diagonal. */
#ifndef FL_ROWS_EUCLIDEAN_H
#define FL_ROWS_EUCLIDEAN_H

#include "row.h"

FL_INLINE real fl_square_root(real x) {
#if FL_PRECISION == 32
    return __builtin_sqrtf(x);
#else
    return __builtin_sqrt(x);
#endif
}

FL_ROW_ADDS(euclidean_error, FL_ADDS_TOTAL)

FL_ROW_SCAN(euclidean_error) {
    real r = e.z - e.y;
    return (fl_row_scan){fl_abs(r), row.poison};
}

FL_ROW_PREPARE(euclidean_error) {
    const real large = FL_CONST(0x1p50, 0x1p400), shrink = FL_CONST(0x1p-90, 0x1p-600);
    const real small = FL_CONST(0x1p-40, 0x1p-400), grow = FL_CONST(0x1p90, 0x1p600);
    row.scale = row.reference > large ? shrink : (row.reference < small ? grow : 1);
    return row;
}

/* The scaled squares. */
FL_ROW_TERM(euclidean_error) {
    real r = (e.z - e.y) * row.scale;
    return (fl_row_term){.kept = e.z, .total = r * r, .first = FL_NOT_FOUND};
}

FL_ROW_CLOSE(euclidean_error) {
    return row;
}

FL_ROW_MERGE(euclidean_error) {
    fl_row large = p.reference >= q.reference ? p : q, small = p.reference >= q.reference ? q : p;
    real ratio = large.scale / small.scale;
    large.total += (small.total * ratio) * ratio;
    return large;
}

FL_ROW_FINISH(euclidean_error) {
    const real half_shrink = FL_CONST(0x1p-45, 0x1p-300), half_grow = FL_CONST(0x1p45, 0x1p300);
    real root = fl_square_root(row.total);
    row.value = root / row.scale;
    row.half_scale = row.scale > 1 ? half_grow : (row.scale < 1 ? half_shrink : 1);
    row.slope = root == 0 ? 0 : row.weight / root * row.half_scale;
    return row;
}

/* Half of the scale on either factor: neither is subnormal where their product is not. Infinite differences
 * have no direction: NaN. */
FL_ROW_EMIT(euclidean_error) {
    return (fl_row_slopes){(e.z - e.y) * row.half_scale * row.slope, 0};
}

#endif
