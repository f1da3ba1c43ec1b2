/* The size of a block. */
#ifndef FL_BLOCKS_BLOCK_H
#define FL_BLOCKS_BLOCK_H

#include "../lanes.h"

enum {
    /* Bytes of one array of a block. The six that a call can need stay in L1 together with their sources;
     * larger blocks make the memory wait longer for the passes that only touch L1, smaller ones make more
     * calls. */
    FL_BLOCK_BYTES = 4096,
    /* Elements that lie apart or are of another byte order, gathered before they are converted, a piece of a
     * block at a time. */
    FL_RAW_BYTES = 4096
};

#endif
