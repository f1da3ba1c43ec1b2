/* For drivers: whether a parallel region is allowed at all in this process, and how its work is dealt out. */
#ifndef FL_PASS_THREADS_H
#define FL_PASS_THREADS_H

#include <stddef.h>

/* 0 in a child of fork(), where starting OpenMP's threads could hang. */
int fl_may_run_parallel(void);

/* So many, or one alone for work that is less than `enough`: a parallel region costs some ten microseconds,
 * and half a millisecond beside a busy neighbour. */
static inline int fl_threads_allowed(int n_threads, size_t work, size_t enough) {
    return work >= enough && fl_may_run_parallel() ? n_threads : 1;
}

/* How many of the threads allowed have a piece of work each. */
static inline int fl_threads_needed(int allowed, size_t n_pieces) {
    return (size_t)allowed < n_pieces ? allowed : (n_pieces ? (int)n_pieces : 1);
}

/* How many neighbouring pieces a thread takes at once: what it fetches ahead then mostly is its own, and some
 * sixteen turns for each are enough to make up for a thread that is held up. */
static inline size_t fl_pieces_at_once(size_t n_pieces, int threads) {
    size_t n = n_pieces / (16 * (size_t)threads);
    return n ? n : 1;
}

#endif
