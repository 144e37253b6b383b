/*
 * Purpose: a client of the numbers server, and the load generator of its measurements. This file
 * reads the command line and prints the summary; load_client does the work.
 *
 * Threading: one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/numbers/load_client.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/progress.h"

#define PROGRAM "numbers-load"

enum {
    DEFAULT_NUMBER_COUNT = 1000000,
    DEFAULT_SEND_SIZE = 256 * 1024,
    SEND_SIZE_MAX = 64 * 1024 * 1024,
    /* Numbers are made in chunks of at least this size, however small the sends are. */
    BUFFER_SIZE_MIN = 64 * 1024,
    DAY_MS = 24 * 60 * 60 * 1000,
};
#define COUNT_MAX INT64_C(4000000000)

/* What the options say, in the types of the option table. */
struct settings {
    const char *host;
    int64_t port;
    int64_t connection_count;
    int64_t number_count;
    int order; /* enum load_order */
    int64_t duplicates_percent;
    int64_t seed;
    const char *from; /* NULL: generate numbers */
    int64_t prepared_count;
    bool terminates;
    int64_t rate;
    int64_t send_size;
    int64_t timeout_ms;
    bool is_quiet;
};

static const char *const order_names[] = {
    [LOAD_ORDER_RANDOM] = "random",
    [LOAD_ORDER_SEQUENTIAL] = "sequential",
    [LOAD_ORDER_PERMUTATION] = "permutation",
    [LOAD_ORDER_PERMUTATION + 1] = NULL,
};

static const char summary[] =
    "Sends nine-digit numbers, one a line, to a numbers server, and tells whether they are safe.\n"
    "Orders: random is uniform, with repetitions by chance; permutation has a random order too, "
    "but\n"
    "all numbers are distinct up to --count=1000000000; sequential is 000000000, 000000001, ...";

static const char examples[] = "  numbers-load --count=10000000 --connections=5\n"
                               "  numbers-load --order=permutation --count=1000000000 "
                               "--connections=5  every number there is, once\n"
                               "  numbers-load --duplicates=50 --rate=100000 --count=3000000       "
                               "    half a minute of mild load\n"
                               "  seq -f %09.0f 0 99 | numbers-load --from=- --terminate           "
                               "    your own lines, then stop\n";

static enum options_outcome read_settings(struct settings *settings, int argc, char **argv) {
    *settings = (struct settings){.host = "127.0.0.1",
                                  .port = 4000,
                                  .connection_count = 1,
                                  .number_count = DEFAULT_NUMBER_COUNT,
                                  .order = LOAD_ORDER_RANDOM,
                                  .send_size = DEFAULT_SEND_SIZE};
    const struct option_spec specs[] = {
        {"host", "HOST", "name or address of the server", OPTION_TEXT, &settings->host, 0, 0, NULL},
        {"port", "NUMBER", "its port", OPTION_INTEGER, &settings->port, 1, 65535, NULL},
        {"connections", "NUMBER", "connections at the same time", OPTION_INTEGER,
         &settings->connection_count, 1, LOAD_CLIENT_CONNECTION_COUNT_MAX, NULL},
        {"count", "NUMBER", "numbers to send, over all connections", OPTION_INTEGER,
         &settings->number_count, 0, COUNT_MAX, NULL},
        {"order", "ORDER", "random, sequential or permutation", OPTION_CHOICE, &settings->order, 0,
         0, order_names},
        {"duplicates", "PERCENT", "share of numbers that repeat an earlier one", OPTION_INTEGER,
         &settings->duplicates_percent, 0, 100, NULL},
        {"seed", "NUMBER", "another number gives another random order", OPTION_INTEGER,
         &settings->seed, 0, INT64_MAX, NULL},
        {"from", "FILE",
         "send the lines of FILE as they are, the last one completed; - is standard input",
         OPTION_TEXT, &settings->from, 0, 0, NULL},
        {"prepared", "NUMBER", "lines to prepare first and send again and again; 0: none",
         OPTION_INTEGER, &settings->prepared_count, 0, COUNT_MAX, NULL},
        {"terminate", NULL, "stop the server when all connections have ended", OPTION_FLAG,
         &settings->terminates, 0, 0, NULL},
        {"rate", "NUMBER", "numbers a second at most; 0: no limit", OPTION_INTEGER, &settings->rate,
         0, COUNT_MAX, NULL},
        {"send-size", "BYTES", "bytes in one send at most; 10: one line a send", OPTION_INTEGER,
         &settings->send_size, 1, SEND_SIZE_MAX, NULL},
        {"timeout", "SECONDS", "give up when nothing moves for so long; 0: never", OPTION_SECONDS,
         &settings->timeout_ms, 0, DAY_MS, NULL},
        {"quiet", NULL, "no summary and no progress bar", OPTION_FLAG, &settings->is_quiet, 0, 0,
         NULL},
    };
    const struct options options = {
        .program = PROGRAM,
        .summary = summary,
        .examples = examples,
        .exit_codes =
            "  0   the server confirmed every connection with an orderly end: its lines are in the "
            "log\n"
            "  1   a connection was refused or reset, or timed out\n"
            "  2   a bad option or value\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    /* Options that make no sense together are refused rather than silently ignored. */
    if (outcome == OPTIONS_RUN && settings->from != NULL &&
        (settings->number_count != DEFAULT_NUMBER_COUNT || settings->prepared_count > 0)) {
        options_complain(&options,
                         "--from sends the lines of a file: --count and --prepared do not apply");
        return OPTIONS_INVALID;
    }
    return outcome;
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

/* Says what went wrong, if anything, and returns the exit code. error: errno of a failed run. */
static int judge(const struct settings *settings, enum load_client_status status, int error,
                 const struct load_client_result *result) {
    switch (status) {
    case LOAD_CLIENT_NO_SUCH_HOST:
        (void)fprintf(stderr, PROGRAM ": there is no host '%s'\n", settings->host);
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
    if (!settings->is_quiet) {
        print_summary(result);
    }
    if (result->terminate_error != 0) {
        (void)fprintf(stderr, PROGRAM ": terminate was not sent: %s\n",
                      strerror(result->terminate_error));
        return EXIT_FAILURE;
    }
    if (result->confirmed_count == settings->connection_count) {
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, PROGRAM ": %s port %u: not all connections were confirmed (%s)\n",
                  settings->host, (unsigned)settings->port, strerror(result->last_error));
    return EXIT_FAILURE;
}

/* Opens the file to send, if there is one, in *from_fd. Returns false after a message. */
static bool open_source(const struct settings *settings, int *from_fd) {
    *from_fd = -1;
    if (settings->from == NULL) {
        return true;
    }
    if (strcmp(settings->from, "-") == 0) {
        *from_fd = STDIN_FILENO;
        return true;
    }
    *from_fd = os_open(settings->from, O_RDONLY, 0);
    if (*from_fd < 0) {
        (void)fprintf(stderr, PROGRAM ": %s: %s\n", settings->from, strerror(-*from_fd));
    }
    return *from_fd >= 0;
}

static int run(const struct settings *settings, int from_fd) {
    size_t send_size = (size_t)settings->send_size;
    struct progress progress;
    struct load_client_options options = {
        .host = settings->host,
        .port = (uint16_t)settings->port,
        .send_size = send_size,
        .rate = (uint64_t)settings->rate,
        .terminate = settings->terminates,
        .timeout_ms = (uint32_t)settings->timeout_ms,
        .source = {.numbers = {.order = (enum load_order)settings->order,
                               .seed = (uint64_t)settings->seed,
                               .duplicates_percent = (uint32_t)settings->duplicates_percent},
                   .number_count = (uint32_t)settings->number_count,
                   .cursor_count = (uint32_t)settings->connection_count,
                   .prepared_count = (uint32_t)settings->prepared_count,
                   .from_fd = from_fd,
                   .buffer_size = send_size > BUFFER_SIZE_MIN ? send_size : BUFFER_SIZE_MIN},
        .progress = &progress,
    };
    struct load_client_result result;
    progress_start(&progress, "sent", from_fd < 0 ? options.source.number_count : 0,
                   !settings->is_quiet);
    enum load_client_status status = load_client_run(&options, &result);
    int error = errno;
    progress_finish(&progress);
    return judge(settings, status, error, &result);
}

int main(int argc, char **argv) {
    struct settings settings;
    enum options_outcome outcome = read_settings(&settings, argc, argv);
    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    int error = os_enter_working_directory();
    if (error != 0) {
        (void)fprintf(stderr, PROGRAM ": BUILD_WORKING_DIRECTORY: %s\n", strerror(-error));
        return EXIT_FAILURE;
    }
    int from_fd;
    return open_source(&settings, &from_fd) ? run(&settings, from_fd) : EXIT_FAILURE;
}
