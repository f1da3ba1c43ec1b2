/* Transposing matrices of reals. Pieces of 16 bytes, 4 columns in float and 2 in double, are transposed in
 * registers: each 128-bit lane of a register holds another row's piece, so that only shuffles within lanes
 * are needed. */
#ifndef FL_ROWS_TRANSPOSE_H
#define FL_ROWS_TRANSPOSE_H

#include "../simd/loops.h"
#include "../simd/simd.h"
#include "row.h"

/* Reals of a piece, and of a vector; none where a piece is all of it. */
enum { FL_PIECE_REALS = 16 / sizeof(real), FL_BUNDLE = FL_PIECES > 1 ? FL_REALS : 0 };

#if FL_VECTOR_BYTES > 16
/* FL_PIECE_REALS registers of pieces: their in-lane transposes, in place. It is its own inverse. */
FL_INLINE void fl_turn(fl_pieces *a) {
#if FL_PRECISION == 32
    fl_pieces t0 = fl_low32(a[0], a[1]), t1 = fl_low32(a[2], a[3]);
    fl_pieces t2 = fl_high32(a[0], a[1]), t3 = fl_high32(a[2], a[3]);
    a[0] = fl_low64(t0, t1);
    a[1] = fl_high64(t0, t1);
    a[2] = fl_low64(t2, t3);
    a[3] = fl_high64(t2, t3);
#else
    fl_pieces t = fl_low64(a[0], a[1]);
    a[1] = fl_high64(a[0], a[1]);
    a[0] = t;
#endif
}

/* FL_BUNDLE lines of short pieces to FL_PIECE_REALS long ones, and back. */
FL_INLINE void fl_gather_bundle(const real *from, ptrdiff_t from_stride, real *to, ptrdiff_t to_stride) {
    fl_pieces a[FL_PIECE_REALS];
    for (int j = 0; j < FL_PIECE_REALS; j++)
        a[j] = fl_load_pieces(from + j * from_stride, FL_PIECE_REALS * from_stride);
    fl_turn(a);
    for (int j = 0; j < FL_PIECE_REALS; j++)
        fl_store_whole(to + j * to_stride, a[j]);
}

FL_INLINE void fl_scatter_bundle(const real *from, ptrdiff_t from_stride, real *to, ptrdiff_t to_stride) {
    fl_pieces a[FL_PIECE_REALS];
    for (int j = 0; j < FL_PIECE_REALS; j++)
        a[j] = fl_load_whole(from + j * from_stride);
    fl_turn(a);
    for (int j = 0; j < FL_PIECE_REALS; j++)
        fl_store_pieces(to + j * to_stride, FL_PIECE_REALS * to_stride, a[j]);
}

/* FL_BUNDLE lines of as many columns: whole registers on both sides. */
FL_INLINE void fl_turn_square(const real *from, ptrdiff_t from_stride, real *to, ptrdiff_t to_stride) {
    fl_pieces a[FL_PIECE_REALS][FL_PIECES], column[FL_PIECE_REALS];
    for (int i = 0; i < FL_PIECE_REALS; i++) {
        for (int lane = 0; lane < FL_PIECES; lane++)
            a[i][lane] = fl_load_whole(from + (lane * FL_PIECE_REALS + i) * from_stride);
        fl_turn_pieces(a[i]);
    }
    for (int piece = 0; piece < FL_PIECES; piece++) {
        for (int i = 0; i < FL_PIECE_REALS; i++)
            column[i] = a[i][piece];
        fl_turn(column);
        for (int i = 0; i < FL_PIECE_REALS; i++)
            fl_store_whole(to + (piece * FL_PIECE_REALS + i) * to_stride, column[i]);
    }
}
#else
FL_INLINE void fl_gather_bundle(const real *from, ptrdiff_t from_stride, real *to, ptrdiff_t to_stride) {
    (void)from, (void)from_stride, (void)to, (void)to_stride;
}
#define fl_scatter_bundle fl_gather_bundle
#define fl_turn_square fl_gather_bundle
#endif

/* Two or three columns, one after the other in memory: loops that compilers turn into permutations. */
#define FL_FEW_COLUMNS(COUNT, LOOP_BODY)                                                                     \
    FL_INDEPENDENT_LOOP                                                                                      \
    for (size_t i = 0; i < n; i++) {                                                                         \
        LOOP_BODY                                                                                            \
    }
static int fl_split_columns(const real *from, size_t n, size_t n_columns, real *to, ptrdiff_t stride) {
    if (n_columns == 2) {
        FL_FEW_COLUMNS(2, to[i] = from[2 * i]; to[stride + (ptrdiff_t)i] = from[2 * i + 1];)
    } else if (n_columns == 3) {
        FL_FEW_COLUMNS(3, to[i] = from[3 * i]; to[stride + (ptrdiff_t)i] = from[3 * i + 1];
                       to[2 * stride + (ptrdiff_t)i] = from[3 * i + 2];)
    }
    return n_columns == 2 || n_columns == 3;
}

static int fl_join_columns(const real *from, ptrdiff_t stride, size_t n, size_t n_columns, real *to) {
    if (n_columns == 2) {
        FL_FEW_COLUMNS(2, to[2 * i] = from[i]; to[2 * i + 1] = from[stride + (ptrdiff_t)i];)
    } else if (n_columns == 3) {
        FL_FEW_COLUMNS(3, to[3 * i] = from[i]; to[3 * i + 1] = from[stride + (ptrdiff_t)i];
                       to[3 * i + 2] = from[2 * stride + (ptrdiff_t)i];)
    }
    return n_columns == 2 || n_columns == 3;
}

enum { FL_LINES_AHEAD = 16, FL_LINE_REALS = 64 / sizeof(real) };

/* to[j][i] = from[i][j] for i < n_lines and j < length; strides in elements. The last columns of a bundle
 * overlap those before them where the number of columns is not a multiple of a piece. */
FL_INLINE void fl_transpose_bundles(const real *from, ptrdiff_t from_stride, size_t n_lines, size_t length,
                                    real *to, ptrdiff_t to_stride, const int fetches) {
    size_t done = 0;
    int tall = n_lines >= length;
    size_t n_rows = tall ? n_lines : length, n_columns = tall ? length : n_lines;
    if (tall && from_stride == (ptrdiff_t)length && fl_split_columns(from, n_lines, length, to, to_stride))
        return;
    if (!tall && to_stride == (ptrdiff_t)n_lines && fl_join_columns(from, from_stride, length, n_lines, to))
        return;
    if (FL_BUNDLE > 0 && n_columns >= FL_PIECE_REALS) {
        for (; done + FL_BUNDLE <= n_rows; done += FL_BUNDLE) {
            ptrdiff_t i = (ptrdiff_t)done;
            size_t k = 0;
            for (; k + FL_BUNDLE <= n_columns; k += FL_BUNDLE) {
                ptrdiff_t line = tall ? i : (ptrdiff_t)k, at = tall ? (ptrdiff_t)k : i;
                for (int next = 0; next < (fetches ? FL_BUNDLE : 0); next++)
                    __builtin_prefetch(from + (line + FL_LINES_AHEAD + next) * from_stride + at +
                                       FL_LINE_REALS);
                fl_turn_square(from + line * from_stride + at, from_stride, to + at * to_stride + line,
                               to_stride);
            }
            for (; k < n_columns; k += FL_PIECE_REALS) {
                ptrdiff_t j = (ptrdiff_t)(k + FL_PIECE_REALS <= n_columns ? k : n_columns - FL_PIECE_REALS);
                if (tall)
                    fl_gather_bundle(from + i * from_stride + j, from_stride, to + j * to_stride + i,
                                     to_stride);
                else
                    fl_scatter_bundle(from + j * from_stride + i, from_stride, to + i * to_stride + j,
                                      to_stride);
            }
        }
    }
    for (size_t i = done; i < n_rows; i++)
        for (size_t j = 0; j < n_columns; j++) {
            ptrdiff_t line = (ptrdiff_t)(tall ? i : j), at = (ptrdiff_t)(tall ? j : i);
            to[at * to_stride + line] = from[line * from_stride + at];
        }
}

static void fl_transpose(const real *from, ptrdiff_t from_stride, size_t n_lines, size_t length, real *to,
                         ptrdiff_t to_stride) {
    fl_transpose_bundles(from, from_stride, n_lines, length, to, to_stride, 0);
}

/* From lines that are far apart in memory, which the processor does not foresee: those that come next are
 * asked for. What is asked for lies a cache line on, where pieces of unaligned lines end; their beginnings
 * came with the columns before. */
static void fl_transpose_fetched(const real *from, ptrdiff_t from_stride, size_t n_lines, size_t length,
                                 real *to, ptrdiff_t to_stride) {
    fl_transpose_bundles(from, from_stride, n_lines, length, to, to_stride, 1);
}

#endif
