/* The client: gets the whole of a sequence, whatever happens to its connections, and checks its
 * checksum. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/exit_code.h"
#include "server/runtime/os.h"
#include "server/sessions/client_id.h"
#include "server/sessions/client_report.h"
#include "server/sessions/randomness.h"
#include "server/station/client_call.h"
#include "server/station/client_configuration.h"
#include "server/station/client_state.h"
#include "server/station/number_sequence.h"

/* What the server knows of the sequence, as far as the client can tell. */
enum registration {
    UNREGISTERED, /* it was not asked for */
    UNCERTAIN,    /* it was, and no number came */
    REGISTERED,   /* a number came */
};

struct client {
    const struct client_configuration *configuration;
    struct client_state *state;
    enum registration registration;
    uint32_t retry_count; /* calls in a row that brought nothing new */
    bool has_checksum;
    uint32_t checksum; /* the server's */
    struct client_report report;
};

static void show_progress(struct client *client, bool is_last) {
    client_report_progress(&client->report, client->state->received_count,
                           client->state->number_count, is_last);
}

static bool take_number(void *context, const struct codec_number *number) {
    struct client *client = context;
    struct client_state *state = client->state;
    bool is_last = state->received_count + 1 == state->number_count;
    if (state->received_count == state->number_count || number->index != state->received_count ||
        number->has_checksum != is_last) {
        return false;
    }
    client_state_append(state, number->number);
    client->registration = REGISTERED;
    client->retry_count = 0;
    client->has_checksum = is_last;
    client->checksum = number->checksum;
    return true;
}

static bool end_piece(void *context) {
    struct client *client = context;
    show_progress(client, false);
    return client_state_save(client->state) == STATE_FILE_OK;
}

static enum status call_server(struct client *client, char text[CLIENT_CALL_TEXT_SIZE]) {
    const struct client_configuration *configuration = client->configuration;
    const struct client_call_handlers handlers = {take_number, end_piece, client};
    bool starts = client->registration == UNREGISTERED;
    const struct client_call_request request = {
        .host = configuration->host,
        .port = (uint16_t)configuration->port,
        .timeout_ms = configuration->timeout_ms,
        .path = starts ? "/station.v1.NumbersStation/Start" : "/station.v1.NumbersStation/Resume",
        .client_id = client->state->client_id,
        .argument = starts ? client->state->number_count : client->state->received_count,
    };
    enum status status = client_call_run(&request, &handlers, text);
    if (starts && client->registration == UNREGISTERED && status == STATUS_UNAVAILABLE) {
        client->registration = UNCERTAIN;
    }
    return status;
}

/* Whether it makes sense to call again after this status. */
static bool may_retry(struct client *client, enum status status) {
    if (client->registration == UNCERTAIN && status == STATUS_NOT_FOUND) {
        client->registration = UNREGISTERED; /* the call that was lost had not arrived */
        return true;
    }
    return status == STATUS_UNAVAILABLE || status == STATUS_RESOURCE_EXHAUSTED;
}

/* Waits for the next attempt. False: there is none. */
static bool wait_to_retry(struct client *client, enum status status, const char *text) {
    const struct client_configuration *configuration = client->configuration;
    client_report_clear(&client->report);
    (void)fprintf(stderr, "station-client: %s port %" PRId64 ": %s: %s", configuration->host,
                  configuration->port, status_name(status), text);
    if (!may_retry(client, status)) {
        (void)fputc('\n', stderr);
        return false;
    }
    return client_report_retry(&client->retry_count, configuration->max_retries,
                               configuration->retry_delay_ms);
}

/* Compares the checksums. */
static enum exit_code judge(struct client *client) {
    struct number_checksum checksum;
    number_checksum_init(&checksum);
    number_checksum_update(&checksum, client->state->numbers, client->state->number_count);
    bool is_valid = checksum.crc == client->checksum;
    show_progress(client, true);
    (void)printf("Received %" PRIu32 " numbers\n", client->state->number_count);
    (void)printf("Checksum (%" PRIu32 ") is %s!\n", client->checksum,
                 is_valid ? "valid" : "NOT valid");
    if (!is_valid) {
        (void)fprintf(stderr, "station-client: start anew with NEW\n");
    }
    return is_valid ? EXIT_CODE_OK : EXIT_CODE_START_FAILURE;
}

/* Gets what the state lacks. */
static enum exit_code run(struct client *client) {
    for (;;) {
        char text[CLIENT_CALL_TEXT_SIZE] = "";
        enum status status = call_server(client, text);
        if (client_state_save(client->state) != STATE_FILE_OK) {
            client_report_clear(&client->report);
            (void)fprintf(stderr, "station-client: %s: %s\n", client->configuration->state_path,
                          strerror(client->state->file.error));
            return EXIT_CODE_IO_FAILURE;
        }
        if (client->has_checksum) {
            return judge(client);
        }
        if (status == STATUS_OK) {
            status = STATUS_UNAVAILABLE;
            (void)snprintf(text, sizeof text, "the stream ended early");
        }
        if (!wait_to_retry(client, status, text)) {
            return EXIT_CODE_START_FAILURE;
        }
    }
}

static enum exit_code complain(const char *path, const char *text) {
    (void)fprintf(stderr, "station-client: %s: %s\n", path, text);
    return EXIT_CODE_START_FAILURE;
}

/* Begins the sequence that the command line asks for. */
static enum exit_code begin_new(const struct client_configuration *configuration,
                                struct client_state *state) {
    uint8_t random_id[CLIENT_ID_RANDOM_SIZE];
    uint32_t random_count;
    char client_id[CLIENT_ID_LENGTH + 1];
    if (!randomness_fill(random_id, sizeof random_id) ||
        !randomness_fill(&random_count, sizeof random_count)) {
        return complain("NEW", "no random numbers available");
    }
    client_id_write(random_id, client_id);
    uint32_t count = configuration->number_count > 0 ? (uint32_t)configuration->number_count
                                                     : random_count % LIMIT_NUMBER_COUNT_MAX + 1;
    const char *chosen_id = configuration->has_client_id ? configuration->client_id : client_id;
    if (client_state_begin(state, chosen_id, count) != STATE_FILE_OK) {
        (void)complain(configuration->state_path, strerror(state->file.error));
        return EXIT_CODE_IO_FAILURE;
    }
    return EXIT_CODE_OK;
}

static enum exit_code run_with_state(const struct client_configuration *configuration,
                                     struct client_state *state, bool is_empty) {
    struct client client = {
        .configuration = configuration,
        .state = state,
        .registration = configuration->is_new ? UNREGISTERED : UNCERTAIN,
        .report = {.has_progress = isatty(STDERR_FILENO) == 1},
    };
    if (configuration->is_new) {
        enum exit_code code = begin_new(configuration, state);
        return code == EXIT_CODE_OK ? run(&client) : code;
    }
    if (is_empty) {
        return complain(configuration->state_path, "there is no sequence to continue");
    }
    if (state->received_count > 0) {
        client.registration = REGISTERED;
    }
    if (state->received_count == state->number_count) {
        /* Its message carries the checksum, which is not in the file. */
        state->received_count--;
    }
    return run(&client);
}

int main(int argc, char **argv) {
    static struct client_state state;
    struct client_configuration configuration;
    switch (client_configuration_read(&configuration, argc, argv)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    }
    int error = os_open_standard_streams();
    if (error == 0) {
        error = os_enter_working_directory();
    }
    if (error != 0) {
        return (int)complain("cannot start", strerror(-error));
    }
    enum state_file_result result = client_state_open(&state, configuration.state_path);
    enum exit_code code = EXIT_CODE_START_FAILURE;
    switch (result) {
    case STATE_FILE_OK:
    case STATE_FILE_EMPTY:
        code = run_with_state(&configuration, &state, result == STATE_FILE_EMPTY);
        client_state_close(&state);
        break;
    case STATE_FILE_IN_USE:
        return (int)complain(configuration.state_path,
                             "another client is using it; choose a --state FILE");
    case STATE_FILE_FOREIGN:
        return (int)complain(configuration.state_path,
                             "this is no state file; choose a --state FILE");
    case STATE_FILE_IO_ERROR:
        return (int)complain(configuration.state_path, strerror(state.file.error));
    }
    return (int)code;
}
