/* How many threads a call may use. */
#include "threads.h"

#include <stdlib.h>

#include "../fastloss.h"

#ifdef _OPENMP
#include <omp.h>
#endif

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

#ifdef _OPENMP
/* The number of threads that OpenMP has where nobody limits it; 0 as long as that is not known. */
static int fl_openmp_threads = 0;

/* The library may be loaded in a limit of OpenMP, which without OMP_NUM_THREADS else has all processors. */
static void fl_look_at_openmp(void) {
    if (fl_openmp_threads)
        return;
    int now = omp_get_max_threads(), all = getenv("OMP_NUM_THREADS") ? 0 : omp_get_num_procs();
    fl_openmp_threads = now > all ? now : all;
}

/* threadpoolctl limits a thread by the number that OpenMP has for it; one that is not below the usual is
 * none, so that more threads can be asked for here than of OpenMP. */
static int fl_limited(int n) {
    int now = omp_get_max_threads();
    return now < fl_openmp_threads && now < n ? now : n;
}
#else
static void fl_look_at_openmp(void) {}
static int fl_limited(int n) {
    return n;
}
#endif

int fl_threads(void) {
    if (fl_is_forked_child)
        return 1;
    return fl_limited(fl_local_threads > 0 ? fl_local_threads : fl_default_threads);
}

int fl_may_run_parallel(void) {
    return !fl_is_forked_child;
}

void fl_threads_set_default(int n) {
    fl_look_at_openmp();
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
