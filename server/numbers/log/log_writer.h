/*
 * The double-buffered writer: producers fill one block while the thread here writes another.
 *
 * DESIGN. There are block_count blocks (two, for one producer) and no other memory. A block is a
 * producer's from log_writer_acquire to log_writer_submit, then the writer thread's until its last
 * byte is in the file, and then free. log_writer_acquire waits until one is free: that is the
 * back-pressure. Blocks reach the file in the order in which they were submitted, whole lines each.
 *
 * Positions count the bytes submitted since the start. The stored position tells how far the
 * promise of the durability policy has been kept: handed to the kernel (never, interval) or on the
 * disk (always). A second thread calls fdatasync, so that a slow disk does not stop the writing.
 * Under `interval` a line is on the disk after the interval and the time that one call takes; under
 * `always` one call follows the other, each for all that was written during the one before.
 *
 * The log takes blocks fastest that begin and end at multiples of LOG_APPENDER_UNIT_SIZE in the
 * file. A block that was submitted half full makes the end uneven; the next block handed out is
 * then a short one, which makes it even again. Where another one comes in between, that is no harm:
 * the blocks behind it go through the page cache until the end is even.
 *
 * A full disk (ENOSPC, EDQUOT, EFBIG) is waited out, with a warning every 30 s. Any other failed
 * write, and any failed fdatasync, is final: the writer stops and log_writer_error tells why. A
 * failed fdatasync is never repeated, because a second one may succeed without the data being safe.
 * A disk that does not answer holds a thread up inside a call, which log_writer_call_ms shows.
 *
 * Between blocks the writer thread opens the log anew if it was asked to, and looks once a second
 * whether the log is still where its name says: it alone may have to wait for the disk.
 *
 * Threading: acquire and submit may be called by several producers; the positions, error,
 * is_finished, call_ms and reopen by any thread; init, finish and destroy by the owner.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_WRITER_H_
#define SERVER_NUMBERS_LOG_LOG_WRITER_H_

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "server/numbers/log/log_appender.h"
#include "server/numbers/log/log_blocks.h"
#include "server/numbers/log/log_file.h"
#include "server/runtime/atomics.h"
#include "server/runtime/latency_histogram.h"
#include "server/runtime/logger.h"
#include "server/runtime/wakeup.h"

#ifdef __cplusplus
extern "C" {
#endif

enum durability { DURABILITY_NEVER, DURABILITY_INTERVAL, DURABILITY_ALWAYS };

/* Their names in the order of the enum, for an option that chooses one; ends with NULL. */
extern const char *const durability_names[];

struct log_writer_configuration {
    struct log_file *log; /* the caller closes it after log_writer_destroy */
    size_t line_size;
    size_t block_size;
    size_t block_slack_size; /* more room behind each block, which may be scribbled on */
    size_t block_count;      /* 2 to LOG_BLOCK_COUNT_MAX */
    enum durability durability;
    int64_t sync_interval_ms;
    struct disk_patience disk_patience;
    const struct logger *logger;
    const struct wakeup *progress; /* signalled when the stored position moved or writing failed */
};

/* The calls that wait for the disk, one kind a thread. */
enum log_writer_call { LOG_WRITER_CALL_WRITE, LOG_WRITER_CALL_SYNC, LOG_WRITER_CALL_COUNT };

struct log_writer {
    struct log_writer_configuration configuration;
    struct log_blocks blocks;

    pthread_mutex_t mutex; /* guards what follows, up to the atomics */
    pthread_cond_t block_freed;
    pthread_cond_t work_arrived; /* for the writer thread, which alone waits for it */
    pthread_cond_t sync_due;     /* for the sync thread */
    struct log_block_list free_blocks;
    struct log_block_list queue; /* submitted */
    uint64_t submitted_position;
    uint64_t written_position; /* in the kernel's hands */
    uint64_t synced_position;  /* on the disk */
    bool is_finishing;         /* no more blocks will come */
    bool is_written_out;       /* the writer thread has ended */
    bool is_synced_out;        /* the sync thread has ended, or there is none */
    bool is_reopen_wanted;
    bool is_direct;      /* even blocks are faster */
    uint64_t end_offset; /* where the file will end with all that was submitted */
    bool is_realigning;  /* a short block is handed out that will make end_offset even */

    ATOMIC_FIELD(uint64_t) stored_position;
    ATOMIC_FIELD(int) error; /* 0, or the negative errno value that ended the writing */
    ATOMIC_FIELD(int)
    room_error; /* why it waits for room, a negative errno value; 0: it does not */
    struct latency_histogram sync_latency;
    ATOMIC_FIELD(int64_t)
    call_since_ms[LOG_WRITER_CALL_COUNT]; /* when it began; 0: there is none */

    struct log_appender appender; /* the writer thread's, as what follows */
    struct warning_limiter full_disk_warning;
    bool has_warned_of_full_disk; /* and not said yet that there is room again */
    int64_t look_again_ms;        /* when to look next whether the log is in its place */
    bool has_warned_of_move;
    pthread_t writer_thread;
    pthread_t sync_thread;
    bool has_writer_thread;
    bool has_sync_thread;
};

/* Allocates the blocks and starts the threads. 0, or a negative errno value with nothing left
 * over. */
int log_writer_init(struct log_writer *writer,
                    const struct log_writer_configuration *configuration);

/* An empty block to fill, as soon as one is free; NULL once writing has failed. */
struct log_block *log_writer_acquire(struct log_writer *writer);

/* Hands a block over. An empty one just becomes free again. */
void log_writer_submit(struct log_writer *writer, struct log_block *block);

/* The position behind everything submitted so far. */
uint64_t log_writer_submitted_position(struct log_writer *writer);

/* The position up to which the promise has been kept. */
uint64_t log_writer_stored_position(const struct log_writer *writer);

/* 0, or the negative errno value that ended the writing. */
int log_writer_error(const struct log_writer *writer);

/* How far the bytes have come that were submitted since the start. */
struct log_writer_positions {
    uint64_t submitted;
    uint64_t written; /* in the kernel's hands */
    uint64_t synced;  /* on the disk */
};
struct log_writer_positions log_writer_get_positions(struct log_writer *writer);

/* Why the writer waits for room on the disk, a negative errno value; 0: it does not. */
int log_writer_room_error(const struct log_writer *writer);

/* Asks for the log to be opened anew under its name (log_file_reopen). */
void log_writer_reopen(struct log_writer *writer);

/* For how long the disk has not answered a call that is under way; 0 if there is none. */
int64_t log_writer_call_ms(const struct log_writer *writer, int64_t now_ms);

/* Says that no more blocks will come, without waiting: when all are stored (by the policy, and
 * under `interval` synced once more) log_writer_is_finished turns true and `progress` is
 * signalled. */
void log_writer_finish(struct log_writer *writer);
bool log_writer_is_finished(struct log_writer *writer);

/* Waits for the threads to end (call log_writer_finish before) and frees the blocks. */
void log_writer_destroy(struct log_writer *writer);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_WRITER_H_ */
