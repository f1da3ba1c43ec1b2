/* Bits of 64 moved by so many places, lane by lane, and none left where these are not from 0 to 63: as instructions
 * have it, but not C. */
#ifndef FL_SIMD_SHIFTS_H
#define FL_SIMD_SHIFTS_H

#include "simd.h"

typedef uint64_t fl_words64 __attribute__((vector_size(FL_VECTOR_BYTES)));

#if FL_VECTOR_BYTES == 64
FL_INLINE fl_words64 fl_moved_up(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm512_sllv_epi64((__m512i)x, (__m512i)places);
}

FL_INLINE fl_words64 fl_moved_down(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm512_srlv_epi64((__m512i)x, (__m512i)places);
}
#elif FL_VECTOR_BYTES == 32
FL_INLINE fl_words64 fl_moved_up(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm256_sllv_epi64((__m256i)x, (__m256i)places);
}

FL_INLINE fl_words64 fl_moved_down(fl_words64 x, fl_words64 places) {
    return (fl_words64)_mm256_srlv_epi64((__m256i)x, (__m256i)places);
}
#else
FL_INLINE fl_words64 fl_moved_up(fl_words64 x, fl_words64 places) {
    for (int k = 0; k < 2; k++)
        x[k] = places[k] < 64 ? x[k] << places[k] : 0;
    return x;
}

FL_INLINE fl_words64 fl_moved_down(fl_words64 x, fl_words64 places) {
    for (int k = 0; k < 2; k++)
        x[k] = places[k] < 64 ? x[k] >> places[k] : 0;
    return x;
}
#endif

#endif
