/*
 * What a kernel wants to know about a block of bytes: bit N is about byte N.
 */
#ifndef SERVER_RECORDS_RECORD_KERNEL_MASKS_H_
#define SERVER_RECORDS_RECORD_KERNEL_MASKS_H_

#include <stdint.h>

enum { BLOCK_SIZE = 64 };

struct block_masks {
    uint64_t stops; /* quotes, backslashes and control characters: no plain text has them */
    uint64_t high;  /* not ASCII: pieces of UTF-8, perhaps */
};

#endif /* SERVER_RECORDS_RECORD_KERNEL_MASKS_H_ */
