/* A stable sort of words by all their bits but the lowest, and what the words in order say.
 *
 * Included once for each kind of item: FL_ITEM is its type, FL_WORD(item) its word of FL_WORD_BITS bits,
 * FL_DIGITS how many digits it is sorted by, FL_WEIGHT(item) its weight, and FL_NAMED(name) tells the instances'
 * functions apart.
 *
 * They are sorted by from the least to the most significant. Three of 11 bits are all of a 32-bit word, and a pass
 * less is worth that the lines it writes to are more than the first cache has. Longer items have four of 9 bits, whose
 * lines it has: a 64-bit word is sorted by its upper 33 bits; words that agree in these are mostly few, and settled in
 * their places. */

/* In order of the bits from `low` on, `bits` of them. Returns the array that holds the result; NULL when
 * stopped. */
static inline FL_ITEM *FL_NAMED(fl_sort_by_bits)(FL_ITEM *items, FL_ITEM *spare, size_t n, int low, int bits,
                                                 size_t *counts, fl_watch *watch) {
    int width = (bits + FL_DIGITS - 1) / FL_DIGITS;
    size_t values = (size_t)1 << width, mask = values - 1;
    memset(counts, 0, FL_DIGITS * values * sizeof *counts);
    for (size_t i = 0; i < n; i++) {
        uint64_t word = FL_WORD(items[i]) >> low;
        for (int d = 0; d < FL_DIGITS; d++, word >>= width)
            counts[(size_t)d * values + (word & mask)]++;
    }
    for (int d = 0; d < FL_DIGITS; d++) {
        size_t *count = counts + (size_t)d * values, before = 0;
        int shift = low + d * width;
        if (count[FL_WORD(items[0]) >> shift & mask] == n)
            continue; /* all of them have this digit */
        for (size_t v = 0; v < values; v++) {
            size_t here = count[v];
            count[v] = before;
            before += here;
        }
        for (size_t i = 0; i < n; i++)
            spare[count[FL_WORD(items[i]) >> shift & mask]++] = items[i];
        FL_ITEM *other = items;
        items = spare;
        spare = other;
        size_t done = 0;
        if (fl_stops(watch, &done, FL_WATCHED_STRETCH))
            return NULL;
    }
    return items;
}

static inline void FL_NAMED(fl_insert)(FL_ITEM *items, size_t n) {
    for (size_t i = 1; i < n; i++) {
        FL_ITEM item = items[i];
        size_t at = i;
        for (; at > 0 && FL_WORD(items[at - 1]) >> 1 > FL_WORD(item) >> 1; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}

#if FL_WORD_BITS > 32
/* Puts words that agree in the bits from `bit` on in order; returns 0 when stopped. */
static inline int FL_NAMED(fl_settle)(FL_ITEM *items, FL_ITEM *spare, size_t n, int bit, size_t *counts,
                                      fl_watch *watch) {
    for (size_t start = 0, end = 1; start < n; start = end++) {
        uint64_t different = 0;
        while (end < n && FL_WORD(items[end]) >> bit == FL_WORD(items[start]) >> bit) {
            different |= FL_WORD(items[end]) ^ FL_WORD(items[start]);
            end++;
        }
        if (different >> 1 == 0)
            continue;
        if (end - start <= FL_FEW) {
            FL_NAMED(fl_insert)(items + start, end - start);
            continue;
        }
        FL_ITEM *sorted =
            FL_NAMED(fl_sort_by_bits)(items + start, spare + start, end - start, 1, bit - 1, counts, watch);
        if (!sorted)
            return 0;
        if (sorted != items + start)
            memcpy(items + start, sorted, (end - start) * sizeof *items);
    }
    return 1;
}
#endif

/* In order of all bits but the lowest. Returns the array that holds the result, NULL when stopped. */
static inline FL_ITEM *FL_NAMED(fl_sort)(FL_ITEM *items, FL_ITEM *spare, size_t n, size_t *counts,
                                         fl_watch *watch) {
    if (n <= FL_FEW) {
        FL_NAMED(fl_insert)(items, n);
        return items;
    }
#if FL_WORD_BITS > 32
    int bit = FL_WORD_BITS - 33;
    FL_ITEM *sorted = FL_NAMED(fl_sort_by_bits)(items, spare, n, bit, 33, counts, watch);
    return sorted && FL_NAMED(fl_settle)(sorted, sorted == items ? spare : items, n, bit, counts, watch)
               ? sorted
               : NULL;
#else
    return FL_NAMED(fl_sort_by_bits)(items, spare, n, 1, 31, counts, watch);
#endif
}

/* The next groups of equal scores: each one's key without the part, and the weights of the negative and of
 * the positive samples from the first to its last. Added one after the other, as a running sum is. */
static inline void FL_NAMED(fl_read_groups)(const FL_ITEM *items, size_t n, fl_groups *g) {
    double negative = g->negative_so_far, positive = g->positive_so_far;
    size_t i = g->at, k = 0;
    while (i < n && k < FL_GROUPS) {
        uint64_t key = FL_WORD(items[i]) >> 1;
        do {
            double weight = FL_WEIGHT(items[i]);
            int is_positive = FL_WORD(items[i]) & 1;
            positive += weight * (double)is_positive; /* no branch, which random labels would mislead */
            negative += weight * (double)!is_positive;
            i++;
        } while (i < n && FL_WORD(items[i]) >> 1 == key);
        g->key[k] = key;
        g->negative[k] = negative;
        g->positive[k++] = positive;
    }
    g->at = i;
    g->n = k;
    g->negative_so_far = negative;
    g->positive_so_far = positive;
}

static inline size_t FL_NAMED(fl_count_positive)(const FL_ITEM *items, size_t n) {
    size_t positive = 0;
    for (size_t i = 0; i < n; i++)
        positive += FL_WORD(items[i]) & 1;
    return positive;
}

/* The next groups of equal scores, about so many samples: how many samples there are from `at` to the end of each,
 * and how many of them are positive. Returns the number of groups. */
static inline size_t FL_NAMED(fl_read_ends)(const FL_ITEM *items, size_t *at, size_t n, uint32_t *ends,
                                            uint32_t *positive) {
    const FL_ITEM *from = items + *at;
    size_t left = n - *at, most = left < FL_GROUPS ? left : FL_GROUPS, k = 0, i = 0;
    uint32_t so_far = 0;
    for (int is_end = 1; i < most || !is_end; i++) {
        so_far += FL_WORD(from[i]) & 1;
        ends[k] = (uint32_t)i + 1;
        positive[k] = so_far;
        is_end = i + 1 == left || (FL_WORD(from[i]) ^ FL_WORD(from[i + 1])) >> 1;
        k += (size_t)is_end; /* no branch, which random scores would mislead */
    }
    *at += i;
    return k;
}

#undef FL_ITEM
#undef FL_WORD
#undef FL_WORD_BITS
#undef FL_DIGITS
#undef FL_WEIGHT
#undef FL_NAMED
