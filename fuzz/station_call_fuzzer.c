/* A call from a hostile client: headers ("NAME VALUE" lines up to an empty one), and then bytes of
 * messages in pieces, the length of each in front. Whatever comes is judged, and the messages found
 * do not depend on how the bytes were cut. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/station/call.h"
#include "server/station/uuid.h"

enum { MESSAGE_COUNT_MAX = 4096 };

struct found {
    size_t count;
    size_t sizes[MESSAGE_COUNT_MAX];
    enum status status;
};

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

/* Feeds the lines of headers; returns what is left behind them. */
static struct wire_bytes feed_headers(struct call *call, struct wire_bytes input) {
    while (input.size > 0) {
        const uint8_t *end = memchr(input.bytes, '\n', input.size);
        size_t line_size = end == NULL ? input.size : (size_t)(end - input.bytes);
        const char *line = (const char *)input.bytes;
        const char *space = memchr(line, ' ', line_size);
        size_t name_size = space == NULL ? line_size : (size_t)(space - line);
        size_t value_size = space == NULL ? 0 : line_size - name_size - 1;
        call_add_header(call, line, name_size, line + line_size - value_size, value_size);
        size_t taken_size = end == NULL ? line_size : line_size + 1;
        input = (struct wire_bytes){input.bytes + taken_size, input.size - taken_size};
        if (line_size == 0) {
            break;
        }
    }
    return input;
}

static void take_messages(struct call *call, struct found *found) {
    struct wire_bytes message;
    struct outcome outcome;
    enum call_message result;
    while ((result = call_peek_message(call, &message, &outcome)) == CALL_MESSAGE_COMPLETE) {
        char text[UUID_TEXT_LENGTH + 1];
        require(message.size <= LIMIT_MESSAGE_SIZE_MAX);
        (void)uuid_normalize(message, text);
        require(found->count < MESSAGE_COUNT_MAX);
        found->sizes[found->count++] = message.size;
        require(call_drop_message(call) == CALL_PREFIX_SIZE + message.size);
    }
    found->status = outcome.status;
    require((result == CALL_MESSAGE_BAD) == (outcome.status != STATUS_OK));
}

/* Feeds pieces of `piece_size` bytes until a message is bad. */
static void feed(struct wire_bytes input, size_t piece_size, struct found *found) {
    struct call call;
    call_begin(&call);
    found->count = 0;
    found->status = STATUS_OK;
    while (input.size > 0 && found->status == STATUS_OK) {
        size_t size = piece_size < input.size ? piece_size : input.size;
        require(call_add_input(&call, input.bytes, size));
        take_messages(&call, found);
        input = (struct wire_bytes){input.bytes + size, input.size - size};
    }
}

static void judge_headers(const struct call *call) {
    struct outcome outcome;
    enum call_verdict verdict = call_judge_headers(call, &outcome);
    require((verdict == CALL_REFUSED) == (outcome.status != STATUS_OK));
    require(verdict != CALL_ACCEPTED || call->timeout_ms >= 0);
    require(memchr(call->path, '\0', sizeof call->path) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct found whole, cut;
    struct call call;
    call_begin(&call);
    struct wire_bytes input = feed_headers(&call, (struct wire_bytes){data, size});
    judge_headers(&call);
    if (input.size < 1 || input.size > MESSAGE_COUNT_MAX) {
        return 0;
    }
    size_t piece_size = input.bytes[0] % 64 + 1U;
    input = (struct wire_bytes){input.bytes + 1, input.size - 1};
    feed(input, 507, &whole); /* what always fits beside a message that is not whole */
    feed(input, piece_size, &cut);
    require(whole.status == cut.status && whole.count == cut.count);
    require(memcmp(whole.sizes, cut.sizes, whole.count * sizeof whole.sizes[0]) == 0);
    return 0;
}
