/* Rankings of the columns within each row: hits among the first, discounted gains. */
#include "../pass/scratch.h"
#include "kinds.h"
#include "ranking.h"

#define FL_COUNT_AHEAD(NAME, TYPE)                                                                           \
    static size_t NAME(const TYPE *score, size_t n, size_t own) {                                            \
        TYPE limit = score[own];                                                                             \
        uint32_t ahead = 0;                                                                                  \
        for (size_t j = 0; j <= own; j++)                                                                    \
            ahead += score[j] > limit;                                                                       \
        for (size_t j = own + 1; j < n; j++)                                                                 \
            ahead += score[j] >= limit;                                                                      \
        return ahead;                                                                                        \
    }
FL_COUNT_AHEAD(fl_ahead_float, float)
FL_COUNT_AHEAD(fl_ahead_double, double)
FL_COUNT_AHEAD(fl_ahead_int64, int64_t)

void fl_is_among_top(const void *scores, fl_dtype dtype, const int64_t *column, size_t n, size_t n_columns,
                     size_t k, uint8_t *result) {
    for (size_t i = 0; i < n; i++) {
        size_t start = i * n_columns, own = (size_t)column[i], ahead;
        if (dtype == FL_FLOAT32)
            ahead = fl_ahead_float((const float *)scores + start, n_columns, own);
        else if (dtype == FL_FLOAT64)
            ahead = fl_ahead_double((const double *)scores + start, n_columns, own);
        else
            ahead = fl_ahead_int64((const int64_t *)scores + start, n_columns, own);
        result[i] = ahead < k;
    }
}

static uint64_t fl_key_of(const void *scores, fl_dtype dtype, size_t i) {
    if (dtype == FL_FLOAT32)
        return fl_key_of_double(((const float *)scores)[i]);
    if (dtype == FL_FLOAT64)
        return fl_key_of_double(((const double *)scores)[i]);
    return fl_key_of_int64(((const uint64_t *)scores)[i]);
}

/* The items of one row in order of their keys, both parts. `second` is where the second part begins. */
static double fl_row_gain(const fl_weighed *item, size_t first, size_t n, const double *discount,
                          int ignore_ties) {
    double sum = 0;
    for (size_t start = 0, end; start < n; start = end) {
        double gains = 0, discounts = 0;
        for (end = start; end < n; end++) {
            int is_tie = item[end].word >> 1 == item[start].word >> 1 && (end < first) == (start < first);
            if (end > start && (ignore_ties || !is_tie))
                break;
            gains += item[end].weight;
            discounts += discount[end];
        }
        sum += gains / (double)(end - start) * discounts;
    }
    return sum;
}

typedef struct {
    fl_weighed *items, *spare, *sorted;
    size_t *counts;
} fl_row_space;

static void fl_lay_out_row(size_t n_columns, fl_row_space *s, fl_layout *l) {
    size_t bytes = fl_times(n_columns, sizeof(fl_weighed));
    s->items = fl_take(l, bytes);
    s->spare = fl_take(l, bytes);
    s->sorted = fl_take(l, bytes);
    s->counts = fl_take(l, FL_DIGIT_COUNTS * sizeof *s->counts);
}

/* Of equal scores the last comes first if ties are ignored: rows are then read from their ends. */
static double fl_one_row(const double *gains, const void *scores, fl_dtype dtype, size_t row, size_t n,
                         const double *discount, int ignore_ties, fl_row_space *s) {
    size_t first = 0, second = n;
    for (size_t k = 0; k < n; k++) {
        size_t column = ignore_ties ? n - 1 - k : k, i = row * n + column;
        uint64_t key = fl_key_of(scores, dtype, i);
        size_t is_second = key >> 63;
        second -= is_second;
        s->items[is_second ? second : first] = (fl_weighed){key << 1, gains[i]};
        first += !is_second;
    }
    for (size_t low = first, high = n; low + 1 < high; low++) {
        fl_weighed item = s->items[low];
        s->items[low] = s->items[--high];
        s->items[high] = item;
    }
    fl_weighed *parts[2] = {
        fl_sort_weighed(s->items, s->spare, first, s->counts, &fl_no_watch),
        fl_sort_weighed(s->items + first, s->spare + first, n - first, s->counts, &fl_no_watch)};
    memcpy(s->sorted, parts[0], first * sizeof *s->sorted);
    memcpy(s->sorted + first, parts[1], (n - first) * sizeof *s->sorted);
    return fl_row_gain(s->sorted, first, n, discount, ignore_ties);
}

fl_status fl_discounted_gains(const double *gains, const void *scores, fl_dtype dtype, size_t n,
                              size_t n_columns, const double *discount, int ignore_ties, double *result) {
    fl_row_space s;
    fl_layout l = {.memory = NULL};
    fl_lay_out_row(n_columns, &s, &l);
    void *memory = fl_get_counted(&l);
    if (!memory)
        return FL_NO_MEMORY;
    fl_lay_out_row(n_columns, &s, &l);
    for (size_t row = 0; row < n; row++)
        result[row] = fl_one_row(gains, scores, dtype, row, n_columns, discount, ignore_ties, &s);
    fl_give_scratch(memory);
    return FL_OK;
}
