/* Cross-entropy of two classes with class indices: by the difference of the logits, of which both slopes are
 * a mirror image; one exponential, one logarithm and two divisions a row. */
#ifndef FL_ROWS_TWO_CLASSES_H
#define FL_ROWS_TWO_CLASSES_H

#include "state.h"

typedef struct {
    real loss, share; /* share: the probability of the other class */
    real spread;      /* p(1 − p) */
    real nan;         /* in a row that has no softmax, otherwise 0 */
} fl_two_shares;

/* With d = other − own as an exact sum and e = e^−|d|: −log p = [d]₊ + log1p(e), and the other class has e/(1
 * + e) or 1/(1 + e). */
FL_INLINE fl_two_shares fl_share_of_two(real own, real other) {
    fl_pair d = fl_two_sum(other, -own);
    /* A NaN goes into `nan` alone, so that a row that is ignored has none. */
    real distance = fl_abs(d.hi), size = distance == distance ? distance : 0;
    real largest = own > other ? own : other;
    real rest = distance < FL_EXP_RANGE ? fl_flip_sign(d.lo, d.hi) : 0;
    fl_exp_split s = fl_split_exponent(-fl_at_most(size, FL_EXP_RANGE));
    real scale = fl_from_bits(FL_EXPONENT(s.k_pattern) + FL_POWER_OF_TWO_BITS(64));
    real e = fl_exp_reduced(s.remainder - rest) * (real)0x1p-64 * scale;
    int is_wrong = d.hi > 0, has_softmax = (largest <= FL_LARGEST) & (d.hi == d.hi);
    real inverse = 1 / (1 + e), least = e * inverse;
    return (fl_two_shares){(is_wrong ? size : 0) + fl_log1p_unit(e, is_wrong ? rest : 0),
                           is_wrong ? inverse : least, least * inverse,
                           has_softmax ? 0 : FL_INFINITY - FL_INFINITY};
}

FL_INLINE void fl_cross_entropy_of_two(const fl_row_tile *t, const int want_gradient,
                                       const int want_hessian) {
    size_t n = t->n_rows & ~(size_t)15;
    fl_row_state *s = t->state;
    const real *z0 = t->prediction.data, *z1 = z0 + t->prediction.stride;
    const real *own_weight = t->options->own;
    const real_int *label = t->label;
    real w0 = own_weight ? own_weight[0] : 1, w1 = own_weight ? own_weight[1] : 1;
    real *value = t->value, *g0 = t->gradient.data, *g1 = g0, *h0 = t->hessian.data, *h1 = h0;
    g1 += want_gradient ? t->gradient.stride : 0;
    h1 += want_hessian ? t->hessian.stride : 0;
    fl_begin_weights(t);
    FL_INDEPENDENT_LOOP
    for (size_t i = 0; i < n; i++) {
        int ignored = label[i] < 0, second = label[i] > 0;
        real first_z = z0[i], second_z = z1[i], class_weight = second ? w1 : w0;
        fl_two_shares p = fl_share_of_two(second ? second_z : first_z, second ? first_z : second_z);
        value[i] = ignored ? 0 : fl_fma(class_weight, p.loss, p.nan);
        real weight = ignored ? 0 : fl_fma(s->weight[i], class_weight, p.nan);
        if (want_gradient) {
            real slope = weight * p.share;
            g0[i] = second ? slope : -slope;
            g1[i] = second ? -slope : slope;
        }
        if (want_hessian)
            h0[i] = h1[i] = weight * p.spread;
    }
}

#endif
