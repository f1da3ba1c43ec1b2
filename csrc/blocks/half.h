/* The 16-bit floating-point formats, by integer arithmetic that vectorises on every machine. */
#ifndef FL_BLOCKS_HALF_H
#define FL_BLOCKS_HALF_H

#include <stdint.h>
#include <string.h>

static inline float fl_float_from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t fl_bits_from_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float fl_float_from_bfloat16(uint16_t h) {
    return fl_float_from_bits((uint32_t)h << 16);
}

/* Exponent and fraction go to their float places, still biased by 15: a product with 2^(127-15) corrects
 * the bias and normalises subnormals at once; infinities and NaN get float's top exponent afterwards. */
static inline float fl_float_from_float16(uint16_t h) {
    uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13, sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t bits = fl_bits_from_float(fl_float_from_bits(magnitude) * 0x1p112f);
    uint32_t special = (h & 0x7c00) == 0x7c00 ? 0x7f800000u : 0;
    return fl_float_from_bits(bits | special | sign);
}

/* Round to nearest even: half a unit in the last place kept, less one if that place is even. */
static inline uint16_t fl_bfloat16_from_float(float x) {
    uint32_t bits = fl_bits_from_float(x);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    uint32_t nan = (bits >> 16) | 0x40;
    return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

static inline uint16_t fl_float16_from_float(float x) {
    uint32_t bits = fl_bits_from_float(x), sign = (bits >> 16) & 0x8000, a = bits & 0x7fffffff;
    /* Normal results: rebias the exponent, round to nearest even at bit 13. */
    uint32_t normal = (a - (112u << 23) + 0xfff + ((a >> 13) & 1)) >> 13;
    /* Below 2^-14: adding 1/2 aligns the fraction with the last subnormal bit, and the addition rounds. */
    uint32_t subnormal = fl_bits_from_float(fl_float_from_bits(a) + 0.5f) - 0x3f000000u;
    uint32_t h = a < (113u << 23) ? subnormal : normal;
    h = a >= 0x477ff000u ? 0x7c00 : h; /* 65520 and more round to infinity */
    h = a > 0x7f800000u ? 0x7e00 : h;
    return (uint16_t)(h | sign);
}

#endif
