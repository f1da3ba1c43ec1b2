/* The driver of the pointwise losses: load -> check -> compute -> sum, store, block by block. Part of each tier,
 * in either precision.
 *
 * Blocks are grouped into segments (pass/plan.h), whose bounds depend on the number of elements alone. */
#ifndef FL_POINTWISE_DRIVE_H
#define FL_POINTWISE_DRIVE_H

#include "../blocks/check.h"
#include "../blocks/load.h"
#include "../pass/scratch.h"
#include "../blocks/store.h"
#include "../pass/stream.h"
#include "../pass/cache.h"
#include "../pass/plan.h"
#include "../pass/threads.h"
#include "../pass/watch.h"
#include "../sums/compensated.h"
#include "../sums/fold.h"
#include "../pass/shares.h"
#include "../sums/sums.h"
#include "curvature.h"
#include "curvature_blocks.h"
#include "formula_kernel.h"
#include "kernels.h"

/* Formulas are compiled beside the losses (dispatch/formulas_instance.h). */
extern const fl_pointwise_blocks FL_TABLE_NAME(fl_formulas_);

/* So few segments are kept on the stack. */
enum { FL_FEW_SEGMENTS = 16 };

/* Below so many elements (about a quarter of a millisecond on one thread) a parallel region cannot pay. */
enum { FL_PARALLEL_CHEAP = 1 << 20, FL_PARALLEL_HEAVY = 1 << 18 };

typedef struct {
    fl_compensated total, weight;
    fl_status status;
    size_t bad_index;
    double bad_value;
} fl_segment;

typedef struct {
    const fl_pointwise_call *call;
    fl_block_fn compute;   /* NULL: only check, and add up the weights */
    fl_block_fn sum;       /* the same, adding up the values; NULL where these are stored or weighted */
    fl_curvature_fn curve; /* NULL: the Hessian itself */
    double scale;
    int streams;
    int is_native; /* all arrays; nothing is weighted, no values are stored, no Hessian alone */
    const fl_domain *target, *prediction; /* NULL: nothing to check */
    int checks_weight;
    const fl_shares *shares; /* of unusual weights, which are not loaded otherwise; NULL: usual ones */
    fl_watch *watch;
} fl_pass;

typedef struct {
    _Alignas(64) char target[FL_BLOCK_BYTES];
    char prediction[FL_BLOCK_BYTES];
    char weight[FL_BLOCK_BYTES];
    char value[FL_BLOCK_BYTES];
    char gradient[FL_BLOCK_BYTES];
    char hessian[FL_BLOCK_BYTES];
} fl_scratch;

/* What is gathered on its way in lies where the Hessian will be; on its way out where the target was, which
 * nobody reads any more. */
_Static_assert((int)FL_RAW_BYTES <= (int)FL_BLOCK_BYTES, "raw elements lie in another block's place");

/* NULL for a loss of the list. */
static inline const fl_formula *fl_formula_of(const fl_pointwise_call *c) {
    return c->kernel == FL_FORMULA ? (const void *)c->parameters : NULL;
}

static inline const fl_domain *fl_target_domain(const fl_pointwise_call *c) {
    const fl_formula *formula = fl_formula_of(c);
    return formula ? &formula->target : &fl_describe_pointwise(c->kernel)->y_domain;
}

static inline const fl_domain *fl_prediction_domain(const fl_pointwise_call *c) {
    const fl_formula *formula = fl_formula_of(c);
    return formula ? &formula->prediction : &fl_describe_pointwise(c->kernel)->z_domain;
}

static inline fl_cost fl_cost_of(const fl_pointwise_call *c) {
    const fl_formula *formula = fl_formula_of(c);
    return formula ? formula->cost : fl_describe_pointwise(c->kernel)->cost;
}

static inline void *fl_element(const fl_array *a, size_t i) {
    return a->data ? (char *)a->data + i * sizeof(real) : NULL;
}

static inline int fl_is_native(const fl_array *a) {
    return a->dtype == FL_REAL_DTYPE && fl_is_packed(a) && (uintptr_t)a->data % sizeof(real) == 0;
}

/* Where the kernel may write a block of this output: its destination, or scratch. */
static void *fl_place(const fl_pass *p, const fl_array *a, size_t start, size_t n, void *scratch) {
    int direct = !p->streams && fl_is_native(a) && n == fl_round_up(n);
    return direct ? fl_element(a, start) : scratch;
}

static void fl_finish(const fl_pass *p, const fl_array *a, size_t start, size_t n, void *block,
                      const void *scratch, const void *weights, void *raw) {
    if (p->shares)
        fl_weigh_block(p->shares, start, n, block, p->call->float32, raw);
    else if (weights)
        fl_multiply(block, weights, p->scale, fl_round_up(n));
    if (block != scratch)
        return;
    if (p->streams && fl_is_native(a))
        fl_stream(fl_element(a, start), block, n);
    else
        fl_store(a, start, n, block, raw);
}

static int fl_is_inside(const void *block, size_t start, size_t n, const fl_domain *domain, fl_status status,
                        fl_segment *s) {
    if (!domain || !fl_any_outside(block, fl_round_up(n), domain))
        return 1;
    size_t i = fl_first_outside(block, n, domain);
    if (i == n)
        return 1;
    if (s->status == FL_OK || start + i < s->bad_index) {
        s->status = status;
        s->bad_index = start + i;
        s->bad_value = (double)((const real *)block)[i];
    }
    return 0;
}

static int fl_has_usual_weights(const fl_pass *p, const void *w, size_t start, size_t n, void *raw,
                                fl_segment *s) {
    int kinds;
    size_t place = n; /* after everything else that is wrong in the block */
    double bad = 0;
    fl_status status =
        fl_check_weights(&p->call->weight, w, start, n, p->call->float32, raw, &kinds, &place, &bad);
    if (status == FL_OK)
        return 1;
    if (s->status == FL_OK || start + place < s->bad_index) {
        s->status = status;
        s->bad_index = start + place;
        s->bad_value = bad;
    }
    return 0;
}

/* n is a multiple of the lanes or less than them. */
static void fl_run_block(const fl_pass *p, const double *parameters, size_t start, size_t n,
                         fl_scratch *scratch, fl_segment *s) {
    const fl_pointwise_call *c = p->call;
    const void *y = NULL, *z = NULL, *w = NULL;
    size_t padded = fl_round_up(n);
    if (p->compute || p->target)
        y = fl_load(&c->target, start, n, scratch->target, scratch->hessian);
    if (p->compute || p->prediction)
        z = fl_load(&c->prediction, start, n, scratch->prediction, scratch->hessian);
    if (c->weight.data && !p->shares)
        w = fl_load(&c->weight, start, n, scratch->weight, scratch->hessian);
    int inside = fl_is_inside(z, start, n, p->prediction, FL_BAD_PREDICTION, s);
    if (w && p->checks_weight)
        inside &= fl_has_usual_weights(p, w, start, n, scratch->hessian, s);
    if (!p->compute || !inside)
        inside &= fl_is_inside(y, start, n, p->target, FL_BAD_TARGET, s);
    if (!inside)
        return;
    if (w) {
        double sum = 0;
        if (n == padded)
            sum = fl_sum(w, n);
        else
            for (size_t i = 0; i < n; i++)
                sum += (double)((const real *)w)[i];
        fl_add(&s->weight, sum);
    }
    if (!p->compute)
        return;
    void *v = scratch->value, *g = scratch->gradient, *h = scratch->hessian;
    int stores_value = c->value.data != NULL;
    if (stores_value)
        v = fl_place(p, &c->value, start, n, v);
    if (c->gradient.data)
        g = fl_place(p, &c->gradient, start, n, g);
    if (c->hessian.data)
        h = fl_place(p, &c->hessian, start, n, h);
    double lanes[FL_LANES] = {0};
    int sums = p->sum && n == padded;
    if ((sums ? p->sum : p->compute)(padded, y, z, parameters, w ? 1 : p->scale, sums ? lanes : v, g, h) &&
        !fl_is_inside(y, start, n, p->target, FL_BAD_TARGET, s))
        return;
    if (p->curve)
        p->curve(padded, y, z, g, h, parameters, c->kink_width);
    if (sums) {
        fl_add(&s->total, fl_fold_lanes(lanes, FL_LANES));
    } else if (stores_value) {
        fl_finish(p, &c->value, start, n, v, scratch->value, w, scratch->target);
    } else if (c->want_value && p->shares) {
        fl_weigh_sum(p->shares, start, n, v, c->float32, scratch->target, &s->total);
    } else if (c->want_value) {
        memset((char *)v + n * sizeof(real), 0, (padded - n) * sizeof(real));
        fl_add(&s->total, w ? fl_dot(v, w, padded) : fl_sum(v, padded));
    }
    if (c->gradient.data)
        fl_finish(p, &c->gradient, start, n, g, scratch->gradient, w, scratch->target);
    if (c->hessian.data)
        fl_finish(p, &c->hessian, start, n, h, scratch->hessian, w, scratch->target);
}

enum { FL_STREAM_CHUNK = 256 };

/* What fl_block_fn says, its gradient and Hessian streamed. Past the caches compute and stream take turns on
 * chunks so short that the processor looks ahead into the next chunk's loads while it stores this one: with
 * whole blocks memory would wait while L1 is read again. */
static int fl_stream_block(const fl_pass *p, fl_block_fn compute, const double *parameters, size_t n,
                           const real *y, const real *z, double *lanes, real *gradient, real *hessian) {
    _Alignas(64) real g[FL_STREAM_CHUNK], h[FL_STREAM_CHUNK];
    int suspicious = 0;
    for (size_t start = 0; start < n; start += FL_STREAM_CHUNK) {
        size_t m = n - start < FL_STREAM_CHUNK ? n - start : FL_STREAM_CHUNK;
        suspicious |= compute(m, y + start, z + start, parameters, p->scale, lanes, g, h);
        if (gradient)
            fl_stream(gradient + start, g, m);
        if (hessian)
            fl_stream(hessian + start, h, m);
    }
    return suspicious;
}

/* A segment of arrays that are used where they lie, with nothing to convert or to weight: block after block
 * without a stop in between. n is a multiple of the lanes. Returns how many samples are done: all, or those
 * before the block in which something is outside its domain. What it leaves goes block by block. */
static size_t fl_run_native(const fl_pass *p, const double *parameters, size_t from, size_t n,
                            fl_segment *s) {
    const fl_pointwise_call *c = p->call;
    const fl_block_fn compute = c->want_value ? p->sum : p->compute;
    for (size_t start = 0; start < n; start += FL_BLOCK) {
        size_t m = n - start < FL_BLOCK ? n - start : FL_BLOCK;
        const real *y = fl_element(&c->target, from + start), *z = fl_element(&c->prediction, from + start);
        real *g = fl_element(&c->gradient, from + start), *h = fl_element(&c->hessian, from + start);
        _Alignas(64) double lanes[FL_LANES], *sums = c->want_value ? lanes : NULL;
        fl_clear_sums(lanes);
        if (p->prediction && fl_any_outside(z, m, p->prediction) && fl_first_outside(z, m, p->prediction) < m)
            return start;
        int suspicious = p->streams ? fl_stream_block(p, compute, parameters, m, y, z, sums, g, h)
                                    : compute(m, y, z, parameters, p->scale, sums, g, h);
        if (suspicious && fl_first_outside(y, m, p->target) < m)
            return start;
        if (c->want_value)
            fl_add(&s->total, fl_fold_lanes(lanes, FL_LANES));
    }
    return n;
}

/* Of its own, or its scratch would lie on the stack under fl_run_native's, too. */
static __attribute__((noinline)) void fl_run_blocks(const fl_pass *p, const double *parameters, size_t from,
                                                    size_t to, fl_segment *s) {
    fl_scratch scratch;
    for (size_t start = from; start < to && s->status == FL_OK;) {
        size_t n = to - start < FL_BLOCK ? to - start : FL_BLOCK;
        if (n >= FL_LANES)
            n &= ~(size_t)(FL_LANES - 1);
        fl_run_block(p, parameters, start, n, &scratch, s);
        start += n;
    }
}

static void fl_run_with(const fl_pass *p, const double *parameters, size_t from, size_t to, fl_segment *s) {
    if (p->is_native)
        from += fl_run_native(p, parameters, from, (to - from) & ~(size_t)(FL_LANES - 1), s);
    if (from < to)
        fl_run_blocks(p, parameters, from, to, s);
}

static void fl_run_stretch(const fl_pass *p, size_t from, size_t to, fl_segment *s) {
    fl_formula_work work = {.formula = p->compute ? fl_formula_of(p->call) : NULL};
    if (!work.formula) {
        fl_run_with(p, p->call->parameters, from, to, s);
        return;
    }
    work.registers = fl_get_scratch(fl_workspace(work.formula, fl_round_up(to - from), sizeof(real)));
    if (work.registers)
        fl_run_with(p, (const void *)&work, from, to, s);
    else
        s->status = FL_NO_MEMORY;
    fl_give_scratch(work.registers);
}

/* Where somebody may stop it, in stretches of whole blocks. */
static void fl_run_segment(const fl_pass *p, size_t from, size_t to, fl_segment *s) {
    size_t done = 0, most = p->watch->go_on ? FL_WATCHED_STRETCH : to - from;
    for (size_t at = from, n; at < to && s->status == FL_OK && !fl_is_stopped(p->watch); at += n) {
        n = to - at < most ? to - at : most;
        fl_run_stretch(p, at, at + n, s);
        if (fl_stops(p->watch, &done, n))
            s->status = FL_INTERRUPTED;
    }
    if (p->streams)
        fl_stream_end();
}

static int fl_n_threads(const fl_pointwise_call *c, size_t n_segments) {
    size_t enough = fl_cost_of(c) == FL_COST_CHEAP ? FL_PARALLEL_CHEAP : FL_PARALLEL_HEAVY;
    return fl_threads_needed(fl_threads_allowed(c->n_threads, c->n, enough), n_segments);
}

/* Everything, by segments, into one: their sums, or the first error. */
static void fl_run_segments(const fl_pass *p, const fl_pointwise_call *c, fl_segment *all) {
    fl_segment few[FL_FEW_SEGMENTS], *segments = few;
    const fl_plan plan = fl_plan_of(c->n, FL_BLOCK);
    const size_t n_segments = plan.n_segments;
    if (n_segments > FL_FEW_SEGMENTS)
        segments = fl_get_scratch(n_segments * sizeof *segments);
    if (!segments) {
        all->status = FL_NO_MEMORY;
        return;
    }
    for (size_t s = 0; s < n_segments; s++)
        segments[s] = (fl_segment){.status = FL_OK};
    int threads = fl_n_threads(c, n_segments);
    if (threads > 1) {
#pragma omp parallel for schedule(dynamic, fl_pieces_at_once(n_segments, threads)) num_threads(threads)
        for (size_t s = 0; s < n_segments; s++)
            fl_run_segment(p, fl_segment_start(&plan, s), fl_segment_start(&plan, s + 1), &segments[s]);
    } else {
        for (size_t s = 0; s < n_segments; s++)
            fl_run_segment(p, fl_segment_start(&plan, s), fl_segment_start(&plan, s + 1), &segments[s]);
    }
    for (size_t s = 0; s < n_segments; s++) {
        if (segments[s].status != FL_OK) {
            *all = segments[s];
            break;
        }
        fl_add_all(&all->total, segments[s].total);
        fl_add_all(&all->weight, segments[s].weight);
    }
    if (fl_is_stopped(p->watch))
        all->status = FL_INTERRUPTED;
    if (segments != few)
        fl_give_scratch(segments);
}

/* Runs a pass over everything and leaves its sums, or its first error, in the call. */
static fl_status fl_run(const fl_pass *p, fl_pointwise_call *c) {
    fl_segment all = {.status = FL_OK};
    if (c->n <= FL_BLOCK)
        fl_run_stretch(p, 0, c->n, &all);
    else
        fl_run_segments(p, c, &all);
    if (all.status != FL_OK) {
        c->bad_index = all.bad_index;
        c->bad_value = all.bad_value;
        return all.status;
    }
    c->total = fl_total(all.total);
    if (!p->shares)
        c->weight_sum = c->weight.data ? fl_total(all.weight) : (double)c->n;
    return FL_OK;
}

static const fl_domain *fl_unless_everything(const fl_domain *d) {
    return fl_is_everything(d) ? NULL : d;
}

static inline fl_pass fl_checking_pass(const fl_pointwise_call *c, const fl_shares *shares, fl_watch *watch) {
    return (fl_pass){
        .call = c,
        .target = fl_unless_everything(fl_target_domain(c)),
        .prediction = fl_unless_everything(fl_prediction_domain(c)),
        .checks_weight = !shares,
        .shares = shares,
        .watch = watch,
    };
}

/* Streaming pays for losses that memory bounds, when all that is touched does not fit into the last-level
 * cache anyway; written over the prediction, the lines are in cache already. */
static int fl_should_stream(const fl_pointwise_call *c) {
    if (!FL_HAS_STREAM || fl_cost_of(c) == FL_COST_HEAVY)
        return 0;
    size_t written = (c->value.data != NULL) + (c->gradient.data != NULL) + (c->hessian.data != NULL);
    size_t arrays = 2 + (c->weight.data != NULL) + written;
    if (!written || !fl_exceeds_cache(arrays * c->n * sizeof(real)))
        return 0;
    const void *z = c->prediction.data;
    return c->value.data != z && c->gradient.data != z && c->hessian.data != z;
}

/* The kernel that makes the outputs wanted; `sums` asks for one that adds the values up itself. */
static fl_block_fn fl_choose(const fl_pointwise_call *c, int sums) {
    int set = c->want_value ? (sums ? FL_S : FL_V) : FL_G;
    if (c->hessian.data)
        set = c->want_value ? (sums ? FL_SGH : FL_VGH) : FL_GH;
    else if (c->gradient.data)
        set = c->want_value ? (sums ? FL_SG : FL_VG) : FL_G;
    return c->kernel == FL_FORMULA ? FL_TABLE_NAME(fl_formulas_)[set]
                                   : fl_pointwise_blocks_table[c->kernel][set];
}

/* Runs a pass, and checks that a mean can be taken. */
static fl_status fl_run_checked(const fl_pass *p, fl_pointwise_call *c) {
    fl_status status = fl_run(p, c);
    return status == FL_OK && c->reduction == FL_REDUCE_MEAN && c->weight_sum == 0 ? FL_BAD_WEIGHT_SUM
                                                                                   : status;
}

static int fl_is_in_place(const fl_pointwise_call *c) {
    const void *z = c->prediction.data;
    return c->value.data == z || c->gradient.data == z || c->hessian.data == z;
}

/* What has to be known before the first result is written: that nothing on the way stops a pass that writes
 * over its input, and what the gradient of a weighted mean is divided by. */
static fl_status fl_run_before(fl_pass *p, fl_pointwise_call *c) {
    int in_place = fl_is_in_place(c), weighs = c->weight.data && !p->shares;
    int wants_sum = weighs && c->reduction == FL_REDUCE_MEAN && (c->gradient.data || c->hessian.data);
    int checks = in_place && (weighs || p->target || p->prediction);
    if (!p->shares)
        c->weight_sum = (double)c->n;
    if (!wants_sum && !checks)
        return FL_OK;
    fl_pass before = *p;
    if (!in_place)
        before.target = before.prediction = NULL;
    p->checks_weight = 0;
    return fl_run_checked(&before, c);
}

static fl_status fl_evaluate(fl_pointwise_call *c, const fl_shares *shares, fl_watch *watch) {
    fl_pass pass = fl_checking_pass(c, shares, watch);
    int is_mean = c->reduction == FL_REDUCE_MEAN;
    fl_status status = fl_run_before(&pass, c);
    if (status != FL_OK)
        return status;
    pass.scale = is_mean && !shares ? 1 / c->weight_sum : 1;
    pass.compute = fl_choose(c, 0);
    if (c->want_value && !c->value.data && !c->weight.data)
        pass.sum = fl_choose(c, 1);
    int rule = c->hessian.data ? fl_curvature_rule(c->kernel, c->curvature) : FL_RULE_exact;
    if (rule > FL_RULE_exact)
        pass.curve = fl_curvature_table[rule];
    pass.streams = fl_should_stream(c);
    pass.is_native = !pass.curve && !c->weight.data && !c->value.data && fl_is_native(&c->target) &&
                     fl_is_native(&c->prediction) && (!c->gradient.data || fl_is_native(&c->gradient)) &&
                     (!c->hessian.data || (c->gradient.data && fl_is_native(&c->hessian)));
    status = fl_run_checked(&pass, c);
    if (is_mean && !shares)
        c->total /= c->weight_sum;
    return status;
}

static fl_status fl_check(fl_pointwise_call *c, const fl_shares *shares, fl_watch *watch) {
    fl_pass pass = fl_checking_pass(c, shares, watch);
    return fl_run_checked(&pass, c);
}

/* The door: what is to be done, and done again where the weights are of unusual sizes. */
static fl_status fl_drive_pointwise(fl_pointwise_call *c, int only_checks) {
    fl_status (*run)(fl_pointwise_call *, const fl_shares *, fl_watch *) =
        only_checks ? fl_check : fl_evaluate;
    fl_watch own, *watch = fl_new_watch(&own, c->go_on, c->context, c->n);
    fl_shares shares = {&c->weight, 1, 1};
    fl_status status = run(c, NULL, watch);
    if (status != FL_AGAIN)
        return status;
    status = fl_prepare_shares(&shares, c->n, c->reduction == FL_REDUCE_MEAN, watch, &c->weight_sum,
                               &c->bad_index, &c->bad_value);
    return status == FL_OK ? run(c, &shares, watch) : status;
}

#endif
