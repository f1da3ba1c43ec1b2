#include "watch.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

/* Often enough for somebody who waits, and rarely enough for a caller whose answer takes a lock. */
#define FL_SECONDS_BETWEEN 0.05

/* Its address tells threads apart. */
static _Thread_local char fl_thread_mark;

/* Windows' older C library has no timespec_get. */
#ifdef _WIN32
static double fl_now(void) {
    return 1e-3 * (double)GetTickCount64();
}
#else
static double fl_now(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
#endif

fl_watch fl_no_watch = {.go_on = NULL};

void fl_start_watch(fl_watch *w, fl_go_on go_on, void *context) {
    *w = (fl_watch){go_on, context, &fl_thread_mark, fl_now(), 0};
}

/* A clock that was set back counts as one that went on. */
int fl_ask(fl_watch *w) {
    if (w->caller == &fl_thread_mark && !fl_is_stopped(w)) {
        double now = fl_now();
        if (now < w->asked || now - w->asked >= FL_SECONDS_BETWEEN) {
            w->asked = now;
            if (!w->go_on(w->context))
                __atomic_store_n(&w->stopped, 1, __ATOMIC_RELAXED);
        }
    }
    return fl_is_stopped(w);
}
