/* Counting: codes -> places in a table -> counts or sums of weights. */
#include "counting.h"

#include <string.h>

#include "../pass/scratch.h"
#include "../blocks/view.h"
#include "../pass/ops.h"
#include "../pass/watch.h"
#include "../sums/compensated.h"

enum {
    FL_SAMPLES = FL_BLOCK_BYTES / sizeof(double), /* taken at once */
    FL_SMALL = 256,                               /* cells: tables of one block stay in the first cache */
    FL_TABLES = 4                                 /* of which neighbours do not wait for one another */
};

#define FL_READ_CODES(TYPE)                                                                                  \
    for (size_t i = 0; i < n; i++) {                                                                         \
        TYPE code;                                                                                           \
        memcpy(&code, from + i * sizeof code, sizeof code);                                                  \
        to[i] = code < limit ? (size_t)code : 0;                                                             \
    }

static void fl_read_codes(const fl_array *a, size_t start, size_t n, uint64_t limit, size_t *to, char *raw) {
    size_t itemsize = fl_itemsize(a->dtype);
    const char *from = raw;
    if (fl_is_packed(a))
        from = (const char *)a->data + start * itemsize;
    else
        fl_walk_view(a, start, n, raw, 0);
    if (itemsize == 1) {
        FL_READ_CODES(uint8_t)
    } else if (itemsize == 2) {
        FL_READ_CODES(uint16_t)
    } else if (itemsize == 4) {
        FL_READ_CODES(uint32_t)
    } else {
        FL_READ_CODES(uint64_t)
    }
}

/* The places in the table of a block of pairs. */
static void fl_read_places(const fl_pair_count *c, size_t start, size_t n, size_t *place, char *raw) {
    size_t b[FL_SAMPLES];
    fl_read_codes(&c->a, start, n, c->n_a, place, raw);
    fl_read_codes(&c->b, start, n, c->n_b, b, raw);
    for (size_t i = 0; i < n; i++)
        place[i] = place[i] * c->n_b + b[i];
}

static void fl_count_block(fl_pair_count *c, size_t n_cells, const size_t *place, size_t n) {
    if (n_cells > FL_SMALL) {
        for (size_t i = 0; i < n; i++)
            c->counts[place[i]]++;
        return;
    }
    uint32_t tables[FL_TABLES][FL_SMALL];
    for (int t = 0; t < FL_TABLES; t++)
        memset(tables[t], 0, n_cells * sizeof **tables);
    size_t i = 0;
    for (; i + FL_TABLES <= n; i += FL_TABLES)
        for (int t = 0; t < FL_TABLES; t++)
            tables[t][place[i + (size_t)t]]++;
    for (; i < n; i++)
        tables[0][place[i]]++;
    for (size_t k = 0; k < n_cells; k++)
        for (int t = 0; t < FL_TABLES; t++)
            c->counts[k] += tables[t][k];
}

/* Sums of a block, where the table is small, are added to the others' as one number. */
static void fl_add_block(fl_compensated *total, size_t n_cells, const size_t *place, const double *w,
                         size_t n) {
    if (n_cells > FL_SMALL) {
        for (size_t i = 0; i < n; i++)
            fl_add(total + place[i], w[i]);
        return;
    }
    double sums[FL_SMALL];
    memset(sums, 0, n_cells * sizeof *sums);
    for (size_t i = 0; i < n; i++)
        sums[place[i]] += w[i];
    for (size_t k = 0; k < n_cells; k++)
        fl_add(total + k, sums[k]);
}

static void fl_add_integers(fl_pair_count *c, const size_t *place, size_t start, size_t n, char *raw) {
    fl_walk_view(&c->weight, start, n, raw, 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t w;
        memcpy(&w, raw + i * sizeof w, sizeof w);
        c->counts[place[i]] += w;
    }
}

fl_status fl_count_pairs(fl_pair_count *c) {
    size_t place[FL_SAMPLES], n_cells = c->n_a * c->n_b, done = 0;
    char raw[FL_RAW_BYTES];
    double block[FL_SAMPLES];
    fl_compensated *total = NULL;
    int is_integral = c->weight.data && (c->weight.dtype == FL_INT64 || c->weight.dtype == FL_UINT64);
    if (c->weight.data && !is_integral) {
        total = fl_get_scratch(fl_times(n_cells, sizeof *total));
        if (!total)
            return FL_NO_MEMORY;
        memset(total, 0, n_cells * sizeof *total);
    } else {
        memset(c->counts, 0, n_cells * sizeof *c->counts);
    }
    fl_watch own, *watch = fl_new_watch(&own, c->go_on, c->context, c->n);
    fl_status status = FL_OK;
    for (size_t start = 0; start < c->n && status == FL_OK; start += FL_SAMPLES) {
        size_t n = c->n - start < FL_SAMPLES ? c->n - start : FL_SAMPLES;
        fl_read_places(c, start, n, place, raw);
        if (total)
            fl_add_block(total, n_cells, place, fl_ops_for(0)->load(&c->weight, start, n, block, raw), n);
        else if (is_integral)
            fl_add_integers(c, place, start, n, raw);
        else
            fl_count_block(c, n_cells, place, n);
        if (fl_stops(watch, &done, n))
            status = FL_INTERRUPTED;
    }
    if (total) {
        for (size_t k = 0; k < n_cells; k++)
            c->sums[k] = fl_total(total[k]);
        fl_give_scratch(total);
    }
    return status;
}

/* NaN is above all edges, as NumPy has it. By halving: each step's outcome is a number, not a branch. */
static uint32_t fl_edges_below(double x, const double *edges, size_t n) {
    size_t low = 0;
    while (n > 0) {
        size_t half = (n + 1) / 2;
        low += x <= edges[low + half - 1] ? 0 : half;
        n -= half;
    }
    return (uint32_t)low;
}

enum { FL_FEW_EDGES = 32 };

fl_status fl_find_bins(const fl_array *x, size_t n, const double *edges, size_t n_edges, uint32_t *bins) {
    char raw[FL_RAW_BYTES];
    double block[FL_SAMPLES];
    for (size_t start = 0; start < n; start += FL_SAMPLES) {
        size_t m = n - start < FL_SAMPLES ? n - start : FL_SAMPLES;
        const double *from = fl_ops_for(0)->load(x, start, m, block, raw);
        uint32_t *to = bins + start;
        if (n_edges > FL_FEW_EDGES) {
            for (size_t i = 0; i < m; i++)
                to[i] = fl_edges_below(from[i], edges, n_edges);
            continue;
        }
        memset(to, 0, m * sizeof *to);
        for (size_t k = 0; k < n_edges; k++) {
            double edge = edges[k];
            for (size_t i = 0; i < m; i++)
                to[i] += !(from[i] <= edge);
        }
    }
    return FL_OK;
}
