/* The loops along rows, for rows of many classes.
 *
 * A chunk of classes becomes terms, which are added up in vectors of FL_ALONG_LANES classes: four of them,
 * then a few of those sums, then the lanes; and the chunks of a row are merged as a binary tree. So few
 * additions lie between a term and the sum, and their order depends on nothing but the number of classes.
 * What is left of a row after whole vectors is copied to vectors of its own, filled up with its last class,
 * whose terms are not counted.
 *
 * The next chunk is scanned before the terms of this one are computed, so that neither waits for the other.
 */
#ifndef FL_ROWS_ALONG_H
#define FL_ROWS_ALONG_H

#include "state.h"

enum {
    FL_ALONG_LANES = 64 / sizeof(real),
    FL_ALONG_GROUP = 4 * FL_ALONG_LANES, /* classes whose terms are added to each other first */
    /* Partial sums of a chunk: one of each group, of the up to three vectors after them, and of the rest; and
     * zeros up to a multiple of four. */
    FL_ALONG_PARTS = FL_ROW_CHUNK / FL_ALONG_GROUP + 4
};

/* One chunk's part of all matrices, classes from `start` on. */
typedef struct {
    size_t row, chunk, start, n;
    const real *z, *y, *own, *base;
    real *g, *h;
} fl_row_chunk;

/* The n mod FL_ALONG_LANES classes at a chunk's end. */
typedef struct {
    _Alignas(64) real z[FL_ALONG_LANES], y[FL_ALONG_LANES], own[FL_ALONG_LANES], base[FL_ALONG_LANES];
} fl_row_tail;

FL_INLINE size_t fl_chunks_of_row(const fl_row_tile *t) {
    return (t->n_classes + FL_ROW_CHUNK - 1) / FL_ROW_CHUNK;
}

FL_INLINE real *fl_chunk_line(fl_row_matrix m, size_t row, size_t start) {
    return m.data ? (real *)m.data + (ptrdiff_t)row * m.stride + start : NULL;
}

FL_INLINE fl_row_chunk fl_chunk_at(const fl_row_tile *t, size_t row, size_t chunk, int form) {
    int spreads = form == FL_SMOOTHED || form == FL_DENSE_WEIGHTED;
    size_t start = chunk * FL_ROW_CHUNK, left = t->n_classes - start;
    return (fl_row_chunk){row,
                          chunk,
                          start,
                          left < FL_ROW_CHUNK ? left : FL_ROW_CHUNK,
                          fl_chunk_line(t->prediction, row, start),
                          fl_has_matrix(form) ? fl_chunk_line(t->target, row, start) : NULL,
                          spreads ? (const real *)t->options->own + start : NULL,
                          spreads ? (const real *)t->options->base + start : NULL,
                          fl_chunk_line(t->gradient, row, start),
                          fl_chunk_line(t->hessian, row, start)};
}

FL_INLINE fl_row_chunk fl_chunk_after(const fl_row_tile *t, fl_row_chunk c, size_t n_chunks, int form) {
    int ends = c.chunk + 1 == n_chunks;
    return fl_chunk_at(t, c.row + (size_t)ends, ends ? 0 : c.chunk + 1, form);
}

/* Numbers from .. n of a chunk, then its last one. */
FL_INLINE void fl_fill_tail(const real *x, size_t from, size_t n, real *tail) {
    real_int left = (real_int)(n - from);
    const real *rest = x + from, last = x[n - 1];
#pragma omp simd
    for (real_int j = 0; j < FL_ALONG_LANES; j++)
        tail[j] = j < left ? rest[j] : last;
}

FL_INLINE void fl_put_tail(const real *tail, size_t n, real *to) {
    real_int left = (real_int)n;
#pragma omp simd
    for (real_int j = 0; j < FL_ALONG_LANES; j++)
        if (j < left)
            to[j] = tail[j];
}

FL_INLINE void fl_tail_of(fl_row_chunk c, const real *x, int form, fl_row_tail *tail) {
    size_t from = c.n & ~(size_t)(FL_ALONG_LANES - 1);
    fl_fill_tail(x, from, c.n, tail->z);
    if (fl_has_matrix(form))
        fl_fill_tail(c.y, from, c.n, tail->y);
    if (form == FL_SMOOTHED || form == FL_DENSE_WEIGHTED) {
        fl_fill_tail(c.own, from, c.n, tail->own);
        fl_fill_tail(c.base, from, c.n, tail->base);
    }
}

#define FL_LARGER(x, y) ((x) > (y) ? (x) : (y))
#define FL_SUM(x, y) ((x) + (y))
/* to[j] = OF(from[j], from[j + width]): as a loop for the vectoriser, since unrolled it becomes scalars. */
#define FL_HALVE(OF, width, to, from)                                                                        \
    _Pragma("omp simd") for (int j = 0; j < (width); j++) to[j] = OF(from[j], from[j + (width)]);
/* One number from those of a vector. */
#if FL_PRECISION == 32
#define FL_REDUCE_LINE(OF, line)                                                                             \
    _Alignas(64) real halves[8], quarters[4];                                                                \
    FL_HALVE(OF, 8, halves, line)                                                                            \
    FL_HALVE(OF, 4, quarters, halves)                                                                        \
    return OF(OF(quarters[0], quarters[2]), OF(quarters[1], quarters[3]));
#else
#define FL_REDUCE_LINE(OF, line)                                                                             \
    _Alignas(64) real quarters[4];                                                                           \
    FL_HALVE(OF, 4, quarters, line)                                                                          \
    return OF(OF(quarters[0], quarters[2]), OF(quarters[1], quarters[3]));
#endif

FL_INLINE real fl_largest_of_line(const real *line){FL_REDUCE_LINE(FL_LARGER, line)}

FL_INLINE real fl_sum_of_line(const real *line){FL_REDUCE_LINE(FL_SUM, line)}

/* The sum of vectors of partial sums, followed by zeros up to a multiple of four of them. */
FL_INLINE real fl_sum_parts(const real *parts, size_t n_parts) {
    _Alignas(64) real s[FL_ALONG_GROUP], pairs[2 * FL_ALONG_LANES], line[FL_ALONG_LANES];
    memcpy(s, parts, sizeof s);
    for (size_t p = 4; p < n_parts; p += 4)
        for (size_t j = 0; j < FL_ALONG_GROUP; j++)
            s[j] += parts[p * FL_ALONG_LANES + j];
    FL_HALVE(FL_SUM, 2 * FL_ALONG_LANES, pairs, s)
    FL_HALVE(FL_SUM, FL_ALONG_LANES, line, pairs)
    return fl_sum_of_line(line);
}

/* What that sum is off by. */
FL_INLINE real fl_error_of_parts(const real *parts, size_t n_parts) {
    _Alignas(64) real s[FL_ALONG_GROUP], error[FL_ALONG_GROUP] = {0};
    memcpy(s, parts, sizeof s);
    for (size_t p = 4; p < n_parts; p += 4) {
#pragma omp simd
        for (size_t j = 0; j < FL_ALONG_GROUP; j++) {
            fl_pair sum = fl_two_sum(s[j], parts[p * FL_ALONG_LANES + j]);
            s[j] = sum.hi;
            error[j] += sum.lo;
        }
    }
    for (size_t width = FL_ALONG_GROUP / 2; width > 0; width /= 2) {
#pragma omp simd
        for (size_t j = 0; j < width; j++) {
            fl_pair sum = fl_two_sum(s[j], s[j + width]);
            s[j] = sum.hi;
            error[j] = (error[j] + error[j + width]) + sum.lo;
        }
    }
    return error[0];
}

/* Where a class's rows are next to each other, in lines that are turned for a block of rows: spread over the
 * computation of one block, fetches the next one's. `done` of the block's entries are computed, `now` by now.
 */
FL_INLINE void fl_fetch_turned(fl_row_ahead next, int block_shift, size_t done, size_t now,
                               const int for_writing) {
    for (size_t k = done >> block_shift; k < now >> block_shift; k++) {
        const char *line = next.data + (ptrdiff_t)k * next.step;
        for (size_t i = 0; i < (sizeof(real) << block_shift) + 48; i += 64) {
            fl_fetch_line(line + i, for_writing);
        }
    }
}

/* Of the four lines of a group that lie a chunk ahead. What is scanned a chunk ahead has to be fetched by
 * then. */
FL_INLINE void fl_fetch_group(const real *from, const int for_writing) {
    for (size_t i = 0; i < FL_ALONG_GROUP; i += FL_ALONG_LANES)
        fl_fetch_line(from + FL_ROW_CHUNK + i, for_writing);
}

/* Class i of the chunk scanned in lane j. */
#define FL_ALONG_SCAN_STEP(name, entry, tops, poisons)                                                       \
    fl_row lane = row;                                                                                       \
    lane.poison = poisons[j];                                                                                \
    fl_row_scan found = name##_scan(entry, lane);                                                            \
    tops[j] = found.candidate > tops[j] ? found.candidate : tops[j];                                         \
    poisons[j] = found.poison;

/* The term of a class, kept in place of it if it is needed again. */
#define FL_ALONG_TERM(name, t, i)                                                                            \
    fl_row_term t = name##_term(FL_ENTRY(z[i], y[i], i), row, o);                                            \
    if (stores)                                                                                              \
        g[i] = t.kept;                                                                                       \
    if (adds & FL_FINDS_FIRST)                                                                               \
        first[j] = t.first < first[j] ? t.first : first[j];

#define FL_ALONG_PUT(value_of)                                                                               \
    if (adds & FL_ADDS_A)                                                                                    \
        a[part * FL_ALONG_LANES + j] = value_of(a);                                                          \
    if (adds & FL_ADDS_B)                                                                                    \
        b[part * FL_ALONG_LANES + j] = value_of(b);                                                          \
    if (adds & FL_ADDS_C)                                                                                    \
        c[part * FL_ALONG_LANES + j] = value_of(c);                                                          \
    if (adds & FL_ADDS_D)                                                                                    \
        d[part * FL_ALONG_LANES + j] = value_of(d);
#define FL_ALONG_OF_GROUP(sum) ((t0.sum + t1.sum) + (t2.sum + t3.sum))
#define FL_ALONG_OF_VECTOR(sum) (t0.sum)
#define FL_ALONG_OF_TAIL(sum) ((real_int)j < (real_int)left ? t0.sum : 0)
#define FL_ALONG_ZERO(sum) 0

#define FL_DEFINE_ALONG(name, kind, checks_sum)                                                              \
    /* The row as it is known before the terms of a chunk: labels counted from the chunk's start. */         \
    FL_INLINE fl_row fl_##name##_scan_chunk(const fl_row_tile *tile, fl_row_chunk chunk, const int form) {   \
        fl_row_state *s = tile->state;                                                                       \
        fl_row row = fl_row_get(s, chunk.row);                                                               \
        const real *z = chunk.z, *y = chunk.y, *own = chunk.own, *base = chunk.base;                         \
        const size_t n = chunk.n, whole = n & ~(size_t)(FL_ALONG_GROUP - 1);                                 \
        const size_t vectors = n & ~(size_t)(FL_ALONG_LANES - 1);                                            \
        if (fl_has_labels(form)) {                                                                           \
            row.label -= (real_int)chunk.start;                                                              \
            if (row.label >= 0 && (size_t)row.label < n)                                                     \
                s->own[chunk.row] = z[row.label];                                                            \
            if (!FL_KEEPS_##kind && row.label + (real_int)chunk.start >= 0)                                  \
                row.own = z[row.label];                                                                      \
        }                                                                                                    \
        if (!FL_SCANS_##kind)                                                                                \
            return name##_prepare(row);                                                                      \
        _Alignas(64) real best[FL_ALONG_GROUP], poison[FL_ALONG_GROUP];                                      \
        for (size_t j = 0; j < FL_ALONG_GROUP; j++) {                                                        \
            best[j] = -FL_INFINITY;                                                                          \
            poison[j] = 0;                                                                                   \
        }                                                                                                    \
        for (size_t at = 0; at < whole; at += FL_ALONG_GROUP) {                                              \
            for (size_t j = 0; j < FL_ALONG_GROUP; j++) {                                                    \
                FL_ALONG_SCAN_STEP(name, FL_ENTRY_AT(z[at + j], y[at + j], 0, at + j), best, poison)         \
            }                                                                                                \
        }                                                                                                    \
        _Alignas(64) real pair[2 * FL_ALONG_LANES], line[FL_ALONG_LANES], line_poison[FL_ALONG_LANES];       \
        FL_HALVE(FL_LARGER, 2 * FL_ALONG_LANES, pair, best)                                                  \
        FL_HALVE(FL_LARGER, FL_ALONG_LANES, line, pair)                                                      \
        FL_HALVE(FL_SUM, 2 * FL_ALONG_LANES, pair, poison)                                                   \
        FL_HALVE(FL_SUM, FL_ALONG_LANES, line_poison, pair)                                                  \
        for (size_t at = whole; at < vectors; at += FL_ALONG_LANES) {                                        \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                FL_ALONG_SCAN_STEP(name, FL_ENTRY_AT(z[at + j], y[at + j], 0, at + j), line, line_poison)    \
            }                                                                                                \
        }                                                                                                    \
        if (vectors < n) {                                                                                   \
            fl_row_tail tail;                                                                                \
            fl_tail_of(chunk, chunk.z, form, &tail);                                                         \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                size_t k = vectors + j < n ? vectors + j : n - 1;                                            \
                FL_ALONG_SCAN_STEP(name, FL_ENTRY_AT(tail.z[j], tail.y[j], 0, k), line, line_poison)         \
            }                                                                                                \
        }                                                                                                    \
        row.reference = fl_largest_of_line(line);                                                            \
        row.poison = fl_sum_of_line(line_poison);                                                            \
        return name##_prepare(row);                                                                          \
    }                                                                                                        \
    FL_INLINE void fl_##name##_add_chunk(const fl_row_tile *tile, fl_row_chunk chunk, fl_row row,            \
                                         const fl_row_setting o, const int stores) {                         \
        const int form = o.form, adds = name##_adds(o);                                                      \
        const real *z = chunk.z, *y = chunk.y, *own = chunk.own, *base = chunk.base;                         \
        real *g = chunk.g;                                                                                   \
        const size_t n = chunk.n, whole = n & ~(size_t)(FL_ALONG_GROUP - 1);                                 \
        const size_t vectors = n & ~(size_t)(FL_ALONG_LANES - 1), left = n - vectors;                        \
        /* The true class is left out of the loop, and its slopes and its sum are put right afterwards. */   \
        const int patches = FL_KEEPS_##kind && form == FL_BY_LABEL && !(adds & FL_ADDS_C);                   \
        const real_int label = row.label;                                                                    \
        row.label = patches ? -1 : label;                                                                    \
        _Alignas(64) real a[FL_ALONG_PARTS * FL_ALONG_LANES], b[FL_ALONG_PARTS * FL_ALONG_LANES],            \
            c[FL_ALONG_PARTS * FL_ALONG_LANES], d[FL_ALONG_PARTS * FL_ALONG_LANES];                          \
        _Alignas(64) real_int first[FL_ALONG_LANES];                                                         \
        for (size_t j = 0; j < FL_ALONG_LANES; j++)                                                          \
            first[j] = FL_NOT_FOUND;                                                                         \
        const int fetches = tile->block_shift > 0;                                                           \
        size_t part = 0;                                                                                     \
        for (size_t at = 0; at < whole; at += FL_ALONG_GROUP, part++) {                                      \
            fl_fetch_group(z + at + FL_ROW_CHUNK, 0);                                                        \
            if (fetches) {                                                                                   \
                size_t done = (tile->block_row + chunk.row) * tile->n_classes + chunk.start + at;            \
                size_t now = done + (at + FL_ALONG_GROUP < whole ? FL_ALONG_GROUP : n - at);                 \
                if (tile->next_prediction.data)                                                              \
                    fl_fetch_turned(tile->next_prediction, tile->block_shift, done, now, 0);                 \
                if (tile->next_gradient.data)                                                                \
                    fl_fetch_turned(tile->next_gradient, tile->block_shift, done, now, 1);                   \
            }                                                                                                \
            if (fl_has_matrix(form))                                                                         \
                fl_fetch_group(y + at, 0);                                                                   \
            if (stores)                                                                                      \
                fl_fetch_group(g + at, 1);                                                                   \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                FL_ALONG_TERM(name, t0, at + j)                                                              \
                FL_ALONG_TERM(name, t1, at + FL_ALONG_LANES + j)                                             \
                FL_ALONG_TERM(name, t2, at + 2 * FL_ALONG_LANES + j)                                         \
                FL_ALONG_TERM(name, t3, at + 3 * FL_ALONG_LANES + j)                                         \
                if (adds & FL_COMPENSATES_A)                                                                 \
                    t0.c += fl_error_of_sum(t0.a, t1.a, t2.a, t3.a);                                         \
                FL_ALONG_PUT(FL_ALONG_OF_GROUP)                                                              \
            }                                                                                                \
        }                                                                                                    \
        for (size_t at = whole; at < vectors; at += FL_ALONG_LANES, part++) {                                \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                FL_ALONG_TERM(name, t0, at + j)                                                              \
                FL_ALONG_PUT(FL_ALONG_OF_VECTOR)                                                             \
            }                                                                                                \
        }                                                                                                    \
        if (left) {                                                                                          \
            fl_row_tail tail;                                                                                \
            _Alignas(64) real kept[FL_ALONG_LANES];                                                          \
            fl_tail_of(chunk, chunk.z, form, &tail);                                                         \
            own = tail.own;                                                                                  \
            base = tail.base;                                                                                \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                fl_row_term t0 = name##_term(FL_ENTRY_AT(tail.z[j], tail.y[j], j, vectors + j), row, o);     \
                kept[j] = t0.kept;                                                                           \
                if (adds & FL_FINDS_FIRST) {                                                                 \
                    real_int found = (real_int)j < (real_int)left ? t0.first : FL_NOT_FOUND;                 \
                    first[j] = found < first[j] ? found : first[j];                                          \
                }                                                                                            \
                FL_ALONG_PUT(FL_ALONG_OF_TAIL)                                                               \
            }                                                                                                \
            if (stores)                                                                                      \
                fl_put_tail(kept, left, g + vectors);                                                        \
            part++;                                                                                          \
        }                                                                                                    \
        for (; part % 4; part++)                                                                             \
            for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                                    \
                FL_ALONG_PUT(FL_ALONG_ZERO)                                                                  \
            }                                                                                                \
        if (patches && label >= 0 && (size_t)label < n) {                                                    \
            size_t at = (size_t)label, lane = at % FL_ALONG_LANES, group = at / FL_ALONG_GROUP;              \
            if (at < whole) {                                                                                \
                _Alignas(64) real near[4], others[4];                                                        \
                for (size_t j = 0; j < 4; j++)                                                               \
                    near[j] = (stores ? g : z)[group * FL_ALONG_GROUP + j * FL_ALONG_LANES + lane];          \
                _Pragma("omp simd") for (int j = 0; j < 4; j++) {                                            \
                    real kept = stores ? near[j] : name##_term(FL_ENTRY_AT(near[j], 0, 0, 0), row, o).kept;  \
                    others[j] = j == (int)(at % FL_ALONG_GROUP / FL_ALONG_LANES) ? 0 : kept;                 \
                }                                                                                            \
                a[group * FL_ALONG_LANES + lane] = (others[0] + others[1]) + (others[2] + others[3]);        \
            } else {                                                                                         \
                a[(whole / FL_ALONG_GROUP + (at - whole) / FL_ALONG_LANES) * FL_ALONG_LANES + lane] = 0;     \
            }                                                                                                \
        }                                                                                                    \
        row.label = label + (real_int)chunk.start;                                                           \
        row.a = adds & FL_ADDS_A ? fl_sum_parts(a, part) : 0;                                                \
        row.b = adds & FL_ADDS_B ? fl_sum_parts(b, part) : 0;                                                \
        row.c = adds & FL_ADDS_C ? fl_sum_parts(c, part) : 0;                                                \
        if (adds & FL_COMPENSATES_A)                                                                         \
            row.c += fl_error_of_parts(a, part);                                                             \
        row.d = adds & FL_ADDS_D ? fl_sum_parts(d, part) : 0;                                                \
        row.first = FL_NOT_FOUND;                                                                            \
        for (size_t j = 0; j < FL_ALONG_LANES && adds & FL_FINDS_FIRST; j++)                                 \
            row.first = first[j] < row.first ? first[j] : row.first;                                         \
        row.first += row.first == FL_NOT_FOUND ? 0 : (real_int)chunk.start;                                  \
        ((fl_row *)tile->partial)[chunk.row * fl_chunks_of_row(tile) + chunk.chunk] = name##_close(row, o);  \
    }                                                                                                        \
    FL_INLINE void fl_##name##_gather(const fl_row_tile *tile, size_t from, size_t to, const int form,       \
                                      const int want_gradient, const int want_hessian) {                     \
        const fl_row_setting o = fl_setting_of(tile, form, 0, want_hessian);                                 \
        const size_t n_chunks = fl_chunks_of_row(tile);                                                      \
        fl_row_chunk chunk, next = fl_chunk_at(tile, from / n_chunks, from % n_chunks, form);                \
        fl_row row = {0}, next_row = {0};                                                                    \
        for (size_t i = from; i <= to; i++) {                                                                \
            if (i < to)                                                                                      \
                next_row = fl_##name##_scan_chunk(tile, next, form);                                         \
            if (i > from)                                                                                    \
                fl_##name##_add_chunk(tile, chunk, row, o, want_gradient && FL_KEEPS_##kind);                \
            row = next_row;                                                                                  \
            chunk = next;                                                                                    \
            next = fl_chunk_after(tile, next, n_chunks, form);                                               \
        }                                                                                                    \
    }                                                                                                        \
    FL_INLINE void fl_##name##_combine(const fl_row_tile *tile, const int form) {                            \
        size_t n = tile->n_rows, n_chunks = fl_chunks_of_row(tile);                                          \
        fl_row_state *s = tile->state;                                                                       \
        const fl_row_setting o = fl_setting_of(tile, form, 0, 0);                                            \
        for (size_t r = 0; r < n; r++) {                                                                     \
            const fl_row *partial = (const fl_row *)tile->partial + r * n_chunks;                            \
            fl_row row = n_chunks == 1 ? partial[0] : fl_##name##_merged(partial, n_chunks, o);              \
            row.own = s->own[r];                                                                             \
            fl_row_put(s, r, row);                                                                           \
        }                                                                                                    \
        FL_ROW_LOOP                                                                                          \
        for (size_t i = 0; i < 16; i++)                                                                      \
            fl_row_put(s, i, name##_finish(fl_row_get(s, i), o));                                            \
        memcpy(tile->value, s->value, n * sizeof(real));                                                     \
        if (checks_sum)                                                                                      \
            memcpy(tile->row_sum, s->d, n * sizeof(real));                                                   \
    }                                                                                                        \
    FL_INLINE void fl_##name##_emit_chunk(const fl_row_tile *tile, fl_row_chunk chunk,                       \
                                          const fl_row_setting o) {                                          \
        const int keeps = FL_KEEPS_##kind, form = o.form, want_hessian = o.hessian;                          \
        const size_t n = chunk.n, vectors = n & ~(size_t)(FL_ALONG_LANES - 1), left = n - vectors;           \
        const real *x = keeps ? chunk.g : chunk.z, *y = chunk.y, *own = chunk.own, *base = chunk.base;       \
        real *g = chunk.g, *h = chunk.h;                                                                     \
        fl_row row = fl_row_get(tile->state, chunk.row);                                                     \
        if (fl_has_labels(form) && row.label < 0) {                                                          \
            memset(g, 0, n * sizeof(real));                                                                  \
            if (want_hessian)                                                                                \
                memset(h, 0, n * sizeof(real));                                                              \
            return;                                                                                          \
        }                                                                                                    \
        row.label -= (real_int)chunk.start;                                                                  \
        row.first -= (real_int)chunk.start;                                                                  \
        const real_int label = row.label;                                                                    \
        const int patches = keeps && form == FL_BY_LABEL && !(name##_adds(o) & FL_ADDS_C),                   \
                  has_own = patches && (size_t)label < n;                                                    \
        row.label = patches ? -1 : label;                                                                    \
        real own_x = has_own ? x[label] : 0, factor = 1;                                                     \
        if (keeps && tile->n_classes > FL_ROW_CHUNK)                                                         \
            factor = fl_softmax_factor(                                                                      \
                ((const fl_row *)tile->partial)[chunk.row * fl_chunks_of_row(tile) + chunk.chunk], row);     \
        for (size_t at = 0; at < vectors; at += FL_ALONG_LANES) {                                            \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                size_t i = at + j;                                                                           \
                fl_row_slopes slopes = name##_emit(FL_ENTRY(keeps ? x[i] * factor : x[i], y[i], i), row, o); \
                g[i] = slopes.gradient;                                                                      \
                if (want_hessian)                                                                            \
                    h[i] = slopes.hessian;                                                                   \
            }                                                                                                \
        }                                                                                                    \
        if (left) {                                                                                          \
            fl_row_tail tail;                                                                                \
            _Alignas(64) real gradient[FL_ALONG_LANES], hessian[FL_ALONG_LANES];                             \
            fl_tail_of(chunk, x, form, &tail);                                                               \
            own = tail.own;                                                                                  \
            base = tail.base;                                                                                \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                real xj = keeps ? tail.z[j] * factor : tail.z[j];                                            \
                fl_row_slopes slopes = name##_emit(FL_ENTRY_AT(xj, tail.y[j], j, vectors + j), row, o);      \
                gradient[j] = slopes.gradient;                                                               \
                hessian[j] = slopes.hessian;                                                                 \
            }                                                                                                \
            fl_put_tail(gradient, left, g + vectors);                                                        \
            if (want_hessian)                                                                                \
                fl_put_tail(hessian, left, h + vectors);                                                     \
        }                                                                                                    \
        if (has_own) {                                                                                       \
            row.label = label;                                                                               \
            fl_row_slopes slopes = name##_emit(FL_ENTRY(own_x * factor, 0, label), row, o);                  \
            g[label] = slopes.gradient;                                                                      \
            if (want_hessian)                                                                                \
                h[label] = slopes.hessian;                                                                   \
        }                                                                                                    \
    }                                                                                                        \
    FL_INLINE void fl_##name##_emit_chunks(const fl_row_tile *tile, size_t from, size_t to, const int form,  \
                                           const int want_hessian) {                                         \
        const fl_row_setting o = fl_setting_of(tile, form, 0, want_hessian);                                 \
        const size_t n_chunks = fl_chunks_of_row(tile);                                                      \
        fl_row_chunk chunk = fl_chunk_at(tile, from / n_chunks, from % n_chunks, form);                      \
        for (size_t i = from; i < to; i++) {                                                                 \
            fl_##name##_emit_chunk(tile, chunk, o);                                                          \
            chunk = fl_chunk_after(tile, chunk, n_chunks, form);                                             \
        }                                                                                                    \
    }

/* The chunks of a row as a binary tree. */
#define FL_DEFINE_MERGED(name)                                                                               \
    static fl_row fl_##name##_merged(const fl_row *partial, size_t n_chunks, const fl_row_setting o) {       \
        fl_row level[48], row = partial[0];                                                                  \
        for (size_t i = 0; i < n_chunks; i++) {                                                              \
            int depth = 0;                                                                                   \
            row = partial[i];                                                                                \
            for (; i >> depth & 1; depth++)                                                                  \
                row = name##_merge(level[depth], row, o);                                                    \
            level[depth] = row;                                                                              \
        }                                                                                                    \
        for (int depth = 0, have = 0; n_chunks >> depth; depth++)                                            \
            if (n_chunks >> depth & 1) {                                                                     \
                row = have ? name##_merge(level[depth], row, o) : level[depth];                              \
                have = 1;                                                                                    \
            }                                                                                                \
        return row;                                                                                          \
    }

#endif
