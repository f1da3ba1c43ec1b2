/* The embedding losses: what there is to know of each without running it, and the way to the driver
 * (drive.h). */
#include <math.h>
#include <string.h>

#include "../pass/scratch.h"
#include "list.h"

#define FL_LABELS_NONE {-INFINITY, INFINITY, 0, 0, 1}
#define FL_LABELS_ZERO_ONE {0, 1, 0, 1, 0}
#define FL_LABELS_SIGN {-1, 1, 0, 1, 0}

static const fl_embedding_description fl_descriptions[] = {
#define FL_DESCRIBE_EMBEDDING(name, n_inputs, label) {#name, n_inputs, n_inputs == 2, FL_LABELS_##label},
    FL_EMBEDDING_KERNELS(FL_DESCRIBE_EMBEDDING)
#undef FL_DESCRIBE_EMBEDDING
        {"center", 2, 1, FL_LABELS_NONE},
};

const fl_embedding_description *fl_describe_embeddings(int kernel) {
    return &fl_descriptions[kernel];
}

int fl_find_embeddings(const char *name) {
    for (int i = 0; i <= FL_EMBEDDINGS_center; i++)
        if (strcmp(fl_descriptions[i].name, name) == 0)
            return i;
    return -1;
}

int fl_embeddings_n_inputs(int kernel) {
    return fl_descriptions[kernel].n_inputs;
}

int fl_embeddings_has_label(int kernel) {
    return fl_descriptions[kernel].has_label;
}

fl_status fl_embeddings(fl_embeddings_call *c) {
    c->total = c->weight_sum = 0;
    if (c->n_columns == 0 || (c->n_rows == 0 && c->reduction == FL_REDUCE_MEAN))
        return c->reduction == FL_REDUCE_MEAN ? FL_EMPTY : FL_OK;
    int has_more_centers = c->kernel == FL_EMBEDDINGS_center && c->n_centers > c->n_rows;
    if (fl_times(has_more_centers ? c->n_centers : c->n_rows, c->n_columns) > FL_MOST_ELEMENTS)
        return FL_TOO_LARGE;
    return (c->float32 ? fl_drive_embeddings_f32 : fl_drive_embeddings_f64)(c);
}

void fl_similarity_gather(const fl_similarity_block *b, double *largest, double *sum, double *positive) {
    (b->float32 ? fl_drive_gather_f32 : fl_drive_gather_f64)(b, largest, sum, positive);
}

void fl_similarity_slopes(const fl_similarity_block *b, const void *level, const void *missed,
                          const void *share) {
    (b->float32 ? fl_drive_slopes_f32 : fl_drive_slopes_f64)(b, level, missed, share);
}
