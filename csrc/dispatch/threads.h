/* For drivers: whether a parallel region is allowed at all in this process. */
#ifndef FL_DISPATCH_THREADS_H
#define FL_DISPATCH_THREADS_H

/* 0 in a child of fork(), where starting OpenMP's threads could hang. */
int fl_may_run_parallel(void);

#endif
