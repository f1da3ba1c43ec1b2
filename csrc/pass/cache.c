#include "cache.h"

#include <stdio.h>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

/* What one core sees. sysconf() comes second: on AMD glibc gives the caches of the whole package. */
static size_t fl_ask_cache(void) {
    size_t kibibytes = 0;
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    if (file) {
        if (fscanf(file, "%zuK", &kibibytes) != 1)
            kibibytes = 0;
        fclose(file);
    }
    if (kibibytes)
        return kibibytes << 10;
    long found = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
    found = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    return found > 0 ? (size_t)found : (size_t)32 << 20;
}

size_t fl_cache_size(void) {
    static size_t size = 0;
    if (size == 0)
        size = fl_ask_cache();
    return size;
}

int fl_fills_cache(size_t bytes) {
    return bytes > fl_cache_size() / 8 * 7;
}

int fl_exceeds_cache(size_t bytes) {
    return bytes > fl_cache_size() / 2 * 3;
}
