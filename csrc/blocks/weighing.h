/* Weights are weights whatever their size.
 *
 * Usual ones are loaded in the precision of the loss: their products, their sum and what this divides stay in
 * range. Where a pass finds other ones, it is made again with its results multiplied by each sample's share
 * in double: its weight itself, or of a mean's the weight times a power of two that brings the largest near
 * 1, over the sum of these. */
#ifndef FL_BLOCKS_WEIGHING_H
#define FL_BLOCKS_WEIGHING_H

/* The closed interval of usual weights, besides 0. */
#define FL_LEAST_USUAL(float32) ((float32) ? 0x1p-64 : 0x1p-256)
#define FL_LARGEST_USUAL(float32) ((float32) ? 0x1p32 : 0x1p256)

/* What a block of weights has. */
enum fl_weight_kind { FL_ZERO_WEIGHTS = 1, FL_UNUSUAL_WEIGHTS = 2 };

#endif
