/* What digest.c prints, and what it gives the library: fingerprints, numbers, arrays. */
#ifndef FL_TESTS_C_DIGEST_H
#define FL_TESTS_C_DIGEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fastloss.h"

/* ---- The fingerprint: words multiplied in, as FNV-1a does with bytes. */

static uint64_t fingerprint;

static void add(uint64_t word) {
    fingerprint = (fingerprint ^ word) * 0x100000001b3;
    fingerprint ^= fingerprint >> 29;
}

static void add_double(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    add(x == x ? bits : 0x7ff8000000000000);
}

static void add_reals(const void *x, size_t n, int float32) {
    for (size_t i = 0; i < n; i++)
        add_double(float32 ? (double)((const float *)x)[i] : ((const double *)x)[i]);
}

/* What is refused computes nothing. */
static void accept(fl_status status) {
    if (status == FL_OK)
        return;
    fprintf(stderr, "refused: status %d\n", (int)status);
    exit(1);
}

static void begin(void) {
    fingerprint = 0xcbf29ce484222325;
}

static void finish(const char *family, const char *kernel, const char *precision) {
    printf("%s %s %s %s %016llx\n", fl_isa(), family, kernel, precision, (unsigned long long)fingerprint);
}

/* ---- Numbers: the same ones everywhere. */

static uint64_t state;

static uint64_t next(void) {
    uint64_t x = state += 0x9e3779b97f4a7c15; /* splitmix64 */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

/* In [0, 1), a multiple of 2^-24, so that float32 holds it. */
static double uniform(void) {
    return (double)(next() >> 40) * 0x1p-24;
}

static int below(int n) {
    return (int)(next() >> 33) % n;
}

/* Magnitudes from 2^-lowest to 2^highest. */
static double wide(int lowest, int highest) {
    double x = 1 + uniform();
    int exponent = below(highest + lowest) - lowest;
    for (; exponent > 0; exponent--)
        x *= 2;
    for (; exponent < 0; exponent++)
        x *= 0.5;
    return x;
}

static double any_number(void) {
    static const double special[] = {0.0,  -0.0,  1.0,  -1.0,  0.5,   -0.5,
                                     88.5, -88.5, 1e30, -1e30, 3e-39, -3e-39};
    int kind = below(32);
    if (kind == 0)
        return special[below(12)];
    if (kind < 5)
        return wide(40, 40) * (below(2) ? 1 : -1);
    return uniform() * 16 - 8;
}

/* As the domain asks. */
static double number(const fl_domain *d) {
    if (d->integral)
        return d->low < 0 ? below(3) - 1 : below(2);
    if (d->low < -1)
        return any_number();
    if (d->high == 1)
        return below(4) == 0 ? below(2) : below(4) == 0 ? 0x1p-30 : uniform();
    if (d->low == -1)
        return below(4) == 0 ? -1 + wide(20, 0) : wide(30, 20);
    return below(16) == 0 && !d->open_low ? 0 : wide(20, 10);
}

static void poison(double *x, size_t n) {
    if (n > 40) {
        x[n / 3] = __builtin_nan("");
        x[n / 4] = __builtin_inf();
        x[n / 5] = -__builtin_inf();
    }
}

/* ---- Arrays: numbers are made as doubles, then stored as the precision's reals. */

enum { MOST = 80 * 1024 };

static double made[MOST];

/* Memory for n of them, zeroed: what is not written is the same everywhere. */
static void *new_reals(size_t n, int float32) {
    void *memory = calloc(n + 2, float32 ? 4 : 8);
    if (!memory)
        exit(9);
    return memory;
}

static void *as_reals(const double *x, size_t n, int float32) {
    void *memory = new_reals(n, float32);
    for (size_t i = 0; i < n; i++)
        if (float32)
            ((float *)memory)[i] = (float)x[i];
        else
            ((double *)memory)[i] = x[i];
    return memory;
}

static fl_array vector(void *data, fl_dtype dtype, size_t n, size_t itemsize) {
    fl_array a = {.data = data, .dtype = dtype, .n_dims = 1};
    a.shape[0] = (ptrdiff_t)n;
    a.strides[0] = (ptrdiff_t)itemsize;
    return a;
}

static fl_array reals(void *data, size_t n, int float32) {
    return vector(data, float32 ? FL_FLOAT32 : FL_FLOAT64, n, float32 ? 4 : 8);
}

static fl_array matrix(void *data, size_t rows, size_t columns, int float32, int fortran) {
    fl_array a = reals(data, rows, float32);
    a.n_dims = 2;
    a.shape[1] = (ptrdiff_t)columns;
    a.strides[1] = fortran ? a.strides[0] * (ptrdiff_t)rows : a.strides[0];
    a.strides[0] = fortran ? a.strides[0] : a.strides[0] * (ptrdiff_t)columns;
    return a;
}

static const fl_array absent;

#endif
