/* Other curvatures than the Hessian's diagonal, for a tile that has just been computed. */
#ifndef FL_ROWS_CURVATURE_H
#define FL_ROWS_CURVATURE_H

#include "kernel_types.h"

/* The weight of a row, 0 if it is ignored. */
FL_INLINE real fl_unit_curvature(const fl_row_tile *t, int by_label, size_t row) {
    real weight = t->weight ? t->weight[row] : 1;
    return by_label && t->label[row] < 0 ? 0 : weight;
}

static void fl_curve_tile(const fl_row_tile *t, int across, int by_label, int curvature, double factor) {
    size_t n_lines = across ? t->n_classes : t->n_rows, length = across ? t->n_rows : t->n_classes;
    for (size_t i = 0; i < n_lines; i++) {
        real *h = t->hessian.data + (ptrdiff_t)i * t->hessian.stride;
        if (curvature == FL_CURVATURE_UNIT)
            for (size_t k = 0; k < length; k++)
                h[k] = fl_unit_curvature(t, by_label, across ? k : i);
        else if (curvature == FL_CURVATURE_ABSOLUTE)
            for (size_t k = 0; k < length; k++)
                h[k] = fl_abs(h[k]);
        else
            for (size_t k = 0; k < length; k++)
                h[k] *= (real)factor;
    }
}

#endif
