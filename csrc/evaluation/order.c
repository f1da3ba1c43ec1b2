/* Rows brought together by code. */
#include "evaluation.h"

/* Rows that are placed at a time: their places stay in the cache while the arrays follow. */
enum { FL_ROWS_AT_ONCE = 512 };

static void fl_put_words(const uint32_t *from, const uint32_t *places, size_t n, uint32_t *to) {
    for (size_t i = 0; i < n; i++)
        to[places[i]] = from[i];
}

static void fl_put_bytes(const uint8_t *from, const uint32_t *places, size_t n, uint8_t *to) {
    for (size_t i = 0; i < n; i++)
        to[places[i]] = from[i];
}

static void fl_put_doubles(const uint64_t *from, const uint32_t *places, size_t n, uint64_t *to) {
    for (size_t i = 0; i < n; i++)
        to[places[i]] = from[i];
}

static void fl_put_rows(const char *from, size_t itemsize, const uint32_t *places, size_t n, char *to) {
    if (itemsize == 1)
        fl_put_bytes((const void *)from, places, n, (void *)to);
    else if (itemsize == sizeof(uint32_t))
        fl_put_words((const void *)from, places, n, (void *)to);
    else if (itemsize == sizeof(uint64_t))
        fl_put_doubles((const void *)from, places, n, (void *)to);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(to + places[i] * itemsize, from + i * itemsize, itemsize);
}

void fl_bring_together(const uint32_t *codes, size_t n, size_t n_codes, size_t n_arrays,
                       const fl_row_array *arrays, ptrdiff_t *starts, uint32_t *next) {
    uint32_t places[FL_ROWS_AT_ONCE], at = 0;
    memset(next, 0, n_codes * sizeof *next);
    for (size_t i = 0; i < n; i++)
        next[codes[i]]++;
    for (size_t c = 0; c < n_codes; c++) {
        uint32_t count = next[c];
        starts[c] = next[c] = at;
        at += count;
    }
    starts[n_codes] = (ptrdiff_t)n;
    for (size_t start = 0; start < n; start += FL_ROWS_AT_ONCE) {
        size_t length = n - start < FL_ROWS_AT_ONCE ? n - start : FL_ROWS_AT_ONCE;
        for (size_t i = 0; i < length; i++)
            places[i] = next[codes[start + i]]++;
        for (size_t k = 0; k < n_arrays; k++) {
            size_t itemsize = arrays[k].itemsize;
            fl_put_rows(arrays[k].from + start * itemsize, itemsize, places, length, arrays[k].to);
        }
    }
}
