/* Whether a long call is to stop: its caller is asked now and then, between two stretches of work, by the
 * thread that it called from; the others learn of the answer. */
#ifndef FL_PASS_WATCH_H
#define FL_PASS_WATCH_H

#include "../fastloss.h"

enum {
    FL_WATCHED_FROM = 1 << 18,   /* elements: calls of fewer have ended before anyone waits */
    FL_WATCHED_STRETCH = 1 << 16 /* elements: some milliseconds of the slowest loss */
};

typedef struct {
    fl_go_on go_on; /* NULL: nobody to ask */
    void *context;
    const void *caller; /* of the call's own thread */
    double asked;       /* when, in seconds */
    int stopped;
} fl_watch;

void fl_start_watch(fl_watch *w, fl_go_on go_on, void *context);

/* Of calls that nobody wants to stop. */
extern fl_watch fl_no_watch;

/* For a call of so many elements: `w`, if it is to be watched. */
static inline fl_watch *fl_new_watch(fl_watch *w, fl_go_on go_on, void *context, size_t work) {
    if (!go_on || work < FL_WATCHED_FROM)
        return &fl_no_watch;
    fl_start_watch(w, go_on, context);
    return w;
}

/* Asks if it is time; whether to stop. */
int fl_ask(fl_watch *w);

static inline int fl_is_stopped(const fl_watch *w) {
    return __atomic_load_n(&w->stopped, __ATOMIC_RELAXED);
}

/* After so much more work of this thread, which it counts in *done: whether to stop. */
static inline int fl_stops(fl_watch *w, size_t *done, size_t more) {
    if (!w->go_on || (*done += more) < FL_WATCHED_STRETCH)
        return 0;
    *done = 0;
    return fl_ask(w);
}

/* Where a stretch of a long piece of work ends that begins at `from`: at `n`, or earlier, so that the caller
 * is asked in between; at once, if the call is stopped. For loops
 *     for (size_t at = 0, end; (end = fl_stretch(w, at, n)) > at; at = end) */
static inline size_t fl_stretch(fl_watch *w, size_t from, size_t n) {
    if (n <= FL_WATCHED_STRETCH || from == n)
        return n;
    if (from && fl_ask(w))
        return from;
    return n - from < FL_WATCHED_STRETCH ? n : from + FL_WATCHED_STRETCH;
}

#endif
