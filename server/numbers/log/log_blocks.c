#include "server/numbers/log/log_blocks.h"

#include <errno.h>
#include <string.h>

#include "server/numbers/log/log_appender.h"
#include "server/runtime/os.h"

int log_blocks_init(struct log_blocks *blocks, size_t block_size, size_t slack_size, size_t count,
                    struct log_block_list *list) {
    size_t stride_size = block_size + slack_size;
    stride_size += LOG_APPENDER_ALIGNMENT - 1; /* each block as a direct write wants it */
    stride_size -= stride_size % LOG_APPENDER_ALIGNMENT;
    blocks->memory_size = stride_size * count;
    blocks->memory = os_map_memory(blocks->memory_size);
    if (blocks->memory == NULL) {
        return -ENOMEM;
    }
    for (size_t index = 0; index < count; index++) {
        blocks->blocks[index].bytes = (char *)blocks->memory + index * stride_size;
        log_block_list_append(list, &blocks->blocks[index]);
    }
    return 0;
}

void log_blocks_destroy(struct log_blocks *blocks) {
    if (blocks->memory != NULL) {
        os_unmap_memory(blocks->memory, blocks->memory_size);
    }
}

void log_block_list_append(struct log_block_list *list, struct log_block *block) {
    list->blocks[list->count++] = block;
}

struct log_block *log_block_list_take_oldest(struct log_block_list *list) {
    if (list->count == 0) {
        return NULL;
    }
    struct log_block *oldest = list->blocks[0];
    list->count--;
    memmove(&list->blocks[0], &list->blocks[1], list->count * sizeof list->blocks[0]);
    return oldest;
}
