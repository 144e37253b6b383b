/*
 * What has been received, counted by the workers and read by the reporter. A unique number counts
 * once its line is in a block for the log, so that what is dropped after a failure does not.
 *
 * Threading: any thread may add and read. The two counts are read one after the other: a report
 * made meanwhile may miss a little of one of them, and the next report then has it.
 */
#ifndef SERVER_NUMBERS_TALLY_H_
#define SERVER_NUMBERS_TALLY_H_

#include <stdint.h>

#include "server/runtime/atomics.h"

struct tally {
    ATOMIC_FIELD(uint64_t) unique_count;
    ATOMIC_FIELD(uint64_t) duplicate_count;
};

#endif /* SERVER_NUMBERS_TALLY_H_ */
