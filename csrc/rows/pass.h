/* A pass over rows: what it computes, the results of one of its segments, and one thread's scratch. Included
 * by drive.h alone. */
#ifndef FL_ROWS_PASS_H
#define FL_ROWS_PASS_H

#include <stdint.h>

#include "../pass/ops.h"
#include "../pass/watch.h"
#include "../pass/shares.h"
#include "kernel_types.h"
#include "parts.h"

typedef struct {
    fl_compensated total, counted;
    size_t n_counted;
    fl_status status;
    size_t bad_row, bad_column;
    double bad_value;
    int has_off_row;
    size_t off_row;
    double off_sum;
} fl_row_segment;

typedef struct {
    const fl_rows_call *call;
    const fl_ops *ops;
    const fl_row_ops *rows;
    const fl_row_functions *functions; /* NULL: only check, and add up what counts */
    const fl_row_description *kernel;
    fl_row_options options;
    int form, across, flat, reads_prediction, reads_target, streams;
    size_t tile_rows;  /* which fix the order of the sums, too */
    size_t block_rows; /* whose matrices are loaded and stored together */
    size_t n_chunks, matrix_reals;
    double scale, curvature_factor;
    double class_scale;      /* of the classes' weights, a power of two: 1 for usual ones */
    int has_zero_class;      /* some class weighs 0 */
    const fl_shares *shares; /* of unusual weights, which are not loaded otherwise; NULL: usual ones */
    fl_domain target_domain, prediction_domain;
    fl_watch *watch;
} fl_row_pass;

/* Scratch of one thread: aligned pieces of one allocation. */
typedef struct {
    struct fl_row_state *state;
    void *partial, *allocated;
    real *value, *row_sum, *weight;
    real_int *label;
    double *counted;
    char *raw;
    real *prediction, *target, *gradient, *hessian;
    fl_row_queue queues[FL_ROW_QUEUES];
    size_t done;         /* elements since the last look at the watch */
    int has_zero_weight; /* the tile */
    int second_half;     /* of the scratch of what is streamed along rows: where the next block goes */
} fl_row_scratch;

static int fl_by_label(const fl_row_pass *p) {
    return p->form == FL_BY_LABEL || p->form == FL_SMOOTHED;
}

/* Whether matrices in which a class's rows are next to each other are turned, more rows at once than a
 * tile's. */
static int fl_turns_blocks(const fl_row_pass *p) {
    return p->block_rows > p->tile_rows;
}

static size_t fl_scratch_reals(const fl_row_pass *p, const fl_array *a) {
    return fl_copy_reals(a, p->block_rows, p->across);
}

/* Whether slopes wait in a queue until they are streamed; across rows they are streamed tile by tile, and
 * where they are turned block by block. */
static int fl_queues_slopes(const fl_row_pass *p) {
    return p->streams && !p->across && !p->flat && !fl_turns_blocks(p);
}

/* Reals of a block whose slopes wait: two matrices, each with room to lie within a cache line as its destination
 * does. */
static size_t fl_streamed_half(const fl_row_pass *p) {
    return fl_times(p->tile_rows, fl_scratch_line(p->call->n_classes)) + 64 / sizeof(real);
}

static size_t fl_output_reals(const fl_row_pass *p, const fl_array *a) {
    if (!a->data)
        return 0;
    if (fl_queues_slopes(p))
        return 2 * fl_streamed_half(p);
    if (p->streams && p->flat)
        return p->matrix_reals;
    return p->streams && p->across ? 2 * p->matrix_reals : fl_scratch_reals(p, a);
}

/* Along rows, a gradient that does not go straight to its destination overwrites the prediction's copy, if
 * there is one. */
static void fl_lay_out(const fl_row_pass *p, fl_row_scratch *s, fl_layout *l) {
    const fl_rows_call *c = p->call;
    size_t rows = fl_round_up(p->tile_rows), parts = fl_times(p->tile_rows, p->n_chunks);
    s->state = fl_take(l, p->rows->state_bytes);
    if (p->flat)
        s->partial = fl_take_reals(l, fl_flat_reals(p->tile_rows, c->n_classes));
    else
        s->partial = fl_take(l, p->across ? 0 : fl_times(parts, p->rows->partial_bytes));
    s->value = fl_take_reals(l, rows);
    s->row_sum = fl_take_reals(l, rows);
    s->label = fl_take(l, rows * sizeof *s->label);
    s->weight = fl_take_reals(l, rows);
    s->counted = fl_take(l, rows * sizeof *s->counted);
    s->raw = fl_take(l, FL_RAW_BYTES);
    size_t prediction = p->reads_prediction ? fl_scratch_reals(p, &c->prediction) : 0;
    size_t gradient = fl_output_reals(p, &c->gradient);
    if (!c->gradient.data && c->hessian.data)
        gradient = p->matrix_reals;
    int shared = !p->across && !fl_queues_slopes(p) && prediction;
    s->prediction = fl_take_reals(l, shared && gradient > prediction ? gradient : prediction);
    s->gradient = shared ? s->prediction : fl_take_reals(l, gradient);
    s->target = fl_take_reals(l, p->reads_target && !fl_by_label(p) ? fl_scratch_reals(p, &c->target) : 0);
    s->hessian = fl_take_reals(l, fl_output_reals(p, &c->hessian));
}

static int fl_allocate(const fl_row_pass *p, fl_row_scratch *s) {
    fl_layout l = {.memory = NULL};
    *s = (fl_row_scratch){.allocated = NULL};
    fl_lay_out(p, s, &l);
    s->allocated = fl_get_counted(&l);
    if (s->allocated)
        fl_lay_out(p, s, &l);
    return s->allocated != NULL;
}

#endif
