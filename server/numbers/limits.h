/*
 * Every limit of the numbers server, with its reason. Memory is taken once, at start-up, by these.
 *
 * Limits that decide a path are build defines too: :server_tiny and :pipeline_tiny_test have a
 * handful of bytes and lines where the server has hundreds of thousands, so that their tests take
 * every path.
 */
#ifndef SERVER_NUMBERS_LIMITS_H_
#define SERVER_NUMBERS_LIMITS_H_

#include <assert.h>

#include "dedup/dedup_map.h"
#include "formatter/number_formatter.h"
#include "parser/line_parser.h"
#include "server/numbers/log/log_writer.h"
#include "server/runtime/http/http_server.h"
#include "server/runtime/listener.h"

#ifndef NUMBERS_RECEIVE_SIZE
#define NUMBERS_RECEIVE_SIZE (512 * 1024)
#endif
#ifndef NUMBERS_STAGE_SIZE
#define NUMBERS_STAGE_SIZE (44 * 1024 * 1024)
#endif
#ifndef NUMBERS_STAGE_LIGHT_COUNT
#define NUMBERS_STAGE_LIGHT_COUNT (50 * 1000)
#endif
#ifndef NUMBERS_BLOCK_SIZE
#define NUMBERS_BLOCK_SIZE (25 * LOG_APPENDER_UNIT_SIZE)
#define NUMBERS_DIRECT_BLOCK_SIZE (102 * LOG_APPENDER_UNIT_SIZE)
#else
#define NUMBERS_DIRECT_BLOCK_SIZE NUMBERS_BLOCK_SIZE
#endif
#ifndef NUMBERS_ACCEPTS_PER_TURN
#define NUMBERS_ACCEPTS_PER_TURN 64
#endif

enum {
    /* Nine digits and a newline: a line of input and a line of the log are the same. */
    LINE_SIZE = LINE_PARSER_LINE_SIZE,

    /* The specification's figures. */
    CLIENT_COUNT_DEFAULT = 5,
    CLIENT_COUNT_MAX = 1024,

    /* Standard streams, listeners, log, pipe, eventfd, signalfd, one being accepted, and those of
     * the status page. */
    DESCRIPTORS_BESIDE_CLIENTS = 32 + HTTP_DESCRIPTOR_COUNT,

    /* What one recv takes at most. Together with the numbers parsed from it, it stays in the
     * second-level cache, and one client cannot keep the others waiting for long. */
    RECEIVE_SIZE = NUMBERS_RECEIVE_SIZE,

    /* Connections that have no place: their end has arrived and they are read to it, or wait to be
     * stored; or they have just come when all places were taken. When there are so many, who comes
     * waits in the kernel's queue. Enough for 50 000 connections a second, which end 10 ms after
     * they have come (STAGE_AGE_LIGHT_MS), and together with the usual number of clients within
     * the usual limit of 1024 descriptors. */
    PLACELESS_COUNT_MAX = 512,

    /* A busy kernel delivers what a sender has sent, and its end, a little late, and to an earlier
     * connection perhaps later than to the next one. So nobody is refused so shortly after one of
     * the others was heard. */
    REFUSAL_SILENCE_MS = 20,

    /* Before a client is refused, the others are looked at: whether what they have sent, up to
     * RECEIVE_SIZE a look, ends there. A look that finds nothing decides; after so many that do, or
     * where a full pipeline cuts the looks short so many receives a place, what is still coming is
     * more than the buffers of both kernels hold (10 MB by default), and was sent after the client
     * had come. */
    LOOK_COUNT_MAX = 16 * 1024 * 1024 / RECEIVE_SIZE,

    /* How often those who were turned away are warned of. */
    REJECTION_WARNING_PERIOD_MS = 10 * 1000,

    /* Room for the numbers of one recv and of the line that the recv before it left unfinished. */
    RECEIVED_NUMBER_CAPACITY = (RECEIVE_SIZE + LINE_SIZE) / LINE_SIZE + LINE_PARSER_SLACK_COUNT,

    /* The two stages: the more numbers a stage holds, the more of them meet in one cache line of
     * the map. As large as the promised memory allows beside the map. */
    STAGE_COUNT = 2,
    STAGE_SIZE = NUMBERS_STAGE_SIZE,

    /* A stage is handed on when it is full, or when its oldest number has waited so long: a few
     * milliseconds when few numbers come, so that a lone number is in the file at once; longer when
     * many come, so that they are inserted in large batches. */
    STAGE_AGE_LIGHT_MS = 10,
    STAGE_AGE_MAX_MS = 80,
    STAGE_LIGHT_COUNT = NUMBERS_STAGE_LIGHT_COUNT,

    /* A block of formatted lines: large enough to make a write's fixed cost small, small enough to
     * be in the processor's cache still when the writer thread copies it into the page cache. A
     * write past the page cache copies nothing, and its fixed cost is the disk's: larger ones,
     * where few workers leave the memory for them. */
    BLOCK_SIZE = NUMBERS_BLOCK_SIZE,
    DIRECT_BLOCK_SIZE = NUMBERS_DIRECT_BLOCK_SIZE,
    DIRECT_BLOCK_WORKER_COUNT_MAX = 4,

    /* The disk, or the host of a virtual machine, reads a direct block out of the memory itself;
     * where it has just done so, writing there again can cost several times as much as elsewhere.
     * So these take turns, and there are as many as the promised memory allows. */
    DIRECT_BLOCK_COUNT = 12,

    /* How far a disk may be behind the pace that direct writes ask of it (disk_pace.h): the stages
     * take in more than comes meanwhile, and one stop of a disk that is limited to 100 MB/s, 60 ms
     * or more, is enough. And how long a slow one is not tried again. */
    SLOW_DISK_DEBT_MS = 30,
    SLOW_DISK_REST_MS = 10 * 1000,

    /* Double buffering: one is filled while the other waits or is written. */
    BLOCKS_PER_WORKER = 2,

    /* The one poll loop cannot feed more, and their blocks have to fit the promised memory. */
    WORKER_COUNT_MAX = 16,

    /* How many neighbouring buckets a worker takes at a time: inserting one of them fetches the
     * next one's piece of the map ahead, which should be the same worker's. */
    BUCKETS_PER_TURN = 8,

    /* How many connections one turn of the loop accepts, so that a flood of them does not keep the
     * served clients waiting. */
    ACCEPTS_PER_TURN = NUMBERS_ACCEPTS_PER_TURN,

    /* After accept failed for want of descriptors or memory, how long to leave it alone. */
    ACCEPT_PAUSE_MS = 100,

    /* How long the loop waits at most before it looks by itself at what the other threads have
     * done: a wakeup whose write failed delays it so long, and does not hang it. */
    WAIT_MAX_MS = 500,

    /* The kernel may lack the memory for a poll for a moment: how often in a row it is tried again,
     * and how long after. */
    FAILED_POLL_COUNT_MAX = 100,
    FAILED_POLL_PAUSE_MS = 10,

    /* A second request to shut down ends the process at once, but only so long after the first:
     * timeout(1) sends one to the process and at once another to its group. */
    IMPATIENCE_AFTER_MS = 1000,

    MEMORY_PROMISED_SIZE = 256 * 1024 * 1024,

    /* What it takes: map and stages; blocks and scratch of each worker; buffers, program, heap. */
    MEMORY_SHARED_SIZE = DEDUP_BUCKET_COUNT * DEDUP_PIECE_SIZE + STAGE_COUNT * STAGE_SIZE,
    MEMORY_PER_WORKER_SIZE = BLOCKS_PER_WORKER * BLOCK_SIZE + STAGE_SIZE / DEDUP_BUCKET_COUNT,
    MEMORY_DIRECT_SIZE = DIRECT_BLOCK_COUNT * DIRECT_BLOCK_SIZE +
                         DIRECT_BLOCK_WORKER_COUNT_MAX * (STAGE_SIZE / DEDUP_BUCKET_COUNT),
    MEMORY_REST_SIZE = 8 * 1024 * 1024,

    /* Main thread, log writer, syncer, reporter, status page; each worker is one more. */
    THREADS_BESIDE_WORKERS = 5,
};

static_assert((int)NUMBER_FORMATTER_LINE_SIZE == (int)LINE_PARSER_LINE_SIZE,
              "a line of the log is a line of input");
static_assert(MEMORY_SHARED_SIZE + WORKER_COUNT_MAX * MEMORY_PER_WORKER_SIZE + MEMORY_REST_SIZE <
                  MEMORY_PROMISED_SIZE,
              "map, stages, the workers' blocks and scratch, and the rest fit the promised memory");
static_assert(MEMORY_SHARED_SIZE + MEMORY_DIRECT_SIZE + MEMORY_REST_SIZE < MEMORY_PROMISED_SIZE,
              "and with the large blocks of few workers");
static_assert(DIRECT_BLOCK_COUNT >= BLOCKS_PER_WORKER * DIRECT_BLOCK_WORKER_COUNT_MAX &&
                  (int)DIRECT_BLOCK_COUNT <= (int)LOG_BLOCK_COUNT_MAX,
              "each worker has one large block to fill while another is written");
static_assert(BLOCKS_PER_WORKER >= 2 &&
                  WORKER_COUNT_MAX * BLOCKS_PER_WORKER <= (int)LOG_BLOCK_COUNT_MAX,
              "one block can be filled while another is written, and the writer has room for all");
static_assert((int)LISTENER_CAPACITY + 11 + (int)HTTP_DESCRIPTOR_COUNT <=
                  (int)DESCRIPTORS_BESIDE_CLIENTS,
              "listeners, standard streams, log, pipe and the like are counted");
static_assert(CLIENT_COUNT_DEFAULT + PLACELESS_COUNT_MAX + DESCRIPTORS_BESIDE_CLIENTS <= 1024,
              "the usual limit of descriptors does for the usual number of clients");
static_assert(DEDUP_BUCKET_COUNT % BUCKETS_PER_TURN == 0, "turns of buckets come out even");
static_assert(STAGE_AGE_LIGHT_MS < STAGE_AGE_MAX_MS && STAGE_AGE_MAX_MS < 100,
              "a number that waits longest is still handed on within 100 ms");

#endif /* SERVER_NUMBERS_LIMITS_H_ */
