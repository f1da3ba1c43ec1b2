/* What the stages of a block share. Everything that depends on the precision is compiled once with
 * FL_PRECISION=32 and once with 64, each time for every instruction-set tier. */
#ifndef FL_BLOCKS_REAL_H
#define FL_BLOCKS_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../fastloss.h"
#include "../names.h"
#include "../vecmath/real.h"
#include "block.h"

/* The dtype of reals, and the name of what there is once in either precision. */
#if FL_PRECISION == 32
#define FL_REAL_DTYPE FL_FLOAT32
#define FL_OF_PRECISION(name) FL_PASTE(name, _f32, )
#else
#define FL_REAL_DTYPE FL_FLOAT64
#define FL_OF_PRECISION(name) FL_PASTE(name, _f64, )
#endif

/* Elements of a block: its bounds depend on the data's size alone. */
enum { FL_BLOCK = FL_BLOCK_BYTES / sizeof(real) };

#endif
