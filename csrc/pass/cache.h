/* Whether streaming stores can pay. */
#ifndef FL_PASS_CACHE_H
#define FL_PASS_CACHE_H

#include <stddef.h>

/* Of the last level, in bytes; 32 MiB where the system does not tell. */
size_t fl_cache_size(void);

/* Whether so many bytes fill the last-level cache but for an eighth: a reader of what is written finds
 * little of it there, and loses no more than a long computation gains by not waiting for lines that it
 * overwrites. */
int fl_fills_cache(size_t bytes);

/* Whether so many bytes exceed one and a half times the last-level cache: what is written to them will
 * be gone from the caches before anyone reads it. */
int fl_exceeds_cache(size_t bytes);

#endif
