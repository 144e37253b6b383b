/*
 * The sequence service's protocol: both parsers, and the server's side of a conversation.
 *
 * Input: a byte of choices; a byte N; N % 8 bytes, the sizes of chunks, used in turn; the text. The
 * text is read as requests and as replies: what is read must be written again as it was. Then a
 * server gets it, once as a whole and once in chunks, with little room for its replies: the same
 * replies must come, they must be replies, and their count must fit the requests'.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/sequence/conversation.h"
#include "server/sequence/limits.h"
#include "server/sequence/protocol.h"
#include "server/sessions/session_store_memory.h"

enum {
    CHUNK_SIZES_LIMIT = 8,
    /* A conversation with more replies than this is broken off: a whole sequence fits. */
    REPLIES_CAPACITY = 1 << 19,
    STORE_CAPACITY = 4,
    SESSION_TTL_MS = 1000,
    /* A RECV of the largest batch makes 250 kB out of 7 bytes: stop before that takes long. */
    RUN_COUNT_MAX = 4000,
};

/* Scratch memory, which is faster to have than to get for each input. */
static char whole_replies[REPLIES_CAPACITY];
static char chunk_replies[REPLIES_CAPACITY];
static char written_reply[PROTOCOL_REPLY_SIZE_MAX];
static uint8_t reply_numbers[PROTOCOL_BATCH_SIZE_MAX];

struct script {
    bool is_test_mode;
    bool is_ticking;
    uint64_t fail_every;
    const uint8_t *chunk_sizes;
    size_t chunk_size_count;
    const char *text;
    size_t text_size;
};

struct transcript {
    char *replies;
    size_t size;
    enum conversation_status status;
    bool is_cut_short;
};

static void check(bool is_true, const char *what) {
    if (!is_true) {
        (void)fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void *allocate(size_t size) {
    void *memory = malloc(size > 0 ? size : 1);
    check(memory != NULL, "out of memory");
    return memory;
}

/* Each request that is read is written again, to the same bytes; a batch index beyond 32 bits,
 * which no sequence has, to its limit. */
static void check_requests(const char *text, size_t size) {
    struct protocol_request request;
    size_t consumed_size;
    enum protocol_error error;
    char written[PROTOCOL_REQUEST_SIZE_MAX];
    while (protocol_parse_request(text, size, &request, &consumed_size, &error) ==
           PROTOCOL_COMPLETE) {
        check(consumed_size > 0 && consumed_size <= size, "request: consumed size");
        size_t written_size = protocol_write_request(&request, written);
        if (request.batch_index == UINT32_MAX) {
            check(written_size <= consumed_size, "request: size of a large batch index");
        } else {
            check(written_size == consumed_size, "request: size");
            check(memcmp(written, text, consumed_size) == 0, "request: text");
        }
        text += consumed_size;
        size -= consumed_size;
    }
}

/* Writes a reply that was read. Returns its size. */
static size_t write_reply(const struct protocol_reply *reply, const uint8_t *numbers, char *out) {
    char text[PROTOCOL_ERROR_TEXT_LENGTH_MAX + 1];
    switch (reply->kind) {
    case PROTOCOL_ACK:
        return protocol_write_ack(out);
    case PROTOCOL_NUM:
        return protocol_write_numbers(numbers, reply->number_count, true, true, out);
    case PROTOCOL_FAC:
        return protocol_write_checksum(reply->checksum, out);
    case PROTOCOL_ERR:
        break;
    }
    memcpy(text, reply->error_text, reply->error_text_length);
    text[reply->error_text_length] = '\0';
    return protocol_write_error(text, out);
}

/* The same for replies. Returns how many bytes were replies. */
static size_t check_replies(const char *text, size_t size) {
    struct protocol_reply reply;
    size_t consumed_size;
    size_t total_size = 0;
    enum protocol_error error;
    while (protocol_parse_reply(text + total_size, size - total_size, reply_numbers,
                                PROTOCOL_BATCH_SIZE_MAX, &reply, &consumed_size,
                                &error) == PROTOCOL_COMPLETE) {
        check(consumed_size > 0 && consumed_size <= size - total_size, "reply: consumed size");
        /* An ERR with a NUL in its text cannot be written as it was. */
        bool is_plain = reply.kind != PROTOCOL_ERR ||
                        memchr(reply.error_text, '\0', reply.error_text_length) == NULL;
        if (is_plain) {
            check(write_reply(&reply, reply_numbers, written_reply) == consumed_size,
                  "reply: size");
            check(memcmp(written_reply, text + total_size, consumed_size) == 0, "reply: text");
        }
        total_size += consumed_size;
    }
    return total_size;
}

/* Lets the conversation answer the `input_size` bytes at `input`, with `room_size` bytes for
 * replies at a time. Returns how many bytes it consumed. */
static size_t converse(struct conversation *conversation, struct transcript *transcript,
                       const char *input, size_t input_size, size_t room_size, int *run_count) {
    char *copy = allocate(input_size);
    char *room = allocate(room_size);
    memcpy(copy, input, input_size);
    struct conversation_buffers buffers = {.input = copy, .input_size = input_size};
    do {
        buffers.output = room;
        buffers.output_size = room_size;
        transcript->status = conversation_run(conversation, &buffers, 0);
        size_t size = room_size - buffers.output_size;
        if (size > REPLIES_CAPACITY - transcript->size || ++*run_count == RUN_COUNT_MAX) {
            transcript->is_cut_short = true;
            break;
        }
        memcpy(transcript->replies + transcript->size, room, size);
        transcript->size += size;
        if (transcript->status == CONVERSATION_WANTS_TICK) {
            conversation_tick(conversation);
        }
    } while (transcript->status == CONVERSATION_WANTS_ROOM ||
             transcript->status == CONVERSATION_WANTS_TICK);
    free(copy);
    free(room);
    return input_size - buffers.input_size;
}

static bool is_over(const struct transcript *transcript) {
    return transcript->is_cut_short || transcript->status == CONVERSATION_OVER ||
           transcript->status == CONVERSATION_BROKEN;
}

/* Plays the script to a server of its own. Without chunks everything comes at once, as far as it
 * fits the input buffer of a connection. */
static struct transcript play(const struct script *script, bool in_chunks, char *replies) {
    struct session_store store;
    struct conversation conversation;
    struct transcript transcript = {.replies = replies};
    const struct session_store_limits limits = {.capacity = STORE_CAPACITY,
                                                .ttl_ms = SESSION_TTL_MS};
    check(session_store_memory_open(&store, &limits) == 0, "session_store_memory_open");
    struct conversation_configuration configuration = {
        .store = &store,
        .kind = script->is_test_mode ? GENERATOR_PYTHON : GENERATOR_KEYED,
        .is_ticking = script->is_ticking,
        .fail_every = script->fail_every,
    };
    conversation_begin(&conversation, &configuration, 0);
    size_t consumed_size = 0;
    size_t received_size = 0;
    int run_count = 0;
    for (size_t i = 0; received_size < script->text_size && !is_over(&transcript); i++) {
        size_t left_size = script->text_size - received_size;
        size_t chunk_size = in_chunks
                                ? (size_t)script->chunk_sizes[i % script->chunk_size_count] + 1
                                : LIMIT_INPUT_SIZE - (received_size - consumed_size);
        received_size += chunk_size < left_size ? chunk_size : left_size;
        size_t room_size =
            in_chunks ? PROTOCOL_ERROR_SIZE_MAX + i % CHUNK_SIZES_LIMIT : LIMIT_OUTPUT_SIZE;
        consumed_size += converse(&conversation, &transcript, script->text + consumed_size,
                                  received_size - consumed_size, room_size, &run_count);
    }
    conversation_end(&conversation, 0);
    session_store_destroy(&store);
    return transcript;
}

/* In test mode the replies must not depend on how the requests arrive. */
static void check_conversation(const struct script *script) {
    struct transcript whole = play(script, false, whole_replies);
    if (!whole.is_cut_short) {
        check(check_replies(whole.replies, whole.size) == whole.size, "conversation: no reply");
    }
    if (script->chunk_size_count > 0 && script->is_test_mode) {
        struct transcript chunks = play(script, true, chunk_replies);
        size_t size = whole.size < chunks.size ? whole.size : chunks.size;
        check(memcmp(whole.replies, chunks.replies, size) == 0, "conversation: chunks differ");
        if (!whole.is_cut_short && !chunks.is_cut_short) {
            check(whole.size == chunks.size, "conversation: chunks differ in size");
            check(whole.status == chunks.status, "conversation: chunks end otherwise");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    const size_t chunk_size_count = (size_t)data[1] % CHUNK_SIZES_LIMIT;
    if (size < 2 + chunk_size_count) {
        return 0;
    }
    const struct script script = {
        .is_test_mode = (data[0] & 1) == 0,
        .is_ticking = (data[0] & 2) != 0,
        .fail_every = data[0] >> 2,
        .chunk_sizes = data + 2,
        .chunk_size_count = chunk_size_count,
        .text = (const char *)data + 2 + chunk_size_count,
        .text_size = size - 2 - chunk_size_count,
    };
    check_requests(script.text, script.text_size);
    (void)check_replies(script.text, script.text_size);
    check_conversation(&script);
    return 0;
}
