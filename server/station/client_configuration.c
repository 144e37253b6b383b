#include "server/station/client_configuration.h"

#include <string.h>

#include "server/sessions/backoff.h"
#include "server/station/limits.h"

enum { PORT_DEFAULT = 12345, PORT_MAX = 65535, SECONDS_MAX = 1000000 };

/* Judges the arguments: NEW [COUNT], or CONTINUE. */
static bool read_arguments(struct client_configuration *c, const struct options *options, int count,
                           char **arguments) {
    if (count == 0 || (strcmp(arguments[0], "NEW") != 0 && strcmp(arguments[0], "CONTINUE") != 0)) {
        options_complain(options, "say NEW or CONTINUE");
        return false;
    }
    c->is_new = strcmp(arguments[0], "NEW") == 0;
    int next = 1;
    if (c->is_new && next < count &&
        !options_read_number(arguments[next++], 1, LIMIT_NUMBER_COUNT_MAX, &c->number_count)) {
        options_complain(options, "COUNT is a number from 1 to %d, not '%s'",
                         LIMIT_NUMBER_COUNT_MAX, arguments[next - 1]);
        return false;
    }
    if (next < count) {
        options_complain(options, "unexpected argument '%s'", arguments[next]);
        return false;
    }
    return true;
}

static bool read_client_id(struct client_configuration *c, const struct options *options,
                           const char *text) {
    c->has_client_id = text != NULL;
    if (text != NULL &&
        !uuid_normalize((struct wire_bytes){(const uint8_t *)text, strlen(text)}, c->client_id)) {
        options_complain(options, "--client-id takes a UUID, not '%s'", text);
        return false;
    }
    return true;
}

enum options_outcome client_configuration_read(struct client_configuration *c, int argc,
                                               char **argv) {
    const int64_t milliseconds_max = (int64_t)SECONDS_MAX * 1000;
    const char *client_id = NULL;
    *c = (struct client_configuration){.port = PORT_DEFAULT,
                                       .host = "127.0.0.1",
                                       .state_path = "station.state",
                                       .max_retries = 20,
                                       .retry_delay_ms = 100,
                                       .timeout_ms = 10 * 1000};
    const struct option_spec specs[] = {
        {"host", "HOST", "the server's name or address", OPTION_TEXT, &c->host, 0, 0, NULL},
        {"port", "NUMBER", "its port", OPTION_INTEGER, &c->port, 1, PORT_MAX, NULL},
        {"client-id", "UUID", "the identity of the sequence (default: a fresh one)", OPTION_TEXT,
         &client_id, 0, 0, NULL},
        {"state", "FILE", "where to keep what was received, for CONTINUE", OPTION_TEXT,
         &c->state_path, 0, 0, NULL},
        {"max-retries", "NUMBER", "calls in vain before giving up", OPTION_INTEGER, &c->max_retries,
         0, INT32_MAX, NULL},
        {"retry-delay", "SECONDS", "wait before the first of them, about twice as long each time",
         OPTION_SECONDS, &c->retry_delay_ms, 0, BACKOFF_MAX_MS, NULL},
        {"timeout", "SECONDS", "how long a server may not even answer PING", OPTION_SECONDS,
         &c->timeout_ms, 1, milliseconds_max, NULL},
    };
    const struct options options = {
        .program = "station-client",
        .arguments = "NEW [COUNT] | CONTINUE",
        .summary = "Gets a sequence of COUNT random numbers (1 to 65535, by default a random one) "
                   "from the numbers\nstation, reconnecting as often as need be, and checks its "
                   "checksum. CONTINUE goes on with the\nsequence in the state file.",
        .examples = "  station-client NEW 1000\n"
                    "  station-client NEW 5 --client-id 123e4567-e89b-12d3-a456-426614174000\n"
                    "  station-client CONTINUE --port 12346\n",
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
    if (outcome == OPTIONS_RUN && (!read_arguments(c, &options, argc - first, argv + first) ||
                                   !read_client_id(c, &options, client_id))) {
        return OPTIONS_INVALID;
    }
    return outcome;
}
