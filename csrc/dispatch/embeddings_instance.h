/* The embedding kernels of one tier and precision: included by embeddings_f32.c and embeddings_f64.c alone,
 * which set FL_PRECISION. A translation unit of their own, so that they compile beside the others. */
#include "../pass/ops.h"

#include "../embeddings/instance.h"

extern const fl_embedding_ops FL_TABLE_NAME(fl_embeddings_);
const fl_embedding_ops FL_TABLE_NAME(fl_embeddings_) = FL_EMBEDDING_OPS;
