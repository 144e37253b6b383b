/*
 * Purpose: a client of the numbers server, and the load generator of its measurements. This file
 * reads the command line and prints the summary; load_client does the work.
 *
 * Threading: one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load_client.h"
#include "bench/option_values.h"
#include "bench/progress.h"

#define PROGRAM "load"
#define VERSION "1.0.0"

enum {
    DEFAULT_PORT = 4000,
    DEFAULT_SEND_SIZE = 256 * 1024,
    SEND_SIZE_HIGHEST = 64 * 1024 * 1024,
    /* Numbers are made in chunks of at least this size, however small the sends are. */
    BUFFER_SIZE_LOWEST = 64 * 1024,
    TIMEOUT_SECONDS_HIGHEST = 86400,
};
#define COUNT_HIGHEST UINT64_C(4000000000)

struct settings {
    struct load_client_options client;
    const char *from; /* NULL: generate numbers */
    bool count_given;
    bool quiet;
};

static const char help_text[] =
    "usage: load [OPTION]...\n"
    "Sends nine-digit numbers, one a line, to a numbers server, and tells whether they are safe.\n"
    "\n"
    "where to\n"
    "  --host HOST           name or address of the server (127.0.0.1)\n"
    "  --port PORT           its port (4000)\n"
    "  --connections N       connections at the same time, 1 to 1024 (1)\n"
    "what\n"
    "  --count N             numbers to send, over all connections (1000000)\n"
    "  --order ORDER         random: uniform, with repetitions by chance (the default)\n"
    "                        permutation: random order, all distinct up to --count 1000000000\n"
    "                        sequential: 000000000, 000000001, ...\n"
    "  --duplicates PERCENT  share of numbers that repeat an earlier one on purpose (0)\n"
    "  --seed N              another number gives another random order (0)\n"
    "  --from FILE           send the lines of FILE as they are instead; - is standard input\n"
    "  --prepared N          prepare N lines in memory first and send them again and again;\n"
    "                        0 makes the numbers while sending (0)\n"
    "  --terminate           send 'terminate' when all connections have ended: stops the server\n"
    "how\n"
    "  --rate N              numbers a second at most; 0 = no limit (0)\n"
    "  --send-size BYTES     bytes in one send at most; 10 = one line a send (262144)\n"
    "  --timeout SECONDS     give up when nothing moves for so long; 0 = never (0)\n"
    "  --quiet               no summary and no progress bar\n"
    "  --help, --version\n"
    "\n"
    "Exit code 0: the server confirmed every connection with an orderly end, so that all valid\n"
    "lines are in its log. 1: a connection was refused or reset, or timed out. 2: wrong usage.\n"
    "\n"
    "examples\n"
    "  load --count 10000000 --connections 5\n"
    "  load --order permutation --count 1000000000 --connections 5    every number there is, once\n"
    "  load --duplicates 50 --rate 100000 --count 3000000             half a minute of mild load\n"
    "  seq -f %09.0f 0 99 | load --from - --terminate                 your own lines, then stop\n";

enum option_code {
    OPTION_HOST = 256,
    OPTION_PORT,
    OPTION_CONNECTIONS,
    OPTION_COUNT,
    OPTION_ORDER,
    OPTION_DUPLICATES,
    OPTION_SEED,
    OPTION_FROM,
    OPTION_PREPARED,
    OPTION_TERMINATE,
    OPTION_RATE,
    OPTION_SEND_SIZE,
    OPTION_TIMEOUT,
    OPTION_QUIET,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"host", required_argument, NULL, OPTION_HOST},
    {"port", required_argument, NULL, OPTION_PORT},
    {"connections", required_argument, NULL, OPTION_CONNECTIONS},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"order", required_argument, NULL, OPTION_ORDER},
    {"duplicates", required_argument, NULL, OPTION_DUPLICATES},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"from", required_argument, NULL, OPTION_FROM},
    {"prepared", required_argument, NULL, OPTION_PREPARED},
    {"terminate", no_argument, NULL, OPTION_TERMINATE},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"send-size", required_argument, NULL, OPTION_SEND_SIZE},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static bool read_order(const char *text, enum load_order *order) {
    if (strcmp(text, "random") == 0) {
        *order = LOAD_ORDER_RANDOM;
    } else if (strcmp(text, "sequential") == 0) {
        *order = LOAD_ORDER_SEQUENTIAL;
    } else if (strcmp(text, "permutation") == 0) {
        *order = LOAD_ORDER_PERMUTATION;
    } else {
        (void)fprintf(stderr, PROGRAM ": --order: '%s' is not random, sequential or permutation\n",
                      text);
        return false;
    }
    return true;
}

/* Reads an option whose value is a number. Returns false after a message. */
static bool read_number_option(struct settings *settings, int code, const char *name,
                               const char *text) {
    static const struct {
        int code;
        uint64_t minimum, maximum;
    } limits[] = {
        {OPTION_PORT, 1, 65535},
        {OPTION_CONNECTIONS, 1, LOAD_CLIENT_CONNECTION_COUNT_HIGHEST},
        {OPTION_COUNT, 0, COUNT_HIGHEST},
        {OPTION_DUPLICATES, 0, 100},
        {OPTION_SEED, 0, UINT64_MAX},
        {OPTION_PREPARED, 0, COUNT_HIGHEST},
        {OPTION_RATE, 0, COUNT_HIGHEST},
        {OPTION_SEND_SIZE, 1, SEND_SIZE_HIGHEST},
        {OPTION_TIMEOUT, 0, TIMEOUT_SECONDS_HIGHEST},
    };
    struct load_client_options *client = &settings->client;
    uint64_t value;
    size_t i = 0;
    while (limits[i].code != code) {
        i++;
    }
    if (!option_read_number(PROGRAM, name, text, limits[i].minimum, limits[i].maximum, &value)) {
        return false;
    }
    switch (code) {
    case OPTION_PORT:
        client->port = (uint16_t)value;
        break;
    case OPTION_CONNECTIONS:
        client->source.cursor_count = (uint32_t)value;
        break;
    case OPTION_COUNT:
        client->source.number_count = (uint32_t)value;
        settings->count_given = true;
        break;
    case OPTION_DUPLICATES:
        client->source.numbers.duplicates_percent = (uint32_t)value;
        break;
    case OPTION_SEED:
        client->source.numbers.seed = value;
        break;
    case OPTION_PREPARED:
        client->source.prepared_count = (uint32_t)value;
        break;
    case OPTION_RATE:
        client->rate = value;
        break;
    case OPTION_SEND_SIZE:
        client->send_size = (size_t)value;
        break;
    case OPTION_TIMEOUT:
        client->timeout_ms = (uint32_t)value * 1000;
        break;
    }
    return true;
}

/* Options that make no sense together are refused rather than silently ignored. */
static bool check_combination(const struct settings *settings) {
    const struct load_source_options *source = &settings->client.source;
    if (settings->from != NULL && (settings->count_given || source->prepared_count > 0)) {
        (void)fputs(PROGRAM
                    ": --from sends the lines of a file: --count and --prepared do not apply\n",
                    stderr);
        return false;
    }
    return true;
}

/* Returns -1 to go on, or the exit code of a command line that is answered at once. */
static int read_options(int argc, char **argv, struct settings *settings) {
    int code, index = 0;
    while ((code = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        switch (code) {
        case OPTION_HOST:
            settings->client.host = optarg;
            break;
        case OPTION_FROM:
            settings->from = optarg;
            break;
        case OPTION_ORDER:
            if (!read_order(optarg, &settings->client.source.numbers.order)) {
                return EXIT_USAGE;
            }
            break;
        case OPTION_TERMINATE:
            settings->client.terminate = true;
            break;
        case OPTION_QUIET:
            settings->quiet = true;
            break;
        case OPTION_HELP:
            (void)fputs(help_text, stdout);
            return EXIT_SUCCESS;
        case OPTION_VERSION:
            (void)puts(PROGRAM " (numbers) " VERSION);
            return EXIT_SUCCESS;
        case '?':
            return EXIT_USAGE;
        default:
            if (!read_number_option(settings, code, long_options[index].name, optarg)) {
                return EXIT_USAGE;
            }
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, PROGRAM ": '%s' is not an option; see --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    return check_combination(settings) ? -1 : EXIT_USAGE;
}

static void show_progress(void *context, uint64_t sent_lines) {
    struct progress *progress = (struct progress *)context;
    progress_update(progress, sent_lines);
}

static void print_summary(const struct load_client_result *result) {
    double rate = result->seconds > 0 ? (double)result->sent_lines / result->seconds : 0;
    (void)printf("Sent %" PRIu64 " numbers (%" PRIu64 " bytes) in %.3f s: %.0f numbers/s\n",
                 result->sent_lines, result->sent_bytes, result->seconds, rate);
    (void)printf("Connections: %" PRIu32 " confirmed, %" PRIu32 " refused, %" PRIu32 " reset",
                 result->confirmed_count, result->refused_count, result->reset_count);
    if (result->timed_out_count > 0) {
        (void)printf(", %" PRIu32 " timed out", result->timed_out_count);
    }
    (void)printf("; %" PRIu64 " numbers confirmed\n", result->confirmed_lines);
}

/* Says what went wrong, if anything, and returns the exit code. */
static int judge(const struct settings *settings, enum load_client_status status,
                 const struct load_client_result *result) {
    const struct load_client_options *client = &settings->client;
    int error = errno;
    switch (status) {
    case LOAD_CLIENT_NO_SUCH_HOST:
        (void)fprintf(stderr, PROGRAM ": there is no host '%s'\n", client->host);
        return EXIT_FAILURE;
    case LOAD_CLIENT_NO_MEMORY:
        (void)fputs(PROGRAM ": not enough memory\n", stderr);
        return EXIT_FAILURE;
    case LOAD_CLIENT_SOURCE_FAILED:
        (void)fprintf(stderr, PROGRAM ": reading %s: %s\n", settings->from, strerror(error));
        return EXIT_FAILURE;
    case LOAD_CLIENT_POLL_FAILED:
        (void)fprintf(stderr, PROGRAM ": poll: %s\n", strerror(error));
        return EXIT_FAILURE;
    case LOAD_CLIENT_DONE:
        break;
    }
    if (!settings->quiet) {
        print_summary(result);
    }
    if (result->terminate_error != 0) {
        (void)fprintf(stderr, PROGRAM ": terminate was not sent: %s\n",
                      strerror(result->terminate_error));
        return EXIT_FAILURE;
    }
    if (result->confirmed_count == client->source.cursor_count) {
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, PROGRAM ": %s port %u: not all connections were confirmed (%s)\n",
                  client->host, (unsigned)client->port, strerror(result->last_error));
    return EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct settings settings = {.client = {.host = "127.0.0.1",
                                           .port = DEFAULT_PORT,
                                           .send_size = DEFAULT_SEND_SIZE,
                                           .source = {.numbers = {.order = LOAD_ORDER_RANDOM},
                                                      .number_count = 1000000,
                                                      .cursor_count = 1,
                                                      .from_fd = -1}}};
    struct load_client_options *client = &settings.client;
    struct load_client_result result;
    struct progress progress;
    option_enter_user_directory();
    int exit_code = read_options(argc, argv, &settings);
    if (exit_code >= 0) {
        return exit_code;
    }
    client->source.buffer_size =
        client->send_size > BUFFER_SIZE_LOWEST ? client->send_size : BUFFER_SIZE_LOWEST;
    if (settings.from != NULL) {
        bool is_stdin = strcmp(settings.from, "-") == 0;
        client->source.from_fd =
            is_stdin ? STDIN_FILENO : open(settings.from, O_RDONLY | O_CLOEXEC);
        if (client->source.from_fd < 0) {
            (void)fprintf(stderr, PROGRAM ": %s: %s\n", settings.from, strerror(errno));
            return EXIT_FAILURE;
        }
    }
    progress_start(&progress, "sent", settings.from == NULL ? client->source.number_count : 0,
                   !settings.quiet);
    client->on_progress = show_progress;
    client->progress_context = &progress;
    enum load_client_status status = load_client_run(client, &result);
    progress_finish(&progress);
    return judge(&settings, status, &result);
}
