/*
 * Purpose: the load generator of the records server. This file reads the command line and prints
 * the summary; records_users does the work.
 *
 * Threading: one thread.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/percentile.h"
#include "bench/records/users.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/options.h"
#include "server/runtime/os.h"
#include "server/runtime/progress.h"

enum {
    USER_COUNT_MAX = 10000,
    REQUEST_COUNT_MAX = 100 * 1000 * 1000,
    DAY_MS = 24 * 60 * 60 * 1000,
};

struct settings {
    const char *host;
    int64_t port;
    int64_t user_count;
    int64_t requests_per_user;
    int64_t delay_ms;
    bool is_quiet;
};

static const char summary[] =
    "Sends records to a records server as many users at a time, each waiting for the end of a "
    "request\n"
    "before the next one, and tells how long that took. Exit code 0: every request came to its "
    "orderly end\nwithout an error.";

static const char examples[] =
    "  records_load                                        1000 users, 100 requests each\n"
    "  records_load --concurrent-users=250 --delay=0.001   one record every millisecond each\n";

static enum options_outcome read_settings(struct settings *settings, int argc, char **argv) {
    *settings = (struct settings){
        .host = "127.0.0.1", .port = 2525, .user_count = 1000, .requests_per_user = 100};
    const struct option_spec specs[] = {
        {"host", "HOST", "name or address of the server", OPTION_TEXT, &settings->host, 0, 0, NULL},
        {"port", "NUMBER", "its ingest port", OPTION_INTEGER, &settings->port, 1, 65535, NULL},
        {"concurrent-users", "NUMBER", "users at a time", OPTION_INTEGER, &settings->user_count, 1,
         USER_COUNT_MAX, NULL},
        {"requests-per-user", "NUMBER", "records that each of them sends", OPTION_INTEGER,
         &settings->requests_per_user, 1, REQUEST_COUNT_MAX, NULL},
        {"delay", "SECONDS", "pause between two requests of a user", OPTION_SECONDS,
         &settings->delay_ms, 0, DAY_MS, NULL},
        {"quiet", NULL, "no summary and no progress bar", OPTION_FLAG, &settings->is_quiet, 0, 0,
         NULL},
    };
    const struct options options = {
        .program = "records_load",
        .summary = summary,
        .examples = examples,
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome == OPTIONS_RUN &&
        settings->user_count * settings->requests_per_user > REQUEST_COUNT_MAX) {
        options_complain(&options, "more than %d requests in all", REQUEST_COUNT_MAX);
        return OPTIONS_INVALID;
    }
    return outcome;
}

static bool find_server(const struct settings *settings,
                        struct records_users_configuration *configuration) {
    char port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    (void)snprintf(port, sizeof port, "%d", (int)settings->port);
    int error = getaddrinfo(settings->host, port, &hints, &addresses);
    if (error != 0) {
        (void)fprintf(stderr, "records_load: %s: %s\n", settings->host, gai_strerror(error));
        return false;
    }
    memcpy(&configuration->address, addresses->ai_addr, addresses->ai_addrlen);
    configuration->address_size = addresses->ai_addrlen;
    freeaddrinfo(addresses);
    return true;
}

static void print_summary(struct records_users *users, double seconds) {
    static const double percents[] = {50, 90, 99, 99.9};
    (void)printf("%" PRIu64 " records in %.3f s: %.0f a second, %.0f a minute; %" PRIu64
                 " failed, %" PRIu64 " refused with an error\n",
                 users->sent_count, seconds, (double)users->sent_count / seconds,
                 60 * (double)users->sent_count / seconds, users->failed_count, users->error_count);
    if (users->sent_count == 0) {
        return;
    }
    percentile_sort(users->latencies_ms, users->sent_count);
    (void)printf("latency of a request in ms: shortest %.3f",
                 percentile_of(users->latencies_ms, users->sent_count, 0));
    for (size_t index = 0; index < sizeof percents / sizeof percents[0]; index++) {
        (void)printf(", %g %% %.3f", percents[index],
                     percentile_of(users->latencies_ms, users->sent_count, percents[index]));
    }
    (void)printf(", longest %.3f\n", percentile_of(users->latencies_ms, users->sent_count, 100));
}

static int run(const struct settings *settings,
               const struct records_users_configuration *configuration) {
    struct records_users users;
    int error = records_users_init(&users, configuration);
    if (error != 0) {
        (void)fprintf(stderr, "records_load: %s\n", strerror(-error));
        return EXIT_FAILURE;
    }
    struct progress progress;
    int64_t start_ns = os_now_ns();
    progress_start(&progress, "records",
                   (uint64_t)(settings->user_count * settings->requests_per_user),
                   !settings->is_quiet);
    while (records_users_run_once(&users)) {
        progress_update(&progress, users.sent_count + users.failed_count);
    }
    progress_finish(&progress);
    if (!settings->is_quiet) {
        print_summary(&users, (double)(os_now_ns() - start_ns) / 1e9);
    }
    if (users.failed_count > 0) {
        (void)fprintf(stderr, "records_load: %s port %d: not all requests were confirmed (%s)\n",
                      settings->host, (int)settings->port, strerror(users.last_error));
    }
    bool is_good = users.failed_count == 0 && users.error_count == 0;
    records_users_destroy(&users);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
    struct settings settings;
    enum options_outcome outcome = read_settings(&settings, argc, argv);
    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    struct records_users_configuration configuration = {
        .user_count = (size_t)settings.user_count,
        .requests_per_user = (uint64_t)settings.requests_per_user,
        .delay_us = settings.delay_ms * 1000,
    };
    if (!find_server(&settings, &configuration)) {
        return EXIT_FAILURE;
    }
    return run(&settings, &configuration);
}
