/* The kinds of items that are sorted, each with its instance of radix.h. */
#ifndef FL_RANKING_KINDS_H
#define FL_RANKING_KINDS_H

#include <stdlib.h>

#include "../pass/watch.h"
#include "words.h"

enum {
    FL_DIGIT_COUNTS = 3 << 11, /* of all digits; four of 9 bits have fewer */
    FL_FEW = 32,               /* so many are sorted by insertion */
    FL_GROUPS = 1024           /* read at once */
};

typedef struct {
    uint64_t word;
    double weight;
} fl_weighed;

/* Groups of equal scores, a block of them at a time. */
typedef struct {
    size_t at, n;
    double negative_so_far, positive_so_far;
    uint64_t key[FL_GROUPS];
    double negative[FL_GROUPS], positive[FL_GROUPS];
} fl_groups;

#define FL_ITEM uint32_t
#define FL_WORD(item) (item)
#define FL_WORD_BITS 32
#define FL_DIGITS 3
#define FL_WEIGHT(item) 1.0
#define FL_NAMED(name) name##_words32
#include "radix.h"

#define FL_ITEM uint64_t
#define FL_WORD(item) (item)
#define FL_WORD_BITS 64
#define FL_DIGITS 4
#define FL_WEIGHT(item) 1.0
#define FL_NAMED(name) name##_words64
#include "radix.h"

#define FL_ITEM fl_weighed
#define FL_WORD(item) ((item).word)
#define FL_WORD_BITS 64
#define FL_DIGITS 4
#define FL_WEIGHT(item) ((item).weight)
#define FL_NAMED(name) name##_weighed
#include "radix.h"

#endif
