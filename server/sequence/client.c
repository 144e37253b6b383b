#include "server/sequence/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/runtime/escape.h"
#include "server/sessions/checksum.h"
#include "server/sessions/client_report.h"

enum { STREAM_TIMEOUT_MS_MAX = 3600 * 1000 };

/* What the server knows of the sequence, as far as the client can tell. */
enum registration {
    UNREGISTERED, /* INIT has not been sent */
    UNCERTAIN,    /* INIT was sent, and no answer came */
    REGISTERED,   /* acknowledged */
};

/* How a step of a connection went. */
enum step_result {
    STEP_OK,
    STEP_LOST,     /* the connection, or the server's good will for now: try again */
    STEP_REFUSED,  /* for good */
    STEP_IO_ERROR, /* the state file failed */
};

struct client {
    const struct client_configuration *configuration;
    struct client_state *state;
    struct client_link link;
    enum registration registration;
    uint32_t retry_count; /* connections in a row that brought nothing new */
    size_t server_index;
    bool was_connected; /* at least once */
    bool is_declined;   /* the server said that it did nothing; INIT may be sent again */
    const char *cause;  /* why the last connection was of no more use; a static text */
    struct client_report report;
    char checksum[PROTOCOL_CHECKSUM_LENGTH + 1]; /* the server's */
    uint8_t batch[PROTOCOL_BATCH_SIZE_MAX];
};

static void show_progress(struct client *client, bool is_last) {
    client_report_progress(&client->report, client->state->received_count,
                           client->state->number_count, is_last);
}

/* Notes why the connection is lost, and prints it with --verbose: system errors in the form that
 * Python gives them. */
static enum step_result lose(struct client *client, int error) {
    client->cause = client->link.problem != NULL ? client->link.problem : strerror(-error);
    if (client->configuration->is_verbose) {
        if (client->link.problem != NULL) {
            (void)printf("ERROR: %s\n", client->cause);
        } else {
            (void)printf("ERROR: [Errno %d] %s\n", -error, client->cause);
        }
    }
    return STEP_LOST;
}

static enum step_result send_request(struct client *client,
                                     const struct protocol_request *request) {
    char text[PROTOCOL_REQUEST_SIZE_MAX];
    size_t size = protocol_write_request(request, text);
    if (client->configuration->is_verbose) {
        (void)printf("Sending message: '%.*s'\n", (int)size, text);
    }
    int error = client_link_send(&client->link, text, size);
    return error == 0 ? STEP_OK : lose(client, error);
}

/* The text of a refusal that may not hold when asked again, which are all but those about the
 * sequence itself; NULL for those. */
static const char *find_temporary(const struct protocol_reply *reply) {
    static const char *const texts[] = {
        PROTOCOL_TEXT_TOO_MANY_CONNECTIONS, PROTOCOL_TEXT_TOO_MANY_OF_ONE_PEER,
        PROTOCOL_TEXT_TOO_MANY_SESSIONS, PROTOCOL_TEXT_TOO_MANY_SESSIONS_OF_ONE_PEER,
        PROTOCOL_TEXT_STORE_UNAVAILABLE};
    for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
        if (strlen(texts[index]) == reply->error_text_length &&
            memcmp(texts[index], reply->error_text, reply->error_text_length) == 0) {
            return texts[index];
        }
    }
    return NULL;
}

/* Judges an ERR. */
static enum step_result refuse(struct client *client, const struct protocol_reply *reply) {
    const char *temporary_text = find_temporary(reply);
    if (temporary_text != NULL) {
        /* Only of a store that failed nobody knows whether it has done it. */
        client->is_declined = strcmp(temporary_text, PROTOCOL_TEXT_STORE_UNAVAILABLE) != 0;
        client->cause = temporary_text;
        return STEP_LOST;
    }
    if (client->registration == UNCERTAIN) {
        /* This answers CONT: the INIT whose answer was lost did not arrive either. */
        client->registration = UNREGISTERED;
        client->cause = "The server has not got the sequence yet";
        return STEP_LOST;
    }
    (void)fflush(stdout);
    client_report_clear(&client->report);
    char escaped[ESCAPED_BYTE_SIZE_MAX * PROTOCOL_ERROR_TEXT_LENGTH_MAX + 1];
    (void)fprintf(
        stderr, "sequence-client: the server refuses: %s\n",
        escape_bytes(escaped, sizeof escaped, reply->error_text, reply->error_text_length));
    return STEP_REFUSED;
}

/* The text of an ERR is the server's own, all others have been parsed. */
static void show_received(const struct protocol_reply *reply, const char *text, size_t text_size) {
    char escaped[ESCAPED_BYTE_SIZE_MAX * PROTOCOL_ERROR_SIZE_MAX + 1];
    if (reply->kind == PROTOCOL_ERR) {
        (void)printf("Received: %s\n", escape_bytes(escaped, sizeof escaped, text, text_size));
    } else {
        (void)printf("Received: %.*s\n", (int)text_size, text);
    }
}

/* Receives a reply of the kind `expected`; ERR becomes the result. */
static enum step_result receive_reply(struct client *client, enum protocol_reply_kind expected,
                                      struct protocol_reply *reply) {
    const char *text;
    size_t text_size;
    int error =
        client_link_receive(&client->link, client->batch, client_state_next_count(client->state),
                            reply, &text, &text_size);
    if (error == -ETIMEDOUT && client->configuration->is_streaming &&
        client->registration == REGISTERED && client->link.timeout_ms < STREAM_TIMEOUT_MS_MAX) {
        /* The pause between two messages of a stream is the server's to choose. */
        client->link.timeout_ms *= 2;
    }
    if (error != 0) {
        return lose(client, error);
    }
    if (client->configuration->is_verbose) {
        show_received(reply, text, text_size);
    }
    if (reply->kind == PROTOCOL_ERR) {
        return refuse(client, reply);
    }
    if (reply->kind != expected) {
        client->link.problem = "Unexpected reply";
        return lose(client, -EPROTO);
    }
    return STEP_OK;
}

static enum step_result register_sequence(struct client *client) {
    struct client_state *state = client->state;
    struct protocol_request request = {.kind = PROTOCOL_CONT};
    memcpy(request.client_id, state->client_id, sizeof request.client_id);
    bool is_init = client->registration == UNREGISTERED;
    if (is_init) {
        request.kind = PROTOCOL_INIT;
        request.number_count = state->number_count;
        request.batch_size = state->batch_size;
    }
    struct protocol_reply reply;
    client->is_declined = false;
    enum step_result result = send_request(client, &request);
    if (result == STEP_OK) {
        result = receive_reply(client, PROTOCOL_ACK, &reply);
    }
    if (result == STEP_LOST && is_init && !client->is_declined) {
        client->registration = UNCERTAIN;
    }
    if (result != STEP_OK) {
        return result;
    }
    bool must_save = client->registration != REGISTERED;
    client->registration = REGISTERED;
    return must_save && client_state_save(state) != STATE_FILE_OK ? STEP_IO_ERROR : STEP_OK;
}

/* Receives the next batch and stores it. */
static enum step_result receive_batch(struct client *client) {
    struct protocol_reply reply;
    enum step_result result = receive_reply(client, PROTOCOL_NUM, &reply);
    if (result != STEP_OK) {
        return result;
    }
    if (reply.number_count != client_state_next_count(client->state)) {
        client->link.problem = "Batch of a wrong size";
        return lose(client, -EPROTO);
    }
    if (client_state_append(client->state, client->batch) != STATE_FILE_OK) {
        return STEP_IO_ERROR;
    }
    client->retry_count = 0;
    show_progress(client, false);
    return STEP_OK;
}

static uint32_t next_batch_index(const struct client *client) {
    const struct client_state *state = client->state;
    return (state->received_count + state->batch_size - 1) / state->batch_size;
}

/* Gets the batches that are missing. A stream goes on to the checksum by itself. */
static enum step_result receive_numbers(struct client *client) {
    enum step_result result = STEP_OK;
    struct protocol_request request = {
        .kind = client->configuration->is_streaming ? PROTOCOL_STREAM : PROTOCOL_RECV,
        .batch_index = next_batch_index(client),
    };
    if (client->configuration->is_streaming) {
        result = send_request(client, &request);
    }
    while (result == STEP_OK && client_state_next_count(client->state) > 0) {
        if (!client->configuration->is_streaming) {
            request.batch_index = next_batch_index(client);
            result = send_request(client, &request);
        }
        if (result == STEP_OK) {
            result = receive_batch(client);
        }
    }
    return result;
}

static enum step_result receive_checksum(struct client *client) {
    struct protocol_request fin = {.kind = PROTOCOL_FIN};
    struct protocol_reply reply;
    enum step_result result =
        client->configuration->is_streaming ? STEP_OK : send_request(client, &fin);
    if (result == STEP_OK) {
        result = receive_reply(client, PROTOCOL_FAC, &reply);
    }
    if (result == STEP_OK) {
        memcpy(client->checksum, reply.checksum, sizeof client->checksum);
    }
    return result;
}

static void show_skipped(const struct client *client) {
    if (client->configuration->is_verbose) {
        (void)printf("Requesting numbers\n");
        for (uint32_t index = 0; index < next_batch_index(client); index++) {
            (void)printf("Skipping chunk-nr: %" PRIu32 "\n", index);
        }
    }
}

/* Everything that a connection is for. */
static enum step_result converse(struct client *client) {
    enum step_result result = register_sequence(client);
    if (result == STEP_OK) {
        show_skipped(client);
        result = receive_numbers(client);
    }
    if (result == STEP_OK) {
        result = receive_checksum(client);
    }
    return result;
}

/* Prints "sequence-client: HOST port PORT: CAUSE" without ending the line. */
static void print_cause(const struct client *client) {
    const struct client_server *server = &client->configuration->servers[client->server_index];
    client_report_clear(&client->report);
    (void)fprintf(stderr, "sequence-client: %s port %u: %s", server->host, server->port,
                  client->cause);
}

static enum step_result use_connection(struct client *client) {
    const struct client_server *server = &client->configuration->servers[client->server_index];
    int error = client_link_open(&client->link, server->host, server->port);
    if (error != 0) {
        enum step_result result = lose(client, error);
        /* A name that nobody knows was mistyped, unless it led to a server before. */
        if (error == -ENOENT && client->configuration->server_count == 1 &&
            !client->was_connected) {
            print_cause(client);
            (void)fputc('\n', stderr);
            result = STEP_REFUSED;
        }
        return result;
    }
    client->was_connected = true;
    enum step_result result = converse(client);
    if (result == STEP_OK && client->configuration->is_verbose) {
        (void)printf("Closing the connection\n");
    }
    client_link_close(&client->link);
    return result;
}

/* Waits for the next attempt, at the next server. False: there is none. */
static bool wait_to_retry(struct client *client) {
    print_cause(client);
    client->server_index = (client->server_index + 1) % client->configuration->server_count;
    return client_report_retry(&client->retry_count, client->configuration->max_retries,
                               client->configuration->retry_delay_ms);
}

/* Prints the sum and compares the checksums. */
static bool judge(const struct client *client) {
    const struct client_state *state = client->state;
    char text[CHECKSUM_TEXT_LENGTH + 1];
    struct checksum checksum;
    uint64_t sum = 0;
    for (uint32_t index = 0; index < state->number_count; index++) {
        sum += state->numbers[index];
    }
    checksum_init(&checksum);
    checksum_update(&checksum, state->numbers, state->number_count);
    checksum_finish(&checksum, text);
    bool is_valid = memcmp(text, client->checksum, sizeof text) == 0;
    (void)printf("The SUM of numbers is: %" PRIu64 "\n", sum);
    (void)printf("Checksum (%s) is %s!\n", client->checksum, is_valid ? "valid" : "NOT valid");
    if (!is_valid) {
        (void)fflush(stdout);
        (void)fprintf(stderr,
                      "sequence-client: what was received is not what was sent; NEW gets another "
                      "sequence, CONTINUE would only compare again\n");
    }
    return is_valid;
}

static enum client_result finish(struct client *client, enum step_result result) {
    switch (result) {
    case STEP_OK:
        show_progress(client, true);
        return judge(client) ? CLIENT_DONE : CLIENT_FAILED;
    case STEP_IO_ERROR:
        client_report_clear(&client->report);
        return CLIENT_IO_ERROR;
    case STEP_LOST:
    case STEP_REFUSED:
        break;
    }
    return CLIENT_FAILED;
}

enum client_result client_run(const struct client_configuration *configuration,
                              struct client_state *state, bool is_new) {
    struct client client = {
        .configuration = configuration,
        .state = state,
        .registration = is_new ? UNREGISTERED : REGISTERED,
        .report = {.has_progress = configuration->has_progress},
    };
    if (client_link_init(&client.link, configuration->timeout_ms) != 0) {
        (void)fprintf(stderr, "sequence-client: no memory\n");
        return CLIENT_FAILED;
    }
    enum step_result result = STEP_LOST;
    do {
        result = use_connection(&client);
        (void)fflush(stdout);
    } while (result == STEP_LOST && wait_to_retry(&client));
    client_link_destroy(&client.link);
    return finish(&client, result);
}
