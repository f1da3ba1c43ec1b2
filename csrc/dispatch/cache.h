/* Whether streaming stores can pay. */
#ifndef FL_DISPATCH_CACHE_H
#define FL_DISPATCH_CACHE_H

#include <stddef.h>

/* Whether so many bytes exceed one and a half times the last-level cache, 32 MiB where the system does not
 * tell: what is written to them will be gone from the caches before anyone reads it. */
int fl_exceeds_cache(size_t bytes);

#endif
