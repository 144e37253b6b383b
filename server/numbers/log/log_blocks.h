/*
 * Purpose: the blocks that lines wait in for the log, in one piece of memory, and lists of them.
 *
 * Both the free ones and those that are to be written are taken oldest first. For the free ones
 * that matters: memory that a disk, or the host of a virtual machine, has just read by itself can
 * cost several times as much to write to as memory that was left alone for a while.
 *
 * Ownership: log_blocks owns the memory; a list only points. Threading: no locks; the caller's
 * business.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_BLOCKS_H_
#define SERVER_NUMBERS_LOG_LOG_BLOCKS_H_

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The tables of blocks are part of the structs: enough for 32 producers with two blocks each. */
enum { LOG_BLOCK_COUNT_MAX = 64 };

struct log_block {
    char *bytes;
    size_t size;     /* bytes filled */
    size_t capacity; /* at most so many: the block_size of the configuration, or less */
};

struct log_block_list {
    struct log_block *blocks[LOG_BLOCK_COUNT_MAX]; /* oldest first */
    size_t count;
};

struct log_blocks {
    void *memory;
    size_t memory_size;
    struct log_block blocks[LOG_BLOCK_COUNT_MAX];
};

/* Makes count empty blocks of block_size bytes, each with room for slack_size more behind it and
 * aligned to LOG_APPENDER_ALIGNMENT, and puts them into the list. 0, or -ENOMEM. */
int log_blocks_init(struct log_blocks *blocks, size_t block_size, size_t slack_size, size_t count,
                    struct log_block_list *list);

void log_blocks_destroy(struct log_blocks *blocks);

void log_block_list_append(struct log_block_list *list, struct log_block *block);

/* NULL if there is none. */
struct log_block *log_block_list_take_oldest(struct log_block_list *list);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_BLOCKS_H_ */
