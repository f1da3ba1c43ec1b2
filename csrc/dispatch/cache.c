#include "cache.h"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

size_t fl_last_level_cache(void) {
    static size_t size = 0;
    if (size == 0) {
        long found = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
        found = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
        size = found > 0 ? (size_t)found : (size_t)32 << 20;
    }
    return size;
}
