/* Penalties of a parameter w, which is the z of the kernels. Included by pointwise/losses.h. */
#ifndef FL_PENALTIES_PENALTIES_H
#define FL_PENALTIES_PENALTIES_H

/* p = {α}: α·|w| */
FL_LOSS(l1_penalty) {
    real alpha = (real)p[0];
    return (fl_terms){alpha * fl_abs(z), alpha * fl_sign(z), fl_keep_nan(z, 0)};
}

/* p = {α}: α/2·w². The product by α comes first, so that w² cannot overflow by itself. */
FL_LOSS(l2_penalty) {
    real alpha = (real)p[0];
    return (fl_terms){alpha * z * ((real)0.5 * z), alpha * z, fl_keep_nan(z, alpha)};
}

/* p = {α, β}: α·|w| + β/2·w² */
FL_LOSS(elastic_net_penalty) {
    real alpha = (real)p[0], beta = (real)p[1];
    real a = fl_abs(z);
    return (fl_terms){a * fl_fma((real)(p[1] / 2), a, alpha), fl_fma(beta, z, alpha * fl_sign(z)),
                      fl_keep_nan(z, beta)};
}

#endif
