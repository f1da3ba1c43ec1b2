/* The list of embedding losses, what there is to know of each without running it, and the doors of the drivers
 * that run them. */
#ifndef FL_EMBEDDINGS_LIST_H
#define FL_EMBEDDINGS_LIST_H

#include "../fastloss.h"

/* Those that go tile by tile: X(name, inputs, label's domain). */
#define FL_EMBEDDING_KERNELS(X)                                                                              \
    X(contrastive, 2, ZERO_ONE)                                                                              \
    X(cosine_embedding, 2, SIGN)                                                                             \
    X(triplet, 3, NONE)                                                                                      \
    X(triplet_squared, 3, NONE)

enum {
#define FL_ENUMERATE(name, n_inputs, label) FL_EMBEDDINGS_##name,
    FL_EMBEDDING_KERNELS(FL_ENUMERATE)
#undef FL_ENUMERATE
        FL_N_EMBEDDING_TILE_KERNELS,
    FL_EMBEDDINGS_center = FL_N_EMBEDDING_TILE_KERNELS /* has a driver of its own */
};

typedef struct {
    const char *name;
    int n_inputs, has_label;
    fl_domain label;
} fl_embedding_description;

const fl_embedding_description *fl_describe_embeddings(int kernel);

/* What fl_embeddings says, of one number or more (drive.h), and fl_similarity_gather and _slopes
 * (drive_similarities.h). */
fl_status fl_drive_embeddings_f32(fl_embeddings_call *call);
fl_status fl_drive_embeddings_f64(fl_embeddings_call *call);
void fl_drive_gather_f32(const fl_similarity_block *block, double *largest, double *sum, double *positive);
void fl_drive_gather_f64(const fl_similarity_block *block, double *largest, double *sum, double *positive);
void fl_drive_slopes_f32(const fl_similarity_block *block, const void *level, const void *missed,
                         const void *share);
void fl_drive_slopes_f64(const fl_similarity_block *block, const void *level, const void *missed,
                         const void *share);

#endif
