/* Sorting long rows of numbers by their digits, the lowest first: a pass for each byte of their patterns, in
 * which equal digits keep their order. It takes a third of the time of a sort by comparisons, and each pass
 * can be stopped. */
#ifndef FL_TRANSPORT_DIGITS_H
#define FL_TRANSPORT_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../pass/watch.h"

enum { FL_DIGITS = 8, FL_DIGIT_VALUES = 256, FL_SORTED_BY_DIGITS = 1024 };

/* Numbers, and the place of each in the row that was given. */
typedef struct {
    double *x;
    ptrdiff_t *order; /* NULL: nobody asks */
} fl_sorting;

/* Patterns in the order of the numbers, and back. */
static inline uint64_t fl_key_of(double x) {
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b >> 63 ? ~b : b | (uint64_t)1 << 63;
}

static inline double fl_number_of(uint64_t key) {
    uint64_t b = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

static inline void fl_move_by_digit(fl_sorting from, fl_sorting to, size_t start, size_t end, int shift,
                                    size_t *place) {
    for (size_t i = start; i < end; i++) {
        uint64_t key;
        memcpy(&key, &from.x[i], sizeof key);
        size_t at = place[key >> shift & (FL_DIGIT_VALUES - 1)]++;
        to.x[at] = from.x[i];
        if (to.order)
            to.order[at] = from.order[i];
    }
}

/* n finite numbers between two places: where they are sorted in the end. What a stopped call leaves is
 * anything. */
static fl_sorting fl_sort_by_digits(fl_sorting from, fl_sorting to, size_t n, fl_watch *watch) {
    size_t count[FL_DIGITS][FL_DIGIT_VALUES] = {{0}};
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t i = at; i < end; i++) {
            uint64_t key = fl_key_of(from.x[i]);
            memcpy(&from.x[i], &key, sizeof key);
            if (from.order)
                from.order[i] = (ptrdiff_t)i;
            for (int digit = 0; digit < FL_DIGITS; digit++)
                count[digit][key >> 8 * digit & (FL_DIGIT_VALUES - 1)]++;
        }
    for (int digit = 0; digit < FL_DIGITS; digit++) {
        size_t place[FL_DIGIT_VALUES], before = 0, largest = 0;
        for (int value = 0; value < FL_DIGIT_VALUES; value++) {
            place[value] = before;
            before += count[digit][value];
            largest = count[digit][value] > largest ? count[digit][value] : largest;
        }
        if (largest == n)
            continue;
        for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
            fl_move_by_digit(from, to, at, end, 8 * digit, place);
        fl_sorting sorted = to;
        to = from;
        from = sorted;
    }
    for (size_t at = 0, end; (end = fl_stretch(watch, at, n)) > at; at = end)
        for (size_t i = at; i < end; i++) {
            uint64_t key;
            memcpy(&key, &from.x[i], sizeof key);
            from.x[i] = fl_number_of(key);
        }
    return from;
}

#endif
