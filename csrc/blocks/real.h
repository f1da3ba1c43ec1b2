/* What the stages of a block share. Everything that depends on the precision is compiled once with
 * FL_PRECISION=32 and once with 64, each time for every instruction-set tier. */
#ifndef FL_BLOCKS_REAL_H
#define FL_BLOCKS_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../fastloss.h"
#include "../vecmath/real.h"
#include "block.h"

#if FL_PRECISION == 32
#define FL_REAL_DTYPE FL_FLOAT32
#else
#define FL_REAL_DTYPE FL_FLOAT64
#endif

/* Elements of a block: its bounds depend on the data's size alone. */
enum { FL_BLOCK = FL_BLOCK_BYTES / sizeof(real) };

#endif
