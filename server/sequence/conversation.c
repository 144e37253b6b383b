#include "server/sequence/conversation.h"

#include <stdio.h>
#include <string.h>

#include "server/sequence/limits.h"
#include "server/sequence/protocol.h"
#include "server/sessions/randomness.h"

static void take_output(struct conversation_buffers *buffers, size_t size) {
    buffers->output += size;
    buffers->output_size -= size;
}

static void take_input(struct conversation_buffers *buffers, size_t size) {
    buffers->input += size;
    buffers->input_size -= size;
}

/* Between two messages there may be line ends: those of people at a terminal. */
static void skip_line_ends(struct conversation_buffers *buffers) {
    size_t size = 0;
    while (size < buffers->input_size &&
           (buffers->input[size] == '\n' || buffers->input[size] == '\r')) {
        size++;
    }
    take_input(buffers, size);
}

static void refuse(struct conversation *conversation, struct conversation_buffers *buffers,
                   const char *text) {
    take_output(buffers, protocol_write_error(text, buffers->output));
    conversation->state = CONVERSATION_CLOSED;
}

static void refuse_client(struct conversation *conversation, struct conversation_buffers *buffers,
                          enum session_store_result result, const char *client_id) {
    char text[PROTOCOL_ERROR_TEXT_LENGTH_MAX + 1] = "";
    switch (result) {
    case SESSION_STORE_OK:
        break;
    case SESSION_STORE_EXISTS:
        (void)snprintf(text, sizeof text, "%s already exist", client_id);
        break;
    case SESSION_STORE_MISSING:
        (void)snprintf(text, sizeof text, "Client-id: %s does not exist", client_id);
        break;
    case SESSION_STORE_FULL:
        (void)snprintf(text, sizeof text, PROTOCOL_TEXT_TOO_MANY_SESSIONS);
        break;
    case SESSION_STORE_PEER_FULL:
        (void)snprintf(text, sizeof text, PROTOCOL_TEXT_TOO_MANY_SESSIONS_OF_ONE_PEER);
        break;
    case SESSION_STORE_UNAVAILABLE:
        (void)snprintf(text, sizeof text, PROTOCOL_TEXT_STORE_UNAVAILABLE);
        break;
    }
    refuse(conversation, buffers, text);
}

static void grant(struct conversation *conversation, struct conversation_buffers *buffers) {
    conversation->has_session = true;
    conversation->state = CONVERSATION_READY;
    session_start_generator(&conversation->session, &conversation->generator);
    checksum_init(&conversation->checksum);
    take_output(buffers, protocol_write_ack(buffers->output));
}

static void handle_init(struct conversation *conversation, const struct protocol_request *request,
                        struct conversation_buffers *buffers, int64_t now_ms) {
    struct session *session = &conversation->session;
    memcpy(session->client_id, request->client_id, sizeof session->client_id);
    session->number_count = request->number_count;
    session->batch_size = request->batch_size;
    session->kind = conversation->configuration->kind;
    memset(session->key, 0, sizeof session->key);
    if (session->kind == GENERATOR_KEYED && !randomness_fill(session->key, sizeof session->key)) {
        refuse(conversation, buffers, "No random numbers available");
        return;
    }
    enum session_store_result result = session_store_create(conversation->configuration->store,
                                                            session, conversation->peer, now_ms);
    if (result == SESSION_STORE_OK) {
        grant(conversation, buffers);
    } else {
        refuse_client(conversation, buffers, result, request->client_id);
    }
}

static void handle_cont(struct conversation *conversation, const struct protocol_request *request,
                        struct conversation_buffers *buffers, int64_t now_ms) {
    enum session_store_result result = session_store_attach(
        conversation->configuration->store, request->client_id, now_ms, &conversation->session);
    if (result == SESSION_STORE_OK) {
        grant(conversation, buffers);
    } else {
        refuse_client(conversation, buffers, result, request->client_id);
    }
}

/* Sets out to write the NUM message of a batch that exists. */
static void begin_batch(struct conversation *conversation, uint32_t batch_index) {
    const struct session *session = &conversation->session;
    uint32_t start_index = batch_index * session->batch_size;
    uint32_t left_count = session->number_count - start_index;
    conversation->start_index = start_index;
    conversation->next_index = start_index;
    conversation->end_index =
        start_index + (left_count < session->batch_size ? left_count : session->batch_size);
}

static void handle_batch_request(struct conversation *conversation,
                                 const struct protocol_request *request,
                                 struct conversation_buffers *buffers) {
    uint32_t batch_count = session_batch_count(&conversation->session);
    bool is_stream = request->kind == PROTOCOL_STREAM;
    /* A stream may begin behind the last batch: a client that lacks the checksum only does that. */
    if (request->batch_index >= batch_count + (is_stream ? 1 : 0)) {
        char text[PROTOCOL_ERROR_TEXT_LENGTH_MAX + 1];
        (void)snprintf(text, sizeof text, "Invalid batch index requested: %.*s",
                       (int)request->batch_index_length, request->batch_index_text);
        take_output(buffers, protocol_write_error(text, buffers->output));
        return;
    }
    if (is_stream) {
        conversation->state = CONVERSATION_PUSHING;
    }
    bool is_within = request->batch_index > 0 && request->batch_index < batch_count;
    if (is_stream && conversation->configuration->is_ticking && is_within) {
        /* Coming back must not be a way around the pause. */
        conversation->end_index = request->batch_index * conversation->session.batch_size;
        conversation->next_index = conversation->end_index;
        conversation->is_tick_awaited = true;
    } else if (request->batch_index < batch_count) {
        begin_batch(conversation, request->batch_index);
    } else {
        conversation->end_index = conversation->session.number_count;
        conversation->next_index = conversation->end_index;
    }
}

/* Feeds the checksum with what a client that skipped numbers, or came back, has not had from
 * here. */
static void complete_checksum(struct conversation *conversation) {
    uint8_t numbers[LIMIT_PIECE_NUMBER_COUNT];
    uint32_t number_count = conversation->session.number_count;
    while (conversation->checksum.number_count < number_count) {
        uint32_t first_index = conversation->checksum.number_count;
        uint32_t count = number_count - first_index;
        if (count > LIMIT_PIECE_NUMBER_COUNT) {
            count = LIMIT_PIECE_NUMBER_COUNT;
        }
        generator_read(&conversation->generator, first_index, numbers, count);
        checksum_update(&conversation->checksum, numbers, count);
    }
}

static void finish_sequence(struct conversation *conversation,
                            struct conversation_buffers *buffers) {
    char text[CHECKSUM_TEXT_LENGTH + 1];
    complete_checksum(conversation);
    checksum_finish(&conversation->checksum, text);
    take_output(buffers, protocol_write_checksum(text, buffers->output));
    conversation->state = CONVERSATION_CLOSED;
}

static void handle_request(struct conversation *conversation,
                           const struct protocol_request *request,
                           struct conversation_buffers *buffers, int64_t now_ms) {
    bool opens = request->kind == PROTOCOL_INIT || request->kind == PROTOCOL_CONT;
    if (opens == conversation->has_session) {
        refuse(conversation, buffers, "Unexpected message");
        return;
    }
    switch (request->kind) {
    case PROTOCOL_INIT:
        handle_init(conversation, request, buffers, now_ms);
        break;
    case PROTOCOL_CONT:
        handle_cont(conversation, request, buffers, now_ms);
        break;
    case PROTOCOL_RECV:
    case PROTOCOL_STREAM:
        handle_batch_request(conversation, request, buffers);
        break;
    case PROTOCOL_FIN:
        finish_sequence(conversation, buffers);
        break;
    }
}

/* Whether there was a request, or something that is none, to answer. */
static bool answer_next_request(struct conversation *conversation,
                                struct conversation_buffers *buffers, int64_t now_ms) {
    struct protocol_request request;
    size_t consumed_size = 0;
    enum protocol_error error;
    skip_line_ends(buffers);
    switch (protocol_parse_request(buffers->input, buffers->input_size, &request, &consumed_size,
                                   &error)) {
    case PROTOCOL_PARTIAL:
        return false;
    case PROTOCOL_INVALID:
        refuse(conversation, buffers, protocol_describe_error(error));
        return true;
    case PROTOCOL_COMPLETE:
        break;
    }
    take_input(buffers, consumed_size);
    conversation->request_count++;
    handle_request(conversation, &request, buffers, now_ms);
    return true;
}

/* What is due when the last number of a NUM message has been written. */
static void end_batch(struct conversation *conversation) {
    struct conversation_configuration *configuration = conversation->configuration;
    uint64_t before_count = configuration->number_count;
    configuration->number_count += conversation->end_index - conversation->start_index;
    if (configuration->fail_every > 0 && configuration->number_count / configuration->fail_every !=
                                             before_count / configuration->fail_every) {
        /* The message is still sent, so that batches larger than fail_every get through. */
        conversation->is_broken = true;
        conversation->state = CONVERSATION_CLOSED;
        return;
    }
    conversation->is_tick_awaited = conversation->state == CONVERSATION_PUSHING &&
                                    configuration->is_ticking &&
                                    conversation->end_index < conversation->session.number_count;
}

/* Writes the next numbers of the NUM message, as many as there is room for. */
static void write_numbers(struct conversation *conversation, struct conversation_buffers *buffers) {
    uint8_t numbers[LIMIT_PIECE_NUMBER_COUNT];
    uint32_t first_index = conversation->next_index;
    uint32_t count = conversation->end_index - first_index;
    size_t room_count =
        (buffers->output_size - PROTOCOL_NUMBERS_PREFIX_SIZE) / PROTOCOL_NUMBER_SIZE_MAX;
    if (count > room_count) {
        count = (uint32_t)room_count;
    }
    if (count > LIMIT_PIECE_NUMBER_COUNT) {
        count = LIMIT_PIECE_NUMBER_COUNT;
    }
    generator_read(&conversation->generator, first_index, numbers, count);
    if (conversation->checksum.number_count == first_index) {
        checksum_update(&conversation->checksum, numbers, count);
    }
    bool is_first = first_index == conversation->start_index;
    bool is_last = first_index + count == conversation->end_index;
    take_output(buffers,
                protocol_write_numbers(numbers, count, is_first, is_last, buffers->output));
    conversation->next_index += count;
    if (is_last) {
        end_batch(conversation);
    }
}

/* Goes on with a STREAM between two of its messages. */
static void push_next(struct conversation *conversation, struct conversation_buffers *buffers) {
    const struct session *session = &conversation->session;
    if (conversation->end_index < session->number_count) {
        begin_batch(conversation, conversation->end_index / session->batch_size);
    } else {
        finish_sequence(conversation, buffers);
    }
}

void conversation_begin(struct conversation *conversation,
                        struct conversation_configuration *configuration, uint64_t peer) {
    conversation->configuration = configuration;
    conversation->peer = peer;
    conversation->state = CONVERSATION_AWAITING_SESSION;
    conversation->has_session = false;
    conversation->is_tick_awaited = false;
    conversation->request_count = 0;
    conversation->is_broken = false;
    conversation->start_index = 0;
    conversation->next_index = 0;
    conversation->end_index = 0;
}

enum conversation_status conversation_run(struct conversation *conversation,
                                          struct conversation_buffers *buffers, int64_t now_ms) {
    while (conversation->state != CONVERSATION_CLOSED) {
        if (buffers->output_size < PROTOCOL_ERROR_SIZE_MAX) {
            return CONVERSATION_WANTS_ROOM;
        }
        if (conversation->next_index < conversation->end_index) {
            write_numbers(conversation, buffers);
        } else if (conversation->is_tick_awaited) {
            return CONVERSATION_WANTS_TICK;
        } else if (conversation->state == CONVERSATION_PUSHING) {
            push_next(conversation, buffers);
        } else if (!answer_next_request(conversation, buffers, now_ms)) {
            return CONVERSATION_WANTS_INPUT;
        }
    }
    return conversation->is_broken ? CONVERSATION_BROKEN : CONVERSATION_OVER;
}

void conversation_tick(struct conversation *conversation) {
    conversation->is_tick_awaited = false;
}

void conversation_end(struct conversation *conversation, int64_t now_ms) {
    if (conversation->has_session) {
        session_store_detach(conversation->configuration->store, conversation->session.client_id,
                             now_ms);
    }
    conversation->has_session = false;
    conversation->state = CONVERSATION_CLOSED;
}
