/* The gradients of a row from its inputs, column by column, to where they belong. */
#ifndef FL_EMBEDDINGS_PUT_H
#define FL_EMBEDDINGS_PUT_H

#include "kernel_types.h"
#include "wide.h"

/* One column's gradients g of inputs a, b and c, by numbers s of the row. */
typedef void (*fl_put_step)(const double *s, real a, real b, real c, real *g);

typedef struct {
    const real *in[FL_MAX_INPUTS]; /* those that there are not are any row */
    real *to[FL_MAX_INPUTS];
    size_t n_columns;
    int streams;
    fl_watch *watch;
} fl_put;

FL_INLINE real *fl_embedding_row(const fl_row_matrix *m, size_t row) {
    return m->data + (ptrdiff_t)row * m->stride;
}

FL_INLINE fl_put fl_put_of(const fl_embedding_tile *t, size_t row, const int n_inputs) {
    fl_put p = {.n_columns = t->n_columns, .streams = t->streams, .watch = t->watch};
    for (int m = 0; m < FL_MAX_INPUTS; m++) {
        p.in[m] = fl_embedding_row(&t->input[m < n_inputs ? m : 0], row);
        p.to[m] = fl_embedding_row(&t->gradient[m < n_inputs ? m : 0], row);
    }
    return p;
}

/* So many columns from the i-th on, a cache line's or a quarter's, past the caches but for outputs that are
 * not streamed. */
FL_INLINE void fl_put_piece(const int n_outputs, const fl_put_step step, const fl_put *p, const double *s,
                            size_t i, const int width) {
    real line[FL_MAX_INPUTS][64 / sizeof(real)];
    FL_ROLLED_LOOP
    for (int k = 0; k < width; k++) {
        real g[FL_MAX_INPUTS];
        step(s, p->in[0][i + (size_t)k], p->in[1][i + (size_t)k], p->in[2][i + (size_t)k], g);
        for (int m = 0; m < n_outputs; m++)
            line[m][k] = g[m];
    }
    for (int m = 0; m < n_outputs; m++) {
        char *to = (char *)(p->to[m] + i);
        if (!(p->streams >> m & 1))
            memcpy(to, line[m], (size_t)width * sizeof(real));
        else if (width == 64 / sizeof(real))
            fl_stream_line(to, (const char *)line[m]);
        else
            fl_stream_quarter(to, (const char *)line[m]);
    }
}

/* Quarters to the end of the last output's line, lines, and quarters, which the next row's first ones
 * complete. */
FL_INLINE void fl_stream_columns(const int n_outputs, const fl_put_step step, const fl_put *p,
                                 const double *s, size_t i, size_t end) {
    enum { LINE = 64 / sizeof(real), QUARTER = 16 / sizeof(real) };
    for (; (uintptr_t)(p->to[n_outputs - 1] + i) % 64 && i < end; i += QUARTER)
        fl_put_piece(n_outputs, step, p, s, i, QUARTER);
    for (; i + LINE <= end; i += LINE)
        fl_put_piece(n_outputs, step, p, s, i, LINE);
    for (; i < end; i += QUARTER)
        fl_put_piece(n_outputs, step, p, s, i, QUARTER);
}

FL_INLINE void fl_store_columns(const int n_outputs, const fl_put_step step, const fl_put *p, const double *s,
                                size_t from, size_t end) {
    const real *a = p->in[0], *b = p->in[1], *c = p->in[2];
    real *to_a = p->to[0], *to_b = p->to[1], *to_c = p->to[2];
    FL_INDEPENDENT_LOOP
    for (size_t i = from; i < end; i++) {
        real g[FL_MAX_INPUTS];
        step(s, a[i], b[i], c[i], g);
        to_a[i] = g[0];
        if (n_outputs > 1)
            to_b[i] = g[1];
        if (n_outputs > 2)
            to_c[i] = g[2];
    }
}

FL_INLINE void fl_put_row(const int n_outputs, const fl_put_step step, const fl_put *p, const double *s) {
    for (size_t at = 0, end; (end = fl_stretch(p->watch, at, p->n_columns)) > at; at = end)
        if (p->streams)
            fl_stream_columns(n_outputs, step, p, s, at, end);
        else
            fl_store_columns(n_outputs, step, p, s, at, end);
}

FL_INLINE void fl_zero_step(const double *s, real a, real b, real c, real *g) {
    (void)s, (void)a, (void)b, (void)c;
    g[0] = 0;
}

static __attribute__((noinline)) void fl_put_zeros(real *to, size_t n, int streams, fl_watch *watch) {
    const fl_put p = {{to, to, to}, {to}, n, streams, watch};
    fl_put_row(1, fl_zero_step, &p, NULL);
}

FL_INLINE void fl_put_flat(const fl_embedding_tile *t, size_t row, const int n_outputs) {
    for (int m = 0; m < n_outputs; m++)
        fl_put_zeros(fl_embedding_row(&t->gradient[m], row), t->n_columns, t->streams >> m & 1, t->watch);
}

/* A row of weight 0 is as if it were not there, whatever its gradients else would be. */
FL_INLINE int fl_is_weightless(const fl_embedding_tile *t, size_t row) {
    return t->slope && t->slope[row] == 0;
}

FL_INLINE double fl_row_slope(const fl_embedding_tile *t, size_t row) {
    return t->slope ? t->slope[row] : t->scale;
}

/* Gradients of float32 are made in float where neither slopes nor rows are so large or small that anything
 * could leave its range, else in double, like those of float64; X(name, type, fma) defines one of both. */
#if FL_PRECISION == 32
#define FL_IN_BOTH(X) X(narrow, real, fl_fma) X(wide, double, fl_wide_fma)
#else
#define FL_IN_BOTH(X) X(wide, double, fl_wide_fma)
#endif

FL_INLINE int fl_is_moderate(double slope) {
    double magnitude = fabs(slope);
    return (magnitude >= 0x1p-100 && magnitude <= 0x1p100) || magnitude == 0;
}

/* Where the loss is flat gradients are 0, though a difference be infinite; of finite ones the usual way makes
 * zeros, without a branch. */
FL_INLINE int fl_is_flat(double square, double slope) {
    return slope == 0 && !(square <= 0x1p1000);
}

FL_INLINE int fl_fits_narrow(double square, double slope) {
    return FL_PRECISION == 32 && square <= 0x1p200 && fl_is_moderate(slope);
}

#endif
