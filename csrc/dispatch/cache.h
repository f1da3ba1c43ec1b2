/* The size of the last-level cache. */
#ifndef FL_DISPATCH_CACHE_H
#define FL_DISPATCH_CACHE_H

#include <stddef.h>

/* Bytes; 32 MiB where the system does not tell. */
size_t fl_last_level_cache(void);

#endif
