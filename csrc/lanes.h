/* The lanes of a kernel, whatever the width of the machine's vectors. */
#ifndef FL_LANES_H
#define FL_LANES_H

#include <stddef.h>

/* Kernels see whole multiples of so many elements; what is left over is padded. */
enum { FL_LANES = 16 };

/* n with its padding: whole lanes. */
static inline size_t fl_round_up(size_t n) {
    return (n + FL_LANES - 1) & ~(size_t)(FL_LANES - 1);
}

#endif
