/* The loops along rows, for rows of many classes.
 *
 * A chunk of classes becomes terms, which are added up in vectors of FL_ALONG_LANES classes: four of them,
 * then a few of those sums, then the lanes; and the chunks of a row are merged as a binary tree. So few
 * additions lie between a term and the sum, and their order depends on nothing but the number of classes.
 * What is left of a row after whole groups is copied to vectors of its own, filled up with its last class,
 * whose terms are not counted.
 *
 * The next chunk is scanned before the terms of this one are computed, so that neither waits for the other;
 * what the processor cannot forward from a store to a load (a number to a vector that holds it) is kept out
 * of the way for the same reason. */
#ifndef FL_ROWS_ALONG_H
#define FL_ROWS_ALONG_H

#include "chunk.h"

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
#define FL_ALONG_OF_REST(sum) ((real_int)j < left ? t0.sum : 0)
#define FL_ALONG_ZERO(sum) 0

#define FL_TARGETS_AT(at) (fl_has_matrix(form) ? y + (at) : NULL)

#define FL_DEFINE_ALONG(name, kind, checks_sum)                                                              \
    /* Classes at .. at + FL_SCAN_STEP; those after n are the last one again. */                             \
    /* No scan asks how targets are spread over the classes. */                                              \
    FL_INLINE void fl_##name##_scan_step(fl_along_scan *scan, const real *z, const real *y, size_t at,       \
                                         size_t n, fl_row row, const int form, const int ranges) {           \
        real candidate[FL_SCAN_STEP], poison[FL_SCAN_STEP];                                                  \
        memcpy(poison, scan->poison, sizeof poison);                                                         \
        _Pragma("omp simd") for (size_t j = 0; j < FL_SCAN_STEP; j++) {                                      \
            fl_row lane = row;                                                                               \
            lane.poison = poison[j];                                                                         \
            size_t k = at + j < n ? at + j : n - 1;                                                          \
            fl_row_entry e = {.z = z[j], .y = fl_has_matrix(form) ? y[j] : 0, .k = (real_int)k};             \
            e.is_own = fl_has_labels(form) && e.k == row.label;                                              \
            fl_row_scan found = name##_scan(e, lane);                                                        \
            candidate[j] = found.candidate;                                                                  \
            poison[j] = found.poison;                                                                        \
        }                                                                                                    \
        memcpy(scan->poison, poison, sizeof poison);                                                         \
        _Pragma("GCC unroll 4") for (int i = 0; i < FL_SCAN_VECTORS; i++) {                                  \
            fl_real_vector lanes;                                                                            \
            memcpy(&lanes, candidate + i * FL_REALS, sizeof lanes);                                          \
            scan->highest[i] = fl_larger_lanes(lanes, scan->highest[i]);                                     \
            if (ranges)                                                                                      \
                scan->lowest[i] = fl_smaller_lanes(lanes, scan->lowest[i]);                                  \
        }                                                                                                    \
    }                                                                                                        \
    /* The row as it is known before the terms of a chunk: labels counted from the chunk's start. */         \
    FL_INLINE fl_row fl_##name##_scan_chunk(const fl_row_tile *tile, fl_row_chunk chunk, const int form,     \
                                            fl_chunk_nature *nature) {                                       \
        fl_row_state *s = tile->state;                                                                       \
        fl_row row = fl_row_get(s, chunk.row);                                                               \
        const real *z = chunk.z, *y = chunk.y;                                                               \
        const size_t n = chunk.n;                                                                            \
        if (fl_has_labels(form)) {                                                                           \
            row.label -= (real_int)chunk.start;                                                              \
            if (tile->n_classes <= FL_ROW_CHUNK && row.label >= 0)                                           \
                row.own = s->own[chunk.row] = z[row.label];                                                  \
        }                                                                                                    \
        if (!FL_SCANS_##kind)                                                                                \
            return name##_prepare(row);                                                                      \
        const int ranges = FL_KEEPS_##kind;                                                                  \
        fl_along_scan scan;                                                                                  \
        for (int i = 0; i < FL_SCAN_VECTORS; i++) {                                                          \
            scan.highest[i] = (fl_real_vector){0} - FL_INFINITY;                                             \
            scan.lowest[i] = (fl_real_vector){0} + FL_INFINITY;                                              \
            scan.poison[i] = (fl_real_vector){0};                                                            \
        }                                                                                                    \
        for (size_t at = 0; at + FL_SCAN_STEP <= n; at += FL_SCAN_STEP)                                      \
            fl_##name##_scan_step(&scan, z + at, FL_TARGETS_AT(at), at, n, row, form, ranges);               \
        if (n >= FL_SCAN_STEP && n % FL_SCAN_STEP) {                                                         \
            size_t at = n - FL_SCAN_STEP;                                                                    \
            fl_##name##_scan_step(&scan, z + at, FL_TARGETS_AT(at), at, n, row, form, ranges);               \
        } else if (n < FL_SCAN_STEP) {                                                                       \
            real z_filled[FL_SCAN_STEP], y_filled[FL_SCAN_STEP];                                             \
            fl_fill_tail(z, 0, n, FL_SCAN_STEP, z_filled);                                                   \
            if (fl_has_matrix(form))                                                                         \
                fl_fill_tail(y, 0, n, FL_SCAN_STEP, y_filled);                                               \
            fl_##name##_scan_step(&scan, z_filled, y_filled, 0, n, row, form, ranges);                       \
        }                                                                                                    \
        row.reference = fl_largest_scanned(scan.highest);                                                    \
        row.poison = fl_sum_scanned(scan.poison);                                                            \
        if (ranges)                                                                                          \
            *nature = fl_softmax_nature(row, fl_smallest_scanned(scan.lowest));                              \
        return name##_prepare(row);                                                                          \
    }                                                                                                        \
    FL_INLINE void fl_##name##_add_chunk(const fl_row_tile *tile, fl_row_chunk chunk, fl_row row,            \
                                         const fl_row_setting o, const int stores) {                         \
        const int form = o.form, adds = name##_adds(o);                                                      \
        const real *z = chunk.z, *y = chunk.y, *own = chunk.own, *base = chunk.base;                         \
        real *g = chunk.g;                                                                                   \
        const size_t n = chunk.n, whole = n & ~(size_t)(FL_ALONG_GROUP - 1);                                 \
        /* The true class is left out of the loop, and its slopes and its sum are put right afterwards. */   \
        const int patches = FL_KEEPS_##kind && form == FL_BY_LABEL && !(adds & FL_ADDS_C);                   \
        const real_int label = row.label;                                                                    \
        row.label = patches ? -1 : label;                                                                    \
        _Alignas(64) real a[FL_ALONG_PARTS * FL_ALONG_LANES], b[FL_ALONG_PARTS * FL_ALONG_LANES],            \
            c[FL_ALONG_PARTS * FL_ALONG_LANES], d[FL_ALONG_PARTS * FL_ALONG_LANES];                          \
        _Alignas(64) real_int first[FL_ALONG_LANES];                                                         \
        for (size_t j = 0; j < FL_ALONG_LANES; j++)                                                          \
            first[j] = FL_NOT_FOUND;                                                                         \
        const int sends = tile->queues != NULL;                                                              \
        const fl_row_queue none = {NULL, NULL, 0}, slopes = sends ? tile->queues[0] : none,                  \
                           curvatures = sends ? tile->queues[1] : none;                                      \
        size_t part = 0;                                                                                     \
        for (size_t at = 0; at < whole; at += FL_ALONG_GROUP, part++) {                                      \
            fl_fetch_group(z + at + FL_READ_AHEAD, 0);                                                       \
            if (tile->block_shift) {                                                                         \
                size_t done = (tile->block_row + chunk.row) * tile->n_classes + chunk.start + at;            \
                size_t now = done + (at + FL_ALONG_GROUP < whole ? FL_ALONG_GROUP : n - at);                 \
                fl_fetch_turned(tile->next_prediction, tile->block_shift, done, now);                        \
            }                                                                                                \
            if (fl_has_matrix(form))                                                                         \
                fl_fetch_group(y + at + FL_READ_AHEAD, 0);                                                   \
            if (sends) {                                                                                     \
                fl_send_lines(&slopes, at / FL_ALONG_LANES);                                                 \
                fl_send_lines(&curvatures, at / FL_ALONG_LANES);                                             \
            } else if (stores)                                                                               \
                fl_fetch_group(g + at + FL_WRITE_AHEAD, 1);                                                  \
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
        for (size_t at = whole; at < n; at += FL_ALONG_LANES, part++) {                                      \
            fl_row_tail tail;                                                                                \
            _Alignas(64) real kept[FL_ALONG_LANES];                                                          \
            const real_int left = (real_int)(n - at);                                                        \
            fl_tail_of(chunk, z, at, form, &tail);                                                           \
            own = tail.own;                                                                                  \
            base = tail.base;                                                                                \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                fl_row_term t0 = name##_term(FL_ENTRY_AT(tail.z[j], tail.y[j], j, at + j), row, o);          \
                kept[j] = t0.kept;                                                                           \
                if (adds & FL_FINDS_FIRST) {                                                                 \
                    real_int found = (real_int)j < left ? t0.first : FL_NOT_FOUND;                           \
                    first[j] = found < first[j] ? found : first[j];                                          \
                }                                                                                            \
                FL_ALONG_PUT(FL_ALONG_OF_REST)                                                               \
            }                                                                                                \
            if (stores)                                                                                      \
                fl_put_tail(kept, (size_t)left, g + at);                                                     \
        }                                                                                                    \
        for (int i = 0; sends && i < FL_ROW_QUEUES; i++)                                                     \
            fl_advance_queue(&tile->queues[i], whole / FL_ALONG_LANES);                                      \
        for (; part % 4; part++)                                                                             \
            for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                                    \
                FL_ALONG_PUT(FL_ALONG_ZERO)                                                                  \
            }                                                                                                \
        if (patches && label >= 0 && (size_t)label < n) {                                                    \
            const size_t at = (size_t)label, group = at / FL_ALONG_GROUP,                                    \
                         rest = (at - whole) / FL_ALONG_LANES;                                               \
            const real_int lane = (real_int)(at % FL_ALONG_LANES);                                           \
            real *line = a + (at < whole ? group : whole / FL_ALONG_GROUP + rest) * FL_ALONG_LANES, sum = 0; \
            if (at < whole) {                                                                                \
                _Alignas(64) real near[4], others[4];                                                        \
                for (size_t j = 0; j < 4; j++)                                                               \
                    near[j] = (stores ? g : z)[group * FL_ALONG_GROUP + j * FL_ALONG_LANES + (size_t)lane];  \
                _Pragma("omp simd") for (int j = 0; j < 4; j++) {                                            \
                    real kept = stores ? near[j] : name##_term(FL_ENTRY_AT(near[j], 0, 0, 0), row, o).kept;  \
                    others[j] = j == (int)(at % FL_ALONG_GROUP / FL_ALONG_LANES) ? 0 : kept;                 \
                }                                                                                            \
                sum = (others[0] + others[1]) + (others[2] + others[3]);                                     \
            }                                                                                                \
            /* As a whole vector: it is about to be read as one. */                                          \
            _Pragma("omp simd") for (real_int j = 0; j < FL_ALONG_LANES; j++) line[j] =                      \
                j == lane ? sum : line[j];                                                                   \
        }                                                                                                    \
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
        *fl_part_at(tile, chunk.row, chunk.chunk) =                                                          \
            (fl_row_part){row.reference, row.poison, row.a, row.b, row.c, row.d, row.first};                 \
    }                                                                                                        \
    FL_INLINE void fl_##name##_gather(const fl_row_tile *tile, size_t from, size_t to, const int form,       \
                                      const int want_gradient, const int want_hessian) {                     \
        const fl_row_setting o = fl_setting_of(tile, form, 0, want_hessian);                                 \
        const size_t n_chunks = fl_chunks_of_row(tile);                                                      \
        fl_row_chunk chunk, next = fl_chunk_at(tile, from / n_chunks, from % n_chunks, form);                \
        fl_row row = {0}, next_row = {0};                                                                    \
        const int compensates = name##_adds(o) & FL_COMPENSATES_A;                                           \
        fl_row_setting in_range = o, unlikely;                                                               \
        in_range.moderate = 1;                                                                               \
        unlikely = in_range;                                                                                 \
        unlikely.unlikely = 1;                                                                               \
        fl_chunk_nature nature = {0, 0}, next_nature = {0, 0};                                               \
        for (size_t i = from; i <= to; i++) {                                                                \
            if (i < to)                                                                                      \
                next_row = fl_##name##_scan_chunk(tile, next, form, &next_nature);                           \
            if (i > from && compensates && nature.moderate && nature.unlikely)                               \
                fl_##name##_add_chunk(tile, chunk, row, unlikely, want_gradient);                            \
            else if (i > from && FL_KEEPS_##kind && nature.moderate)                                         \
                fl_##name##_add_chunk(tile, chunk, row, in_range, want_gradient);                            \
            else if (i > from)                                                                               \
                fl_##name##_add_chunk(tile, chunk, row, o, want_gradient && FL_KEEPS_##kind);                \
            nature = next_nature;                                                                            \
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
            const fl_row_part *parts = fl_part_at(tile, r, 0);                                               \
            if (n_chunks == 1)                                                                               \
                fl_put_part(s, r, parts[0]);                                                                 \
            else                                                                                             \
                fl_##name##_merge_chunks(s, r, parts, n_chunks, o);                                          \
        }                                                                                                    \
        if (n_chunks == 1) {                                                                                 \
            FL_ROW_LOOP                                                                                      \
            for (size_t i = 0; i < 16; i++)                                                                  \
                fl_row_put(s, i, name##_finish(name##_close(name##_prepare(fl_row_get(s, i)), o), o));       \
        } else {                                                                                             \
            FL_ROW_LOOP                                                                                      \
            for (size_t i = 0; i < 16; i++)                                                                  \
                fl_row_put(s, i, name##_finish(fl_row_get(s, i), o));                                        \
        }                                                                                                    \
        memcpy(tile->value, s->value, n * sizeof(real));                                                     \
        if (checks_sum)                                                                                      \
            memcpy(tile->row_sum, s->d, n * sizeof(real));                                                   \
    }                                                                                                        \
    FL_INLINE void fl_##name##_emit_chunk(const fl_row_tile *tile, fl_row_chunk chunk,                       \
                                          const fl_row_setting o) {                                          \
        const int keeps = FL_KEEPS_##kind, form = o.form, want_hessian = o.hessian;                          \
        const size_t n = chunk.n, whole = n & ~(size_t)(FL_ALONG_GROUP - 1);                                 \
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
                name##_prepare(fl_part_of(row, *fl_part_at(tile, chunk.row, chunk.chunk))), row);            \
        for (size_t at = 0; at < whole; at += FL_ALONG_GROUP) {                                              \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_GROUP; j++) {                                \
                size_t i = at + j;                                                                           \
                fl_row_slopes slopes = name##_emit(FL_ENTRY(keeps ? x[i] * factor : x[i], y[i], i), row, o); \
                g[i] = slopes.gradient;                                                                      \
                if (want_hessian)                                                                            \
                    h[i] = slopes.hessian;                                                                   \
            }                                                                                                \
        }                                                                                                    \
        for (size_t at = whole; at < n; at += FL_ALONG_LANES) {                                              \
            fl_row_tail tail;                                                                                \
            _Alignas(64) real gradient[FL_ALONG_LANES], hessian[FL_ALONG_LANES];                             \
            fl_tail_of(chunk, x, at, form, &tail);                                                           \
            own = tail.own;                                                                                  \
            base = tail.base;                                                                                \
            _Pragma("omp simd") for (size_t j = 0; j < FL_ALONG_LANES; j++) {                                \
                real xj = keeps ? tail.z[j] * factor : tail.z[j];                                            \
                fl_row_slopes slopes = name##_emit(FL_ENTRY_AT(xj, tail.y[j], j, at + j), row, o);           \
                gradient[j] = slopes.gradient;                                                               \
                hessian[j] = slopes.hessian;                                                                 \
            }                                                                                                \
            fl_put_tail(gradient, n - at, g + at);                                                           \
            if (want_hessian)                                                                                \
                fl_put_tail(hessian, n - at, h + at);                                                        \
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

/* The chunks of row r as a binary tree. */
#define FL_DEFINE_MERGED(name)                                                                               \
    static void fl_##name##_merge_chunks(fl_row_state *s, size_t r, const fl_row_part *parts,                \
                                         size_t n_chunks, const fl_row_setting o) {                          \
        fl_row row = {0};                                                                                    \
        for (size_t i = 0; i < n_chunks; i++) {                                                              \
            size_t level = FL_FIRST_LEVEL;                                                                   \
            row = name##_close(name##_prepare(fl_part_of((fl_row){0}, parts[i])), o);                        \
            for (size_t rest = i; rest & 1; rest >>= 1, level++)                                             \
                row = name##_merge(fl_take_level(s, level), row, o);                                         \
            fl_put_level(s, level, row);                                                                     \
        }                                                                                                    \
        int have = 0;                                                                                        \
        for (size_t level = FL_FIRST_LEVEL, rest = n_chunks; rest; rest >>= 1, level++)                      \
            if (rest & 1) {                                                                                  \
                row = have ? name##_merge(fl_take_level(s, level), row, o) : fl_take_level(s, level);        \
                have = 1;                                                                                    \
            }                                                                                                \
        fl_put_level(s, r, row);                                                                             \
    }

#endif
