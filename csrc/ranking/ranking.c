/* Ranking: load -> words -> sort -> groups of equal scores -> area, precision, curve. */
#include "ranking.h"

#include <math.h>

#include "../pass/scratch.h"
#include "../blocks/view.h"
#include "../pass/ops.h"
#include "../evaluation/pairs.h"
#include "../sums/compensated.h"
#include "kinds.h"

enum { FL_WORDS32, FL_WORDS64, FL_WEIGHED };
enum { FL_SAMPLES = FL_BLOCK_BYTES / sizeof(double) }; /* loaded at once */

static size_t fl_item_bytes(int kind) {
    static const size_t bytes[] = {sizeof(uint32_t), sizeof(uint64_t), sizeof(fl_weighed)};
    return bytes[kind];
}

/* A block of scores as keys; whether all are finite. */
static int fl_load_keys(const fl_array *a, size_t start, size_t n, int kind, uint64_t *key, double *block,
                        char *raw) {
    if (a->dtype == FL_INT64 || a->dtype == FL_UINT64) {
        uint64_t flip = a->dtype == FL_UINT64 ? FL_TOP64 : 0;
        fl_walk_view(a, start, n, (char *)key, 0);
        for (size_t i = 0; i < n; i++)
            key[i] = fl_key_of_int64(key[i] ^ flip);
        return 1;
    }
    /* Of a finite number this is 0, otherwise NaN, which stays. */
    double check = 0;
    const double *x = fl_ops_for(0)->load(a, start, n, block, raw);
    if (kind == FL_WORDS32)
        for (size_t i = 0; i < n; i++) {
            check += x[i] * 0;
            key[i] = (uint64_t)fl_key_of_float((float)x[i]) << 32;
        }
    else
        for (size_t i = 0; i < n; i++) {
            check += x[i] * 0;
            key[i] = fl_key_of_double(x[i]);
        }
    return check == 0;
}

/* Where the next words go: those of the first part from the front, those of the second from the back, put in
 * their order afterwards. */
typedef struct {
    size_t first, second;
} fl_ends;

static size_t fl_next_place(fl_ends *ends, uint64_t key) {
    size_t is_second = key >> 63;
    ends->second -= is_second;
    size_t at = is_second ? ends->second : ends->first;
    ends->first += !is_second;
    return at;
}

static void fl_write_words32(uint32_t *to, const uint64_t *key, const uint8_t *positive, size_t n,
                             fl_ends *ends) {
    for (size_t i = 0; i < n; i++)
        to[fl_next_place(ends, key[i])] = (uint32_t)(key[i] >> 31) | (positive[i] & 1);
}

static void fl_write_words64(uint64_t *to, const uint64_t *key, const uint8_t *positive, size_t n,
                             fl_ends *ends) {
    for (size_t i = 0; i < n; i++)
        to[fl_next_place(ends, key[i])] = key[i] << 1 | (positive[i] & 1);
}

/* Without the samples of weight 0. Whether all weights are finite. */
static int fl_write_weighed(fl_weighed *to, const uint64_t *key, const uint8_t *positive, const double *w,
                            size_t n, fl_ends *ends, int *has_negative) {
    double check = 0;
    for (size_t i = 0; i < n; i++) {
        check += w[i] * 0;
        *has_negative |= w[i] < 0;
        if (w[i] != 0)
            to[fl_next_place(ends, key[i])] = (fl_weighed){key[i] << 1 | (positive[i] & 1), w[i]};
    }
    return check == 0;
}

static fl_status fl_write_items(fl_ordering *r, void *items, fl_watch *watch) {
    uint64_t key[FL_SAMPLES];
    double block[FL_SAMPLES], weights[FL_SAMPLES];
    char raw[FL_RAW_BYTES];
    size_t done = 0;
    fl_ends ends = {0, r->n};
    for (size_t start = 0; start < r->n; start += FL_SAMPLES) {
        size_t n = r->n - start < FL_SAMPLES ? r->n - start : FL_SAMPLES;
        const uint8_t *positive = r->positive + start;
        if (!fl_load_keys(&r->score, start, n, r->kind, key, block, raw))
            return FL_BAD_PREDICTION;
        if (r->kind == FL_WORDS32)
            fl_write_words32(items, key, positive, n, &ends);
        else if (r->kind == FL_WORDS64)
            fl_write_words64(items, key, positive, n, &ends);
        else if (!fl_write_weighed(items, key, positive,
                                   fl_ops_for(0)->load(&r->weight, start, n, weights, raw), n, &ends,
                                   &r->has_negative_weights))
            return FL_BAD_WEIGHT;
        if (fl_stops(watch, &done, n))
            return FL_INTERRUPTED;
    }
    r->n_part[0] = ends.first;
    r->n_part[1] = r->n - ends.second;
    return FL_OK;
}

/* Samples of one score in the order that they came, in which their weights are added; without weights it does not
 * matter. */
static void fl_reverse(fl_weighed *items, size_t n) {
    for (size_t low = 0, high = n; low + 1 < high; low++) {
        fl_weighed item = items[low];
        items[low] = items[--high];
        items[high] = item;
    }
}

static void fl_next_groups(const fl_ordering *r, int part, fl_groups *g) {
    if (r->kind == FL_WORDS32)
        fl_read_groups_words32(r->part[part], r->n_part[part], g);
    else if (r->kind == FL_WORDS64)
        fl_read_groups_words64(r->part[part], r->n_part[part], g);
    else
        fl_read_groups_weighed(r->part[part], r->n_part[part], g);
}

static fl_groups fl_no_groups(void) {
    fl_groups g;
    g.at = g.n = 0;
    g.negative_so_far = g.positive_so_far = 0;
    return g;
}

/* Goes through all groups: `g.n` is 0 after the last. */
static int fl_advance(const fl_ordering *r, int *part, fl_groups *g) {
    fl_next_groups(r, *part, g);
    if (g->n == 0 && *part == 0) {
        *part = 1;
        g->at = 0;
        fl_next_groups(r, *part, g);
    }
    return g->n > 0;
}

static int fl_sort_part(fl_ordering *r, int part, char *items, char *spare, size_t *counts, fl_watch *watch) {
    size_t n = r->n_part[part];
    if (r->kind == FL_WORDS32)
        r->part[part] = fl_sort_words32((uint32_t *)items, (uint32_t *)spare, n, counts, watch);
    else if (r->kind == FL_WORDS64)
        r->part[part] = fl_sort_words64((uint64_t *)items, (uint64_t *)spare, n, counts, watch);
    else
        r->part[part] = fl_sort_weighed((fl_weighed *)items, (fl_weighed *)spare, n, counts, watch);
    return r->part[part] != NULL;
}

static int fl_kind_of(const fl_ordering *r) {
    return r->weight.data ? FL_WEIGHED : r->score.dtype == FL_FLOAT32 ? FL_WORDS32 : FL_WORDS64;
}

static void fl_lay_out(const fl_ordering *r, fl_layout *l, void **items, void **spare, void **counts) {
    *items = fl_take(l, fl_times(r->n, fl_item_bytes(fl_kind_of(r))));
    *spare = fl_take(l, fl_times(r->n, fl_item_bytes(fl_kind_of(r))));
    *counts = fl_take(l, FL_DIGIT_COUNTS * sizeof(size_t));
}

size_t fl_ordering_bytes(const fl_ordering *r) {
    fl_layout l = {.memory = NULL};
    void *items, *spare, *counts;
    fl_lay_out(r, &l, &items, &spare, &counts);
    return l.bytes;
}

fl_status fl_rank(fl_ordering *r, void *memory) {
    r->has_negative_weights = 0;
    r->n_part[0] = r->n_part[1] = 0;
    r->kind = fl_kind_of(r);
    if (r->n > FL_MOST_ELEMENTS)
        return FL_TOO_LARGE;
    if (!memory)
        return FL_NO_MEMORY;
    fl_layout l = {.memory = memory, .counted = fl_ordering_bytes(r)};
    void *items, *spare, *counts;
    fl_lay_out(r, &l, &items, &spare, &counts);
    fl_watch own, *watch = fl_new_watch(&own, r->go_on, r->context, r->n);
    fl_status status = fl_write_items(r, items, watch);
    size_t bytes = fl_item_bytes(r->kind), second = r->n - r->n_part[1];
    if (status == FL_OK) {
        if (r->kind == FL_WEIGHED)
            fl_reverse((fl_weighed *)items + second, r->n_part[1]);
        if (!fl_sort_part(r, 0, items, spare, counts, watch) ||
            !fl_sort_part(r, 1, (char *)items + second * bytes, (char *)spare + second * bytes, counts,
                          watch))
            status = FL_INTERRUPTED;
    }
    return status;
}

double fl_ordering_auc(const fl_ordering *r) {
    fl_compensated twice = {0, 0};
    fl_groups g = fl_no_groups();
    double negative = 0, positive = 0;
    for (int part = 0; fl_advance(r, &part, &g);)
        for (size_t k = 0; k < g.n; k++) {
            /* Each negative sample of the group has the positive ones before it above, and half of its own.
             */
            fl_add(&twice, (g.negative[k] - negative) * (positive + g.positive[k]));
            negative = g.negative[k];
            positive = g.positive[k];
        }
    return fl_total(twice) / (2 * positive * negative);
}

static size_t fl_next_ends(const fl_ordering *r, int part, size_t *at, uint32_t *ends, uint32_t *positive) {
    if (r->kind == FL_WORDS32)
        return fl_read_ends_words32(r->part[part], at, r->n_part[part], ends, positive);
    return fl_read_ends_words64(r->part[part], at, r->n_part[part], ends, positive);
}

static size_t fl_count_positive(const fl_ordering *r, int part) {
    return r->kind == FL_WORDS32 ? fl_count_positive_words32(r->part[part], r->n_part[part])
                                 : fl_count_positive_words64(r->part[part], r->n_part[part]);
}

void fl_summarise_ordering(const fl_ordering *r, fl_ranking_summary *to) {
    const fl_evaluation_ops *ops = fl_ops_for(0)->evaluation;
    uint32_t ends[FL_GROUPS + FL_RUN_LANES], positive[FL_GROUPS + FL_RUN_LANES];
    size_t positives = fl_count_positive(r, 0) + fl_count_positive(r, 1);
    const double all[] = {(double)(r->n - positives), (double)positives};
    fl_pairs c = {{0, 0}, 0, 0, {{0, 0, 0}, {0, 0, 0}}};
    fl_order o = fl_no_order(all, 1);
    ends[0] = positive[0] = 0;
    for (int part = 0; part < 2; part++)
        for (size_t at = 0; at < r->n_part[part];) {
            const double above[] = {(double)c.rows[0], (double)c.rows[1]};
            fl_run_moments m;
            fl_order_moments in_order;
            size_t n = fl_next_ends(r, part, &at, ends + 1, positive + 1);
            for (size_t k = n + 1; k < n + FL_RUN_LANES; k++) {
                ends[k] = ends[n];
                positive[k] = positive[n];
            }
            ops->count_groups(ends, positive, n, &m);
            fl_count_pairs_of(&c, &m);
            ops->order_groups(ends, positive, n, above, all, &in_order);
            fl_add_order(&o, &in_order);
        }
    fl_summarise_pairs(&c, to);
    to->auc_margin = 0;
    if (all[0] > 0 && all[1] > 0)
        fl_summarise_order(&o, to);
    to->precision_margin = to->ks_margin = 0; /* nothing has another order */
}

double fl_ordering_average_precision(const fl_ordering *r) {
    fl_compensated sum = {0, 0};
    fl_groups g = fl_no_groups();
    double positive = 0;
    for (int part = 0; fl_advance(r, &part, &g);)
        for (size_t k = 0; k < g.n; k++) {
            double all = g.positive[k] + g.negative[k];
            fl_add(&sum, all != 0 ? (g.positive[k] - positive) * (g.positive[k] / all) : 0);
            positive = g.positive[k];
        }
    return positive != 0 ? fl_total(sum) / positive : 0;
}

static void fl_write_threshold(const fl_ordering *r, int part, uint64_t key, size_t i, void *threshold) {
    if (r->kind == FL_WORDS32) {
        ((float *)threshold)[i] = fl_float_of_key((uint32_t)key | (part ? FL_TOP32 : 0));
        return;
    }
    key |= part ? FL_TOP64 : 0;
    if (r->score.dtype == FL_INT64 || r->score.dtype == FL_UINT64)
        ((uint64_t *)threshold)[i] = fl_key_of_int64(key) ^ (r->score.dtype == FL_UINT64 ? FL_TOP64 : 0);
    else if (r->score.dtype == FL_FLOAT32)
        ((float *)threshold)[i] = (float)fl_double_of_key(key);
    else
        ((double *)threshold)[i] = fl_double_of_key(key);
}

size_t fl_ordering_n_thresholds(const fl_ordering *r) {
    fl_groups g = fl_no_groups();
    size_t n = 0;
    for (int part = 0; fl_advance(r, &part, &g);)
        n += g.n;
    return n;
}

void fl_ordering_curve(const fl_ordering *r, double *negative, double *positive, void *threshold) {
    fl_groups g = fl_no_groups();
    size_t at = 0;
    for (int part = 0; fl_advance(r, &part, &g); at += g.n) {
        memcpy(negative + at, g.negative, g.n * sizeof *negative);
        memcpy(positive + at, g.positive, g.n * sizeof *positive);
        for (size_t k = 0; k < g.n; k++)
            fl_write_threshold(r, part, g.key[k], at + k, threshold);
    }
}
