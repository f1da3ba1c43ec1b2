/* Merging the dimensions of a view. */
#include "view.h"

void fl_array_coalesce(fl_array *a) {
    int kept = 0;
    for (int d = 0; d < a->n_dims; d++) {
        if (a->shape[d] == 1)
            continue;
        /* C order enumerates dimension d fastest: it continues the one before if a step of that one spans it.
         */
        if (kept > 0 && a->strides[kept - 1] == a->shape[d] * a->strides[d]) {
            a->shape[kept - 1] *= a->shape[d];
            a->strides[kept - 1] = a->strides[d];
        } else {
            a->shape[kept] = a->shape[d];
            a->strides[kept] = a->strides[d];
            kept++;
        }
    }
    if (kept == 0) {
        a->shape[0] = 1;
        a->strides[0] = (ptrdiff_t)fl_itemsize(a->dtype);
        kept = 1;
    }
    a->n_dims = kept;
}
