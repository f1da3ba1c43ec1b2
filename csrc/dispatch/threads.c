/* How many threads a call may use. */
#include "threads.h"

#include "../fastloss.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#define FL_HAS_FORK 1
#else
#define FL_HAS_FORK 0
#endif

static int fl_default_threads = 1;
static _Thread_local int fl_local_threads = 0;
static int fl_is_forked_child = 0;

#if FL_HAS_FORK
static void fl_after_fork(void) {
    fl_is_forked_child = 1;
}

__attribute__((constructor)) static void fl_watch_fork(void) {
    pthread_atfork(NULL, NULL, fl_after_fork);
}
#endif

int fl_threads(void) {
    if (fl_is_forked_child)
        return 1;
    return fl_local_threads > 0 ? fl_local_threads : fl_default_threads;
}

int fl_may_run_parallel(void) {
    return !fl_is_forked_child;
}

void fl_threads_set_default(int n) {
    fl_default_threads = n;
}
int fl_threads_local(void) {
    return fl_local_threads;
}
void fl_threads_set_local(int n) {
    fl_local_threads = n;
}

int fl_has_openmp(void) {
#ifdef _OPENMP
    return 1;
#else
    return 0;
#endif
}
