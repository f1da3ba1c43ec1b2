/* The embedding family's table of one tier and precision: included by dispatch/embeddings_instance.h. */
#ifndef FL_EMBEDDINGS_INSTANCE_H
#define FL_EMBEDDINGS_INSTANCE_H

#include "centers.h"
#include "pairs.h"
#include "similarity.h"
#include "triplets.h"

#define FL_DEFINE_EMBEDDING(name, n_inputs, label)                                                           \
    static void fl_##name##_values(const fl_embedding_tile *t) {                                             \
        fl_##name##_tile(t, 0);                                                                              \
    }                                                                                                        \
    static void fl_##name##_gradients(const fl_embedding_tile *t) {                                          \
        fl_##name##_tile(t, 1);                                                                              \
    }
FL_EMBEDDING_KERNELS(FL_DEFINE_EMBEDDING)
#undef FL_DEFINE_EMBEDDING

#define FL_EMBEDDING_ENTRY(name, n_inputs, label) {fl_##name##_values, fl_##name##_gradients},

#define FL_EMBEDDING_OPS                                                                                     \
    {                                                                                                        \
        .tile = {FL_EMBEDDING_KERNELS(FL_EMBEDDING_ENTRY)},                                                  \
        .center = fl_center_rows,                                                                            \
        .finish_center = fl_finish_center,                                                                   \
        .gather = fl_gather_row,                                                                             \
        .slopes = fl_slopes_row,                                                                             \
    }

#endif
