/* Rows brought together by code. */
#include "evaluation.h"

void fl_order_by_code(const uint32_t *codes, size_t n, size_t n_codes, ptrdiff_t *starts, uint32_t *order) {
    memset(starts, 0, (n_codes + 1) * sizeof *starts);
    for (size_t i = 0; i < n; i++)
        starts[codes[i] + 1]++;
    for (size_t c = 0; c < n_codes; c++)
        starts[c + 1] += starts[c];
    for (size_t i = 0; i < n; i++)
        order[starts[codes[i]]++] = (uint32_t)i;
    memmove(starts + 1, starts, n_codes * sizeof *starts); /* they have moved to the ends */
    starts[0] = 0;
}

static void fl_gather_words(const uint32_t *from, const uint32_t *order, size_t n, uint32_t *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = from[order[i]];
}

static void fl_gather_bytes(const uint8_t *from, const uint32_t *order, size_t n, uint8_t *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = from[order[i]];
}

static void fl_gather_doubles(const uint64_t *from, const uint32_t *order, size_t n, uint64_t *to) {
    for (size_t i = 0; i < n; i++)
        to[i] = from[order[i]];
}

void fl_gather(const char *from, size_t itemsize, const uint32_t *order, size_t n, char *to) {
    if (itemsize == 1)
        fl_gather_bytes((const void *)from, order, n, (void *)to);
    else if (itemsize == sizeof(uint32_t))
        fl_gather_words((const void *)from, order, n, (void *)to);
    else if (itemsize == sizeof(uint64_t))
        fl_gather_doubles((const void *)from, order, n, (void *)to);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + i * itemsize, from + order[i] * itemsize, itemsize);
}
