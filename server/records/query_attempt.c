#include "server/records/query_attempt.h"

#include "server/runtime/os.h"

/* The longest answer that is sent from here: every send buffer has room for it, so that a torn one
 * is for faults. */
enum { ANSWER_SIZE_MAX = 4096 };

struct attempt {
    int fd;
    size_t sent_size;
};

/* An answer as short as this comes in one piece. */
static bool send_whole(void *context, const char *bytes, size_t size) {
    struct attempt *attempt = context;
    ssize_t result = size > ANSWER_SIZE_MAX ? -1 : 0;
    while (result >= 0 && attempt->sent_size < size) {
        result = os_send_before(attempt->fd, bytes + attempt->sent_size, size - attempt->sent_size);
        attempt->sent_size += result > 0 ? (size_t)result : 0;
    }
    return result >= 0;
}

enum query_attempt query_attempt(struct record_buffer *buffer, struct store_reader *reader,
                                 const struct query *query, int fd) {
    struct attempt attempt = {.fd = fd};
    const struct query_source source = {.buffer = buffer, .reader = reader, .is_trial = true};
    const struct query_sink sink = {.write = send_whole, .context = &attempt};
    if (reader == NULL || !query_is_lookup(query)) {
        return QUERY_ATTEMPT_IMPOSSIBLE;
    }
    if (query_answer(&source, query, &sink)) {
        return QUERY_ATTEMPT_ANSWERED;
    }
    return attempt.sent_size > 0 ? QUERY_ATTEMPT_TORN : QUERY_ATTEMPT_IMPOSSIBLE;
}
