/* Rows of weight 0 are as if they were not there, whatever their results are. */
#ifndef FL_ROWS_CLEAR_H
#define FL_ROWS_CLEAR_H

#include "state.h"

static void fl_clear_line(real *line, const real *weight, size_t n) {
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < n; i++)
        line[i] = weight[i] != 0 ? line[i] : 0;
}

static void fl_clear_matrix(fl_row_matrix m, const real *weight, size_t n_rows, size_t n_classes,
                            int across) {
    real *line = m.data;
    for (size_t i = 0; line && i < (across ? n_classes : n_rows); i++, line += m.stride) {
        if (across)
            fl_clear_line(line, weight, n_rows);
        else if (weight[i] == 0)
            memset(line, 0, n_classes * sizeof *line);
    }
}

/* With `by_class`, the weight of a row's true class is the row's, too. */
static void fl_clear_rows(const fl_row_tile *t, int across, int by_class) {
    const real *given = t->weight, *own = t->options->own;
    const real_int *label = t->label;
    real weight[FL_ROW_TILE];
    for (size_t i = 0; i < t->n_rows; i++) {
        real of_class = by_class && own && label[i] >= 0 ? own[label[i]] : 1;
        weight[i] = of_class == 0 ? 0 : (given ? given[i] : 1);
    }
    fl_clear_line(t->value, weight, t->n_rows);
    fl_clear_matrix(t->gradient, weight, t->n_rows, t->n_classes, across);
    fl_clear_matrix(t->hessian, weight, t->n_rows, t->n_classes, across);
}

#endif
