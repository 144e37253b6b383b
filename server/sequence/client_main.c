/* The command line of the sequence client: what to get, from where, and where to keep it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/runtime/exit_code.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/sequence/client.h"
#include "server/sessions/backoff.h"
#include "server/sessions/client_id.h"
#include "server/sessions/randomness.h"

enum { PORT_DEFAULT = 5000, PORT_MAX = 65535, BATCH_SIZE_DEFAULT = 5, SECONDS_MAX = 1000000 };

struct settings {
    struct client_configuration configuration;
    bool is_new;
    int64_t number_count; /* < 0: by chance */
    int64_t batch_size;
    int64_t port;
    const char *host;
    const char *client_id;
    const char *state_path;
    struct option_list fallbacks;
};

/* Adds the server at HOST:PORT, an address of IPv6 in brackets. */
static bool add_fallback(struct client_configuration *configuration, const char *text) {
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (colon == NULL || !options_read_number(colon + 1, 1, PORT_MAX, &port)) {
        return false;
    }
    bool has_brackets = text[0] == '[' && colon[-1] == ']';
    const char *host = has_brackets ? text + 1 : text;
    size_t host_length = (size_t)(colon - host) - (has_brackets ? 1 : 0);
    if (host_length == 0 || host_length >= CLIENT_HOST_SIZE) {
        return false;
    }
    struct client_server *server = &configuration->servers[configuration->server_count++];
    memcpy(server->host, host, host_length);
    server->host[host_length] = '\0';
    server->port = (uint16_t)port;
    return true;
}

/* Judges the arguments: NEW [N] [PORT] or CONTINUE [PORT]. */
static bool read_arguments(struct settings *s, const struct options *options, int count,
                           char **arguments) {
    if (count == 0) {
        options_complain(options, "say NEW or CONTINUE");
        return false;
    }
    s->is_new = strcmp(arguments[0], "NEW") == 0;
    if (!s->is_new && strcmp(arguments[0], "CONTINUE") != 0) {
        options_complain(options, "say NEW or CONTINUE, not '%s'", arguments[0]);
        return false;
    }
    int next = 1;
    if (s->is_new && next < count &&
        !options_read_number(arguments[next++], 0, PROTOCOL_NUMBER_COUNT_MAX, &s->number_count)) {
        options_complain(options, "N is a number from 0 to %d, not '%s'", PROTOCOL_NUMBER_COUNT_MAX,
                         arguments[next - 1]);
        return false;
    }
    if (next < count && !options_read_number(arguments[next++], 1, PORT_MAX, &s->port)) {
        options_complain(options, "PORT is a number from 1 to %d, not '%s'", PORT_MAX,
                         arguments[next - 1]);
        return false;
    }
    if (next < count) {
        options_complain(options, "unexpected argument '%s'", arguments[next]);
        return false;
    }
    return true;
}

/* Judges the values that options_parse cannot. */
static bool check_settings(struct settings *s, const struct options *options) {
    if (s->client_id != NULL && !client_id_is_valid(s->client_id, strlen(s->client_id))) {
        options_complain(options, "--client-id takes a UUID, not '%s'", s->client_id);
        return false;
    }
    if (strlen(s->host) >= CLIENT_HOST_SIZE) {
        options_complain(options, "--host is too long");
        return false;
    }
    struct client_server *server = &s->configuration.servers[s->configuration.server_count++];
    memcpy(server->host, s->host, strlen(s->host) + 1);
    server->port = (uint16_t)s->port;
    for (size_t index = 0; index < s->fallbacks.count; index++) {
        if (!add_fallback(&s->configuration, s->fallbacks.items[index])) {
            options_complain(options, "--fallback takes HOST:PORT, not '%s'",
                             s->fallbacks.items[index]);
            return false;
        }
    }
    return true;
}

static enum options_outcome read_settings(struct settings *s, int argc, char **argv) {
    const int64_t milliseconds_max = (int64_t)SECONDS_MAX * 1000;
    const struct option_spec specs[] = {
        {"host", "HOST", "the server's name or address", OPTION_TEXT, &s->host, 0, 0, NULL},
        {"fallback", "HOST:PORT", "another server to try; may be given several times",
         OPTION_TEXT_LIST, &s->fallbacks, 0, 0, NULL},
        {"client-id", "UUID", "the identity of the sequence (default: a fresh one)", OPTION_TEXT,
         &s->client_id, 0, 0, NULL},
        {"client_id", "UUID", NULL, OPTION_TEXT, &s->client_id, 0, 0, NULL},
        {"batch-size", "NUMBER", "numbers in one message, 1 to 65535", OPTION_INTEGER,
         &s->batch_size, 1, PROTOCOL_BATCH_SIZE_MAX, NULL},
        {"state", "FILE", "where to keep what was received, for CONTINUE", OPTION_TEXT,
         &s->state_path, 0, 0, NULL},
        {"max-retries", "NUMBER", "connections in vain before giving up", OPTION_INTEGER,
         &s->configuration.max_retries, 0, INT32_MAX, NULL},
        {"retry-delay", "SECONDS", "wait before the first of them, about twice as long each time",
         OPTION_SECONDS, &s->configuration.retry_delay_ms, 0, BACKOFF_MAX_MS, NULL},
        {"timeout", "SECONDS", "how long a server may be silent", OPTION_SECONDS,
         &s->configuration.timeout_ms, 1, milliseconds_max, NULL},
        {"stream", NULL, "let the server push the numbers", OPTION_FLAG,
         &s->configuration.is_streaming, 0, 0, NULL},
        {"verbose", NULL, "print each message", OPTION_FLAG, &s->configuration.is_verbose, 0, 0,
         NULL},
    };
    const struct options options = {
        .program = "sequence-client",
        .arguments = "NEW [N] [PORT] | CONTINUE [PORT]",
        .summary =
            "Gets a sequence of N random numbers (0 to 65535, by default a random N) from the "
            "sequence\nserver at PORT (by default 5000), reconnecting as often as need be, "
            "and checks its checksum.\nCONTINUE goes on with the sequence in the state "
            "file.",
        .examples = "  sequence-client NEW 1000 5000\n"
                    "  sequence-client NEW 5 5000 --client-id 123e4567-e89b-12d3-a456-426614174000 "
                    "--verbose\n"
                    "  sequence-client CONTINUE 5000\n",
        .exit_codes = "  0   all numbers are there, and the checksum is valid\n"
                      "  1   not so: refused, no server reached, a wrong checksum, or nothing to "
                      "continue\n"
                      "  2   a bad argument, option or value\n"
                      "  74  the state file cannot be written\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first = argc;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first);
    if (outcome == OPTIONS_RUN && (!read_arguments(s, &options, argc - first, argv + first) ||
                                   !check_settings(s, &options))) {
        return OPTIONS_INVALID;
    }
    return outcome;
}

/* Begins the sequence that the settings ask for. */
static bool begin_new(struct client_state *state, const struct settings *settings) {
    struct {
        uint8_t client_id[CLIENT_ID_RANDOM_SIZE];
        uint32_t number_count;
    } random;
    char client_id[CLIENT_ID_LENGTH + 1];
    if (!randomness_fill(&random, sizeof random)) {
        return false;
    }
    client_id_write(random.client_id, client_id);
    uint32_t number_count = settings->number_count < 0
                                ? random.number_count % PROTOCOL_NUMBER_COUNT_MAX + 1
                                : (uint32_t)settings->number_count;
    client_state_begin(state, settings->client_id == NULL ? client_id : settings->client_id,
                       number_count, (uint32_t)settings->batch_size);
    return true;
}

static enum exit_code complain(const char *path, const char *text) {
    (void)fprintf(stderr, "sequence-client: %s: %s\n", path, text);
    return EXIT_CODE_START_FAILURE;
}

static enum exit_code run(const struct settings *settings, struct client_state *state) {
    if (settings->is_new && !begin_new(state, settings)) {
        return complain("NEW", "no random numbers available");
    }
    if (!settings->is_new) {
        switch (client_state_load(state)) {
        case STATE_FILE_OK:
            break;
        case STATE_FILE_EMPTY:
            return complain(settings->state_path, "there is no sequence to continue");
        case STATE_FILE_FOREIGN:
            return complain(settings->state_path, "this is no state file");
        case STATE_FILE_IN_USE:
        case STATE_FILE_IO_ERROR:
            return complain(settings->state_path, strerror(state->file.error));
        }
    }
    switch (client_run(&settings->configuration, state, settings->is_new)) {
    case CLIENT_DONE:
        return EXIT_CODE_OK;
    case CLIENT_FAILED:
        break;
    case CLIENT_IO_ERROR:
        (void)complain(settings->state_path, strerror(state->file.error));
        return EXIT_CODE_IO_FAILURE;
    }
    return EXIT_CODE_START_FAILURE;
}

static enum exit_code run_with_state(const struct settings *settings) {
    int error = os_open_standard_streams();
    if (error != 0) {
        return complain("/dev/null", strerror(-error));
    }
    error = os_enter_working_directory();
    if (error != 0) {
        return complain("BUILD_WORKING_DIRECTORY", strerror(-error));
    }
    struct client_state state;
    switch (client_state_open(&state, settings->state_path)) {
    case STATE_FILE_OK:
        break;
    case STATE_FILE_IN_USE:
        return complain(settings->state_path, "another client is using it; choose a --state FILE");
    case STATE_FILE_FOREIGN:
        return complain(settings->state_path, "this is no state file; it was left alone");
    case STATE_FILE_EMPTY:
    case STATE_FILE_IO_ERROR:
        return complain(settings->state_path, strerror(state.file.error));
    }
    enum exit_code code = run(settings, &state);
    client_state_close(&state);
    return code;
}

int main(int argc, char **argv) {
    struct settings settings = {
        .configuration = {.max_retries = CLIENT_RETRY_COUNT_DEFAULT,
                          .retry_delay_ms = CLIENT_RETRY_DELAY_MS_DEFAULT,
                          .timeout_ms = 10 * 1000},
        .number_count = -1,
        .batch_size = BATCH_SIZE_DEFAULT,
        .port = PORT_DEFAULT,
        .host = "127.0.0.1",
        .state_path = "sequence.state",
    };
    switch (read_settings(&settings, argc, argv)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    }
    settings.configuration.has_progress =
        isatty(STDERR_FILENO) == 1 && !settings.configuration.is_verbose;
    return (int)run_with_state(&settings);
}
