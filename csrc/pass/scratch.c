/* Where scratch comes from. Small calls are faster than malloc: one piece of memory that most of them fit
 * into is made once and lent to one call at a time. */
#include "scratch.h"

#include <stdlib.h>

enum { FL_SPARE_BYTES = 64 << 10, FL_LINE = 64 };

static void *fl_spare = NULL; /* while nobody has it */
static int fl_has_spare = 0;  /* whether it was ever made */

/* In the line before the memory. */
typedef struct {
    void *allocated;
    size_t bytes;
    int is_spare;
} fl_owner;

static fl_owner *fl_owner_of(void *memory) {
    return (fl_owner *)(void *)((char *)memory - FL_LINE);
}

static void *fl_allocate(size_t bytes, int is_spare) {
    char *allocated = bytes <= SIZE_MAX - 2 * FL_LINE ? malloc(bytes + 2 * FL_LINE) : NULL;
    if (!allocated)
        return NULL;
    char *memory = allocated + 2 * FL_LINE - (uintptr_t)allocated % FL_LINE;
    *fl_owner_of(memory) = (fl_owner){allocated, bytes, is_spare};
    return memory;
}

void *fl_get_scratch(size_t bytes) {
    if (bytes > FL_SPARE_BYTES)
        return fl_allocate(bytes, 0);
    void *spare = __atomic_exchange_n(&fl_spare, NULL, __ATOMIC_ACQUIRE);
    if (!spare && !__atomic_exchange_n(&fl_has_spare, 1, __ATOMIC_RELAXED))
        spare = fl_allocate(FL_SPARE_BYTES, 1);
    return spare ? spare : fl_allocate(bytes, 0);
}

void fl_give_scratch(void *memory) {
    if (!memory)
        return;
    fl_owner *owner = fl_owner_of(memory);
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(memory, owner->bytes);
#endif
    if (owner->is_spare)
        __atomic_store_n(&fl_spare, memory, __ATOMIC_RELEASE);
    else
        free(owner->allocated);
}
