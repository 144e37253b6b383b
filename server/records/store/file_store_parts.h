/* What the parts of the file store share: file_store.c opens, file_writer.c writes, file_reader.c
 * reads. */
#ifndef SERVER_RECORDS_STORE_FILE_STORE_PARTS_H_
#define SERVER_RECORDS_STORE_FILE_STORE_PARTS_H_

#include <stdatomic.h>
#include <sys/types.h>

#include "server/records/json/limits.h"
#include "server/records/store/store.h"
#include "server/runtime/logger.h"

enum {
    /* A line as we write it may be a little longer than the record was when it came. */
    FILE_LINE_SIZE_MAX = RECORDS_RECORD_SIZE_MAX + RECORDS_LINE_OVERHEAD,
};

struct file_store {
    struct store base;
    const char *path;
    int fd; /* of the file that the path named when it was last looked at */
    bool syncs_always;
    const struct logger *logger;
    _Atomic off_t stored_size; /* bytes of whole batches; readers look no further */
    atomic_uint generation;    /* counts the files that were opened */
};

/* Whether the path still names the file that is open. */
bool file_store_is_in_place(const struct file_store *store);

/* Opens the file that the path names now, or a new one, in place of the one that is open. NULL, or
 * why not, with the old one still open. */
const char *file_store_reopen(struct file_store *store);

struct store_writer *file_writer_open(struct store *store);
struct store_reader *file_reader_open(struct store *store);

/* Returns the size of the file up to its last newline before `size`, or a negative errno value. */
off_t file_reader_find_whole_size(int fd, off_t size);

/* Checks that all bytes from `begin` to `end` are records: STORE_END. */
enum store_status file_reader_check(struct file_store *store, off_t begin, off_t end);

#endif /* SERVER_RECORDS_STORE_FILE_STORE_PARTS_H_ */
