/* The logarithm of the gamma function and its derivatives, for positive numbers; NaN below 0.
 *
 * From 8 on by Stirling's series; below, the argument is moved by whole numbers: to [1.3, 2.5] for log Γ,
 * which is a number times its distance from 2 there, to [1, 2.75] for ψ, which has a root there, up to 8 for
 * the others, whose terms all have one sign. */
#ifndef FL_VECMATH_GAMMA_H
#define FL_VECMATH_GAMMA_H

#include "elementary.h"

/* result, or the limit at 0, or NaN below it, or the limit at infinity. */
FL_INLINE real fl_of_positive(real x, real result, real at_zero, real at_infinity) {
    real any = x > 0 ? result : (x == 0 ? at_zero : FL_NAN);
    return x > FL_LARGEST ? at_infinity : any;
}

/* log x for x > 0 as a pair, times e^tail. */
FL_INLINE fl_pair fl_log_pair_of_positive(real x, real tail) {
    int is_small = x < FL_SMALLEST_NORMAL;
    return fl_log_pair(is_small ? x * FL_UP : x, is_small ? -FL_UP_LOG2 : 0, tail);
}

/* log Γ(x). Relative error of log Γ(2 + u)/u 2^-28 (2^-59), of Stirling's rest 2^-24 (2^-50). Max error 1.8
 * ULP. */
FL_INLINE real fl_lgamma(real x) {
    /* log Γ(x) = log Γ(2 + u) ± log(product), u in [−0.7, ½] */
    int is_low = x < (real)1.3, is_lowest = x < (real)0.5;
    fl_pair next = fl_two_sum(x, 1), low = fl_two_product(x, is_lowest ? next.hi : 1);
    real low_lo = is_lowest ? fl_fma(x, next.lo, low.lo) : 0;
    real v = x, product = 1;
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
        int moves = v >= (real)2.5;
        v = moves ? v - 1 : v;
        product = moves ? product * v : product;
    }
    real argument = is_low ? low.hi : product, u = is_low ? (is_lowest ? x : x - 1) : v - 2;
    fl_pair l = fl_log_pair_of_positive(argument, is_low ? low_lo / low.hi : 0);
    l.hi = is_low ? -l.hi : l.hi;
    l.lo = is_low ? -l.lo : l.lo;
#if FL_PRECISION == 32
    real q = -0x1.db2f08p-14f;
    q = fl_fma(q, u, 0x1.82dbc4p-14f);
    q = fl_fma(q, u, -0x1.786264p-13f);
    q = fl_fma(q, u, 0x1.10689ep-11f);
    q = fl_fma(q, u, -0x1.3b7128p-10f);
    q = fl_fma(q, u, 0x1.7a8e14p-9f);
    q = fl_fma(q, u, -0x1.e3f26ep-8f);
    q = fl_fma(q, u, 0x1.5132f2p-6f);
    q = fl_fma(q, u, -0x1.13e00ep-4f);
    q = fl_fma(q, u, 0x1.4a34ccp-2f);
#else
    real q = -0x1.5bfa9bebdff7dp-25;
    q = fl_fma(q, u, -0x1.1449a803ea8eap-25);
    q = fl_fma(q, u, 0x1.d14c91a4373adp-32);
    q = fl_fma(q, u, 0x1.c7336ec844917p-24);
    q = fl_fma(q, u, -0x1.9abf430b4e21ap-24);
    q = fl_fma(q, u, 0x1.81cef19f6cb25p-23);
    q = fl_fma(q, u, -0x1.eca3f8849a893p-22);
    q = fl_fma(q, u, 0x1.030a6a630be1fp-20);
    q = fl_fma(q, u, -0x1.11246cc3f9774p-19);
    q = fl_fma(q, u, 0x1.2578b85904595p-18);
    q = fl_fma(q, u, -0x1.3cc4a0ee9e569p-17);
    q = fl_fma(q, u, 0x1.580eadca23b7cp-16);
    q = fl_fma(q, u, -0x1.78de176fe897ep-15);
    q = fl_fma(q, u, 0x1.a127ad18487a8p-14);
    q = fl_fma(q, u, -0x1.d3fd4dd25ap-13);
    q = fl_fma(q, u, 0x1.0b36af8b4890cp-11);
    q = fl_fma(q, u, -0x1.38ac5c2a0130ap-10);
    q = fl_fma(q, u, 0x1.7add6eadaf3bbp-9);
    q = fl_fma(q, u, -0x1.e404fc2192435p-8);
    q = fl_fma(q, u, 0x1.51322ac7d84b2p-6);
    q = fl_fma(q, u, -0x1.13e001a5576p-4);
    q = fl_fma(q, u, 0x1.4a34cc4a60fa6p-2);
#endif
    const fl_pair first = {FL_CONST(0x1.b0ee6p-2, 0x1.b0ee6072093cep-2),
                           FL_CONST(0x1.c824f4p-28, 0x1.62dd25cc10816p-58)};
    fl_pair tail = fl_two_product(u, q), sum = fl_fast_two_sum(first.hi, tail.hi);
    fl_pair of_u = fl_two_product(u, sum.hi), whole = fl_two_sum(of_u.hi, l.hi);
    real small = fl_fma(u, sum.lo + (tail.lo + first.lo), of_u.lo + l.lo);
    real near = whole.hi + (whole.lo + small);
    /* (x − ½)·log x − x + ½·log 2π + T(1/x²)/x */
    const real half_log_2pi = FL_CONST(0x1.d67f1cp-1, 0x1.d67f1c864beb5p-1);
    fl_pair log_x = fl_log_pair(x, 0, 0);
    fl_pair p = fl_two_product(x - (real)0.5, log_x.hi), s = fl_two_difference(p.hi, x);
    real inverse = 1 / x, w = inverse * inverse;
#if FL_PRECISION == 32
    real t = 0x1.98f67cp-11f;
    t = fl_fma(t, w, -0x1.6c1418p-9f);
    t = fl_fma(t, w, 0x1.555556p-4f);
#else
    real t = -0x1.b1382333e76edp-10;
    t = fl_fma(t, w, 0x1.b6fa484ced22dp-11);
    t = fl_fma(t, w, -0x1.380ebd722c7aep-11);
    t = fl_fma(t, w, 0x1.a019fd3406c6fp-11);
    t = fl_fma(t, w, -0x1.6c16c16bb630dp-9);
    t = fl_fma(t, w, 0x1.5555555555553p-4);
#endif
    real rest = fl_fma(x - (real)0.5, log_x.lo, p.lo) + fl_fma(t, inverse, half_log_2pi);
    real far = fl_abs(p.hi) <= FL_LARGEST ? s.hi + (s.lo + rest) : FL_INFINITY;
    return fl_of_positive(x, x < 8 ? near : far, FL_INFINITY, FL_INFINITY);
}

/* ψ(x) = (log Γ)'(x). Relative error of ψ/(x − root) 2^-28 (2^-58), of the series' rest 2^-24 (2^-47). Max
 * error 1.8 ULP. */
FL_INLINE real fl_digamma(real x) {
    const fl_pair root = {FL_CONST(0x1.762d86p0, 0x1.762d86356be3fp0),
                          FL_CONST(0x1.ab5f2p-27, 0x1.b86a722197829p-54)};
    int is_low = x < 1;
    real v = is_low ? x + 1 : x, sum = 0;
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
        int moves = v >= (real)2.75;
        v = moves ? v - 1 : v;
        sum = moves ? sum + 1 / v : sum;
    }
    real c = v - (real)1.875;
#if FL_PRECISION == 32
    real q = -0x1.f1ced6p-13f;
    q = fl_fma(q, c, 0x1.d2ecfp-12f);
    q = fl_fma(q, c, -0x1.a2560ap-13f);
    q = fl_fma(q, c, 0x1.898288p-12f);
    q = fl_fma(q, c, -0x1.68f614p-10f);
    q = fl_fma(q, c, 0x1.53e64cp-9f);
    q = fl_fma(q, c, -0x1.29f77ap-8f);
    q = fl_fma(q, c, 0x1.1aa97p-7f);
    q = fl_fma(q, c, -0x1.0f998cp-6f);
    q = fl_fma(q, c, 0x1.0697cep-5f);
    q = fl_fma(q, c, -0x1.033b56p-4f);
    q = fl_fma(q, c, 0x1.0a4992p-3f);
    q = fl_fma(q, c, -0x1.297b64p-2f);
#else
    real q = 0x1.8fb5465d56756p-25;
    q = fl_fma(q, c, -0x1.76b9fd73ae81ap-24);
    q = fl_fma(q, c, -0x1.96bbbf8b9ade7p-24);
    q = fl_fma(q, c, 0x1.7d4ff3fa0746dp-23);
    q = fl_fma(q, c, 0x1.4c9c809c04966p-22);
    q = fl_fma(q, c, -0x1.37d2eca58c59ap-21);
    q = fl_fma(q, c, 0x1.32919b503ec5p-23);
    q = fl_fma(q, c, -0x1.1f6ba4a26e022p-22);
    q = fl_fma(q, c, 0x1.7cc12fa2f201ep-20);
    q = fl_fma(q, c, -0x1.64f86271dafdep-19);
    q = fl_fma(q, c, 0x1.257991fe4dcccp-18);
    q = fl_fma(q, c, -0x1.1328bec5fc6cfp-17);
    q = fl_fma(q, c, 0x1.06e2d33018b5p-16);
    q = fl_fma(q, c, -0x1.ed0567b47e06cp-16);
    q = fl_fma(q, c, 0x1.cd8a29b766729p-15);
    q = fl_fma(q, c, -0x1.b0ec0db50c372p-14);
    q = fl_fma(q, c, 0x1.963e94f49edadp-13);
    q = fl_fma(q, c, -0x1.7d5554803230cp-12);
    q = fl_fma(q, c, 0x1.6631c8a79c93fp-11);
    q = fl_fma(q, c, -0x1.50d2fdc200772p-10);
    q = fl_fma(q, c, 0x1.3d4426bad928dp-9);
    q = fl_fma(q, c, -0x1.2ba6439d6e411p-8);
    q = fl_fma(q, c, 0x1.1c3d625413578p-7);
    q = fl_fma(q, c, -0x1.0f8b7d7c6043ap-6);
    q = fl_fma(q, c, 0x1.068a9e9763327p-5);
    q = fl_fma(q, c, -0x1.033b816289f14p-4);
    q = fl_fma(q, c, 0x1.0a49baa9da9a7p-3);
    q = fl_fma(q, c, -0x1.297b63c4fae22p-2);
#endif
    const fl_pair first = {FL_CONST(0x1.a3b07ep-1, 0x1.a3b07e045f71ep-1),
                           FL_CONST(0x1.17dc76p-31, -0x1.218f4875723dp-55)};
    q = first.hi + fl_fma(c, q, first.lo);
    fl_pair d = fl_two_difference(v, root.hi);
    real psi = fl_fma(d.hi, q, (d.lo - root.lo) * q);
    real inverse = 1 / x, inverse_lo = fl_remainder(1, inverse, x) * inverse;
    fl_pair below = fl_two_difference(psi, inverse);
    real low = fl_abs(inverse) <= FL_LARGEST ? below.hi + (below.lo - inverse_lo) : -inverse;
    real near = is_low ? low : psi + sum;
    /* log x − 1/(2x) − w·A(w), w = 1/x² */
    fl_pair l = fl_log_pair(x, 0, 0);
    real w = inverse * inverse;
#if FL_PRECISION == 32
    real t = 0x1.fbb80ep-9f;
    t = fl_fma(t, w, -0x1.110c74p-7f);
    t = fl_fma(t, w, 0x1.555556p-4f);
#else
    real t = -0x1.222dfd7b3496p-6;
    t = fl_fma(t, w, 0x1.ecc55e02c7129p-8);
    t = fl_fma(t, w, -0x1.1109888ea487cp-8);
    t = fl_fma(t, w, 0x1.04103a08e7191p-8);
    t = fl_fma(t, w, -0x1.1111110fe066cp-7);
    t = fl_fma(t, w, 0x1.5555555555534p-4);
#endif
    real far = l.hi + (l.lo - fl_fma(w, t, (real)0.5 * inverse));
    return fl_of_positive(x, x < 8 ? near : far, -FL_INFINITY, FL_INFINITY);
}

/* ψ'(x). Relative error of the series' rest 2^-24 (2^-50). Max error 1.7 ULP. */
FL_INLINE real fl_trigamma(real x) {
    real v = x;
    fl_pair sum = {0, 0};
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
        int moves = v < 8;
        fl_pair next = fl_two_sum(sum.hi, moves ? 1 / (v * v) : 0);
        sum = (fl_pair){next.hi, sum.lo + next.lo};
        v = moves ? v + 1 : v;
    }
    real inverse = 1 / v, w = inverse * inverse;
#if FL_PRECISION == 32
    real t = 0x1.79c7fap-6f;
    t = fl_fma(t, w, -0x1.1107eep-5f);
    t = fl_fma(t, w, 0x1.555554p-3f);
#else
    real t = 0x1.b7a5f3e9ebbd6p-1;
    t = fl_fma(t, w, -0x1.f9d9c704aed21p-3);
    t = fl_fma(t, w, 0x1.360bc3aae5e27p-4);
    t = fl_fma(t, w, -0x1.11105c88802afp-5);
    t = fl_fma(t, w, 0x1.8618609826fe6p-6);
    t = fl_fma(t, w, -0x1.11111110f37eep-5);
    t = fl_fma(t, w, 0x1.5555555555551p-3);
#endif
    real series = fl_fma(w, fl_fma(inverse, t, (real)0.5), inverse);
    real result = sum.hi <= FL_LARGEST ? sum.hi + (sum.lo + series) : sum.hi;
    return fl_of_positive(x, result, FL_INFINITY, 0);
}

/* ψ''(x). Relative error of the series' rest 2^-23 (2^-47). Max error 2.5 ULP. */
FL_INLINE real fl_tetragamma(real x) {
    real v = x;
    fl_pair sum = {0, 0};
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) {
        int moves = v < 8;
        fl_pair next = fl_two_sum(sum.hi, moves ? 2 / (v * v * v) : 0);
        sum = (fl_pair){next.hi, sum.lo + next.lo};
        v = moves ? v + 1 : v;
    }
    real inverse = 1 / v, w = inverse * inverse;
#if FL_PRECISION == 32
    real t = 0x1.479874p-3f;
    t = fl_fma(t, w, -0x1.5541p-3f);
    t = fl_fma(t, w, 0x1.fffffep-2f);
#else
    real t = 0x1.8c8e852b7edbbp3;
    t = fl_fma(t, w, -0x1.9850595fdd5e3p1);
    t = fl_fma(t, w, 0x1.aa240980ee6d6p-1);
    t = fl_fma(t, w, -0x1.3331c2bf311abp-2);
    t = fl_fma(t, w, 0x1.55555370596b9p-3);
    t = fl_fma(t, w, -0x1.55555554dcddep-3);
    t = fl_fma(t, w, 0x1.fffffffffffd9p-2);
#endif
    real series = fl_fma(w * w, t, fl_fma(w, inverse, w));
    real result = sum.hi <= FL_LARGEST ? sum.hi + (sum.lo + series) : sum.hi;
    return fl_of_positive(x, -result, -FL_INFINITY, 0);
}

#endif
