/* The driver of the row losses: load -> check -> compute -> sum, store, tile by tile. Compiled once in either
 * precision (drive_f32.c, drive_f64.c), for all tiers, whose kernels it calls through their table.
 *
 * Rows are grouped into segments (pass/plan.h), by units that depend on the number of classes alone. Where
 * there are fewer rows than threads and they are long, the threads share each row's chunks instead. Either
 * way the result has the same bits for any number of threads. */
#ifndef FL_ROWS_DRIVE_H
#define FL_ROWS_DRIVE_H

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../pass/cache.h"
#include "../pass/ops.h"
#include "../pass/threads.h"
#include "block.h"
#include "list.h"
#include "options.h"
#include "segments.h"
#include "weights.h"

enum {
    FL_FEW_ROW_SEGMENTS = 4,       /* kept on the stack */
    FL_SHORT_ROW_LINES = 16,       /* rows of a segment's unit along rows */
    FL_ACROSS_BYTES = 32 << 10,    /* of a class-major tile: the matrices of a tile stay in L1 and L2 */
    FL_FLAT_BYTES = 16 << 10,      /* of a flat one, whose terms stay in L1 */
    FL_ALONG_BYTES = 256 << 10,    /* of a row-major one */
    FL_LONG_ROW_BYTES = 16 << 10,  /* such rows are units of work by themselves */
    FL_STREAMED_BYTES = 512 << 10, /* of a row-major tile whose slopes are streamed; less than a shared row */
    FL_STREAMED_CLASS = 256,       /* of a turned block's class, at least */
    FL_SHARED_ROW_BYTES = 1 << 20, /* rows worth sharing among threads */
    FL_PARALLEL_ELEMENTS = 1 << 18
};

static void fl_check_matrix(const fl_row_pass *p, fl_row_matrix m, size_t start, size_t n,
                            const fl_domain *domain, fl_status status, fl_row_segment *s) {
    size_t row, column;
    double value;
    if (domain->low == -INFINITY && domain->high == INFINITY && domain->nan_ok)
        return;
    if (p->rows->outside(m, n, p->call->n_classes, p->across, domain, &row, &column, &value))
        fl_report(s, status, start + row, column, value);
}

/* Loads and checks everything that a tile reads; what each row counts for goes to scratch->counted. */
static fl_row_tile fl_load_rows(const fl_row_pass *p, const fl_row_block *block, size_t start, size_t n,
                                fl_row_scratch *scratch, fl_row_segment *s) {
    const size_t at = start - block->start;
    const fl_rows_call *c = p->call;
    fl_row_tile t = {.options = &p->options,
                     .n_rows = p->across ? fl_round_up(n) : n,
                     .n_classes = c->n_classes,
                     .label = scratch->label,
                     .scale = p->scale,
                     .value = scratch->value,
                     .row_sum = scratch->row_sum,
                     .queues = fl_queues_slopes(p) ? scratch->queues : NULL,
                     .state = scratch->state,
                     .partial = scratch->partial};
    if (p->reads_target && fl_by_label(p)) {
        double bad;
        size_t place =
            p->rows->labels(&c->target, start, n, c->n_classes, c->has_ignore_index ? &c->ignore_index : NULL,
                            scratch->label, scratch->raw, &bad);
        if (place < n)
            fl_report(s, FL_BAD_TARGET, start + place, 0, bad);
    } else if (p->reads_target) {
        t.target = fl_rows_of(block->target, at);
        fl_check_matrix(p, t.target, start, n, &p->target_domain, FL_BAD_TARGET, s);
    }
    if (p->reads_prediction) {
        t.prediction = fl_rows_of(block->prediction, at);
        fl_check_matrix(p, t.prediction, start, n, &p->prediction_domain, FL_BAD_PREDICTION, s);
    }
    fl_load_row_weights(p, start, n, scratch, s, &t);
    return t;
}

typedef struct {
    fl_row_tile tile;
    size_t start, n;
} fl_open_rows;

/* Everything before the mathematics: 0 if there is nothing to compute. */
static int fl_open(const fl_row_pass *p, const fl_row_block *block, size_t start, size_t n,
                   fl_row_scratch *scratch, fl_row_segment *s, fl_open_rows *open) {
    const fl_rows_call *c = p->call;
    fl_row_tile t = fl_load_rows(p, block, start, n, scratch, s);
    if (s->status != FL_OK)
        return 0;
    fl_count_rows(p, &t, start, n, scratch, s);
    if (!p->functions)
        return 0;
    if (c->gradient.data || c->hessian.data)
        t.gradient = fl_rows_of(block->gradient, start - block->start);
    if (c->hessian.data)
        t.hessian = fl_rows_of(block->hessian, start - block->start);
    if (block->shift) {
        t.next_prediction = fl_next_tile(&c->prediction, block->start, block->n, 1);
        t.block_row = start - block->start;
        t.block_shift = t.next_prediction.data ? block->shift : 0;
    }
    if (p->across || p->flat) {
        t.next_prediction = fl_next_tile(&c->prediction, start, n, p->across);
        if (c->dense)
            t.next_target = fl_next_tile(&c->target, start, n, p->across);
        if (c->gradient.data && !p->streams)
            t.next_gradient = fl_next_tile(&c->gradient, start, n, p->across);
        if (c->hessian.data && !p->streams)
            t.next_hessian = fl_next_tile(&c->hessian, start, n, p->across);
    }
    *open = (fl_open_rows){t, start, n};
    return 1;
}

static void fl_close(const fl_row_pass *p, const fl_open_rows *open, fl_row_scratch *scratch,
                     fl_row_segment *s) {
    const fl_rows_call *c = p->call;
    if (c->hessian.data && c->curvature != FL_CURVATURE_EXACT)
        p->rows->curve(&open->tile, p->across, fl_by_label(p), (int)c->curvature, p->curvature_factor);
    fl_weigh_rows(p, &open->tile, open->start, open->n, scratch, s);
}

/* Some chunks of a tile, unless the call is stopped on the way. */
static void fl_watch_chunks(const fl_row_pass *p, fl_chunks_fn compute, const fl_row_tile *tile, size_t from,
                            size_t to) {
    size_t most = FL_WATCHED_STRETCH / FL_ROW_CHUNK, done = 0;
    for (size_t at = from, n = 0; at < to && !fl_stops(p->watch, &done, n * FL_ROW_CHUNK); at += n) {
        n = to - at < most ? to - at : most;
        compute(tile, at, at + n);
    }
}

static void fl_run_tile(const fl_row_pass *p, const fl_row_block *block, size_t start, size_t n,
                        fl_row_scratch *scratch, fl_row_segment *s) {
    fl_open_rows open;
    if (s->status != FL_OK || !fl_open(p, block, start, n, scratch, s, &open))
        return;
    if (p->across || p->flat) {
        p->functions->few(&open.tile);
    } else {
        p->rows->begin(&open.tile, p->form);
        fl_watch_chunks(p, p->functions->gather, &open.tile, 0, n * p->n_chunks);
        if (fl_is_stopped(p->watch))
            return;
        p->functions->combine(&open.tile);
        if (p->functions->emit)
            fl_watch_chunks(p, p->functions->emit, &open.tile, 0, n * p->n_chunks);
    }
    fl_close(p, &open, scratch, s);
}

/* Segments first .. last, block by block. */
static void fl_run_blocks(const fl_row_pass *p, const fl_row_work *w, size_t first, size_t last,
                          fl_row_scratch *scratch) {
    size_t end = fl_segment_start(&w->plan, last), segment = first, n;
    for (size_t start = fl_segment_start(&w->plan, first); start < end; start += n) {
        size_t ahead = segment;
        n = fl_tile_at(p, w, start, &ahead);
        while (fl_turns_blocks(p) && start + n < end) {
            size_t more = fl_tile_at(p, w, start + n, &ahead);
            if (n + more > p->block_rows)
                break;
            n += more;
        }
        fl_row_block block = fl_load_block(p, start, n, 0, scratch);
        for (size_t at = start, rows; at < start + n; at += rows) {
            rows = fl_tile_at(p, w, at, &segment);
            fl_run_tile(p, &block, at, rows, scratch, &w->segments[segment]);
        }
        if (w->segments[segment].status == FL_OK)
            fl_store_block(p, &block, scratch);
        if (fl_stops(p->watch, &scratch->done, n * p->call->n_classes))
            return;
    }
}

static void fl_run_segments(const fl_row_pass *p, const fl_row_work *w) {
    fl_row_scratch scratch;
    int has_memory = fl_allocate(p, &scratch);
#pragma omp for schedule(dynamic, w->pieces_at_once)
    for (size_t i = 0; i < w->n_pieces; i++) {
        if (!has_memory)
            w->segments[0].status = FL_NO_MEMORY;
        else if (!fl_is_stopped(p->watch))
            fl_run_blocks(p, w, fl_first_segment(p, w, i), fl_first_segment(p, w, i + 1), &scratch);
    }
    if (p->streams) {
        fl_send_queues(p, scratch.queues);
        p->ops->stream_end();
    }
    fl_give_scratch(scratch.allocated);
}

/* One row after the other, its chunks shared by all threads. */
static void fl_share_rows(const fl_row_pass *p, int threads, fl_row_segment *s) {
    fl_row_scratch scratch;
    size_t shares = (size_t)threads;
    if (!fl_allocate(p, &scratch)) {
        s->status = FL_NO_MEMORY;
        return;
    }
    for (size_t row = 0; row < p->call->n_rows && s->status == FL_OK && !fl_is_stopped(p->watch); row++) {
        fl_open_rows open;
        fl_copy_row(p, row, threads, &scratch, 0);
        fl_row_block block = fl_load_block(p, row, 1, 1, &scratch);
        if (!fl_open(p, &block, row, 1, &scratch, s, &open))
            continue;
        p->rows->begin(&open.tile, p->form);
#pragma omp parallel num_threads(threads)
        {
#pragma omp for schedule(static)
            for (size_t i = 0; i < shares; i++)
                fl_watch_chunks(p, p->functions->gather, &open.tile, i * p->n_chunks / shares,
                                (i + 1) * p->n_chunks / shares);
#pragma omp single
            if (!fl_is_stopped(p->watch))
                p->functions->combine(&open.tile);
#pragma omp for schedule(static)
            for (size_t i = 0; i < (p->functions->emit ? shares : 0); i++)
                fl_watch_chunks(p, p->functions->emit, &open.tile, i * p->n_chunks / shares,
                                (i + 1) * p->n_chunks / shares);
        }
        if (fl_is_stopped(p->watch))
            break;
        fl_close(p, &open, &scratch, s);
        fl_copy_row(p, row, threads, &scratch, 1);
    }
    fl_give_scratch(scratch.allocated);
}

/* The sums of all segments, or their first error, go to the call. */
static fl_status fl_add_segments(const fl_row_segment *segments, size_t n_segments, fl_rows_call *c,
                                 size_t *n_counted) {
    fl_compensated total = {0, 0}, counted = {0, 0};
    *n_counted = 0;
    c->has_off_row = 0;
    for (size_t s = 0; s < n_segments; s++) {
        if (segments[s].status != FL_OK) {
            c->bad_row = segments[s].bad_row;
            c->bad_column = segments[s].bad_column;
            c->bad_value = segments[s].bad_value;
            return segments[s].status;
        }
        if (segments[s].has_off_row && !c->has_off_row) {
            c->has_off_row = 1;
            c->off_row = segments[s].off_row;
            c->off_sum = segments[s].off_sum;
        }
        fl_add_all(&total, segments[s].total);
        fl_add_all(&counted, segments[s].counted);
        *n_counted += segments[s].n_counted;
    }
    c->total = fl_total(total);
    c->weight_sum = fl_total(counted);
    return FL_OK;
}

/* Runs a pass over everything and leaves its sums, or its first error, in the call. */
static fl_status fl_run(const fl_row_pass *p, fl_rows_call *c, size_t *n_counted) {
    fl_row_segment few[FL_FEW_ROW_SEGMENTS], *segments = few;
    int long_rows = !p->across && c->n_classes * sizeof(real) >= FL_LONG_ROW_BYTES;
    size_t unit = p->across || p->flat ? p->tile_rows : (long_rows ? 1 : FL_SHORT_ROW_LINES);
    const fl_plan plan = fl_plan_of(c->n_rows, unit);
    size_t n_segments = plan.n_segments;
    int threads = fl_threads_allowed(c->n_threads, c->n_rows * c->n_classes, FL_PARALLEL_ELEMENTS);
    if (n_segments > FL_FEW_ROW_SEGMENTS)
        segments = malloc(n_segments * sizeof *segments);
    if (!segments)
        return FL_NO_MEMORY;
    for (size_t s = 0; s < n_segments; s++)
        segments[s] = (fl_row_segment){.status = FL_OK};
    size_t n_pieces = fl_turns_blocks(p) ? (c->n_rows + p->block_rows - 1) / p->block_rows : n_segments;
    int shares_rows = threads > 1 && p->functions && !p->across && c->n_rows < (size_t)threads &&
                      c->n_classes * sizeof(real) >= FL_SHARED_ROW_BYTES;
    threads = fl_threads_needed(threads, shares_rows ? p->n_chunks : n_pieces);
    fl_row_work work = {plan, segments, n_pieces, fl_pieces_at_once(n_pieces, threads)};
    if (shares_rows) {
        n_segments = 1;
        fl_share_rows(p, threads, &segments[0]);
    } else if (threads > 1) {
#pragma omp parallel num_threads(threads)
        fl_run_segments(p, &work);
    } else {
        fl_run_segments(p, &work);
    }
    fl_status status =
        fl_is_stopped(p->watch) ? FL_INTERRUPTED : fl_add_segments(segments, n_segments, c, n_counted);
    if (segments != few)
        free(segments);
    return status;
}

static fl_domain fl_in_precision(fl_domain d) {
    if (d.high == DBL_MAX)
        d.high = (double)FL_LARGEST;
    return d;
}

/* Curvatures that are made of the Hessian: those of a softmax. */
static double fl_curvature_factor(const fl_rows_call *c) {
    if (!fl_scales_hessian(c->kernel))
        return 1;
    if (c->curvature == FL_CURVATURE_MAJORIZER)
        return 2;
    return c->n_classes > 1 ? (double)c->n_classes / (double)(c->n_classes - 1) : 1;
}

static fl_row_pass fl_new_pass(const fl_rows_call *c, fl_watch *watch) {
    fl_row_pass p = {.call = c,
                     .ops = fl_ops_for(FL_PRECISION == 32),
                     .kernel = fl_describe_rows(c->kernel),
                     .scale = 1,
                     .watch = watch};
    p.rows = p.ops->rows;
    p.curvature_factor = fl_curvature_factor(c);
    p.form = fl_form_of(c, p.kernel);
    int lies_flat = c->n_classes == 1 || c->n_classes > FL_FEWEST_CLASSES;
    p.flat = p.kernel->is_flat && (p.form == FL_BY_LABEL || p.form == FL_NO_TARGET) && lies_flat &&
             c->n_classes <= FL_FLAT_LIMIT;
    p.across = !p.flat && c->n_classes <= FL_ACROSS_LIMIT;
    p.reads_prediction = 1;
    p.reads_target = p.form != FL_NO_TARGET;
    size_t row_bytes = c->n_classes * sizeof(real);
    size_t fit = (p.across ? FL_ACROSS_BYTES : (p.flat ? FL_FLAT_BYTES : FL_ALONG_BYTES)) / row_bytes;
    int few = p.across || p.flat;
    size_t most = few ? FL_ROW_TILE : FL_SHORT_ROW_LINES, least = few ? 16 : 1;
    p.tile_rows = fit > most ? most : (fit < least ? least : fit);
    if (few)
        p.tile_rows &= ~(size_t)15;
    p.n_chunks = (c->n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;
    p.block_rows = fl_block_rows(&p);
    p.matrix_reals = fl_scratch_matrix(p.block_rows, c->n_classes, p.across);
    p.target_domain = fl_in_precision(p.kernel->target_domain);
    p.prediction_domain = fl_in_precision(p.kernel->prediction_domain);
    return p;
}

/* Packed rows, or where blocks are turned classes each of whose rows are. */
static int fl_can_stream_to(const fl_row_pass *p, const fl_array *a) {
    const ptrdiff_t item = sizeof(real);
    return a->dtype == FL_REAL_DTYPE && !a->swapped && (uintptr_t)a->data % sizeof(real) == 0 &&
           (fl_turns_blocks(p) ? a->strides[0] == item && a->strides[1] % item == 0
                               : a->strides[1] == item && a->strides[0] == item * a->shape[1]);
}

/* Streaming pays when what is touched fills the last-level cache anyway; written over the prediction, the
 * lines are in cache already. Along rows two blocks' slopes have to stay in L2 on their way, or a block's
 * classes be several cache lines each. */
static int fl_should_stream(const fl_row_pass *p) {
    const fl_rows_call *c = p->call;
    const fl_array *outputs[] = {&c->gradient, &c->hessian};
    size_t matrices = 1 + (c->dense != 0), written = 0;
    int turns = fl_turns_blocks(p);
    if (!p->across && !p->flat &&
        (turns ? p->block_rows * sizeof(real) < FL_STREAMED_CLASS
               : fl_streamed_half(p) > FL_STREAMED_BYTES / sizeof(real)))
        return 0;
    for (int i = 0; i < 2; i++) {
        if (!outputs[i]->data)
            continue;
        if (outputs[i]->data == c->prediction.data || !fl_can_stream_to(p, outputs[i]))
            return 0;
        written++;
    }
    size_t bytes = (matrices + written) * c->n_rows * c->n_classes * sizeof(real);
    return p->ops->has_stream && written && fl_fills_cache(bytes);
}

/* What has to be known before the first result is written: that nothing on the way stops a pass that writes
 * over its input, and what the weights of a mean sum to. */
static fl_status fl_run_before(const fl_row_pass *p, fl_rows_call *c, size_t *n_counted) {
    const void *z = c->prediction.data;
    int in_place = c->gradient.data == z || c->hessian.data == z, mean = c->reduction == FL_REDUCE_MEAN;
    int weighs = c->weight.data || p->options.class_weight || c->has_ignore_index;
    int differentiates = c->gradient.data || c->hessian.data;
    c->weight_sum = (double)c->n_rows;
    *n_counted = c->n_rows;
    if (!in_place && !(mean && (p->shares || (weighs && differentiates))))
        return FL_OK;
    fl_row_pass before = *p;
    if (!in_place) {
        before.reads_prediction = 0;
        before.reads_target = fl_by_label(p) || p->options.class_weight;
    }
    return fl_run(&before, c, n_counted);
}

/* A mean over no weight: of rows that are all ignored it is 0, otherwise there is none. */
static fl_status fl_evaluate(fl_row_pass *p, fl_rows_call *c) {
    size_t n_counted;
    int mean = c->reduction == FL_REDUCE_MEAN, focal = p->options.class_weight == NULL;
    fl_status status = fl_run_before(p, c, &n_counted);
    if (status != FL_OK)
        return status;
    if (mean && c->weight_sum == 0 && n_counted)
        return FL_BAD_WEIGHT_SUM;
    double scale = mean && c->weight_sum != 0 ? 1 / c->weight_sum : !mean;
    fl_shares shares = p->shares ? *p->shares : (fl_shares){NULL, 1, 1};
    if (p->shares) {
        shares.factor = scale / (mean && !focal ? 1 : p->class_scale);
        shares.scale = mean ? shares.scale : 1;
        p->shares = &shares;
    } else {
        p->scale = scale;
    }
    p->streams = fl_should_stream(p);
    int outputs = c->hessian.data ? FL_ROWS_VGH : (c->gradient.data ? FL_ROWS_VG : FL_ROWS_V);
    p->functions = &p->rows->kernels[c->kernel][p->form][outputs];
    status = fl_run(p, c, &n_counted);
    if (status != FL_OK || !mean)
        return status;
    if (c->weight_sum == 0 && n_counted)
        return FL_BAD_WEIGHT_SUM;
    if (!p->shares)
        c->total = n_counted ? c->total / c->weight_sum : 0;
    return FL_OK;
}

static fl_status fl_check(fl_row_pass *p, fl_rows_call *c) {
    size_t n_counted;
    fl_status status = fl_run(p, c, &n_counted);
    if (p->shares)
        c->weight_sum /= p->shares->scale * (p->options.class_weight ? p->class_scale : 1);
    return status;
}

/* The door: what is to be done, and done again where the weights are of unusual sizes. */
fl_status FL_OF_PRECISION(fl_drive_rows)(fl_rows_call *c, int only_checks) {
    fl_status (*run)(fl_row_pass *, fl_rows_call *) = only_checks ? fl_check : fl_evaluate;
    fl_watch own, *watch = fl_new_watch(&own, c->go_on, c->context, c->n_rows * c->n_classes);
    fl_row_pass pass = fl_new_pass(c, watch);
    real *allocated;
    if (!fl_prepare_options(&pass, &allocated))
        return FL_NO_MEMORY;
    fl_row_pass usual = pass;
    fl_status status = pass.class_scale == 1 ? run(&usual, c) : FL_AGAIN;
    if (status == FL_AGAIN) {
        fl_shares shares = {&c->weight, 1, 1};
        pass.shares = &shares;
        status = c->weight.data ? fl_measure_weights(&c->weight, c->n_rows, watch, &shares.scale, &c->bad_row,
                                                     &c->bad_value)
                                : FL_OK;
        if (status == FL_OK)
            status = run(&pass, c);
    }
    free(allocated);
    return status;
}

#endif
