#include "bench/throughput_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/option_values.h"
#include "bench/series.h"

#define PROGRAM "throughput"

enum { DEFAULT_ROUNDS = 5, DEFAULT_COUNT = 100000000, COUNT_LOWEST = 1000 };

static const char help_text[] =
    "usage: throughput [OPTION]...\n"
    "Compares the numbers server with a program that only receives and stores the same bytes.\n"
    "\n"
    "  --rounds N        rounds of each scenario, server and baseline in turn, 1 to 101 (5)\n"
    "  --count N         numbers in a round (100000000)\n"
    "  --scenario NAME   only this scenario; may be given several times\n"
    "  --list            print the scenarios\n"
    "  --universe        send all 10^9 numbers in random order and check the log; takes a minute\n"
    "                    and 10 GB in --log-dir, or in --memory-dir if that is not given\n"
    "  --log-dir DIR     where logs on disk go ($TMPDIR or /tmp)\n"
    "  --memory-dir DIR  where logs in memory go (/dev/shm)\n"
    "  --plot FILE.svg   draw the ratios\n"
    "  --server PATH     the server under test (the one built beside this program)\n"
    "  --server-arg ARG  hand ARG to the server, e.g. --server-arg=--fsync=never; several allowed\n"
    "  --baseline PATH   the baseline server (the one built beside this program)\n"
    "  --help\n"
    "\n"
    "Exit code 0: every run went through and every log had the right size.\n"
    "\n"
    "examples\n"
    "  throughput --rounds 3 --scenario random --scenario duplicates-50\n"
    "  throughput --plot throughput.svg\n"
    "  throughput --universe --log-dir /mnt/disk\n";

enum option_code {
    OPTION_ROUNDS = 256,
    OPTION_COUNT,
    OPTION_SCENARIO,
    OPTION_LIST,
    OPTION_UNIVERSE,
    OPTION_LOG_DIR,
    OPTION_MEMORY_DIR,
    OPTION_PLOT,
    OPTION_SERVER,
    OPTION_SERVER_ARG,
    OPTION_BASELINE,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"scenario", required_argument, NULL, OPTION_SCENARIO},
    {"list", no_argument, NULL, OPTION_LIST},
    {"universe", no_argument, NULL, OPTION_UNIVERSE},
    {"log-dir", required_argument, NULL, OPTION_LOG_DIR},
    {"memory-dir", required_argument, NULL, OPTION_MEMORY_DIR},
    {"plot", required_argument, NULL, OPTION_PLOT},
    {"server", required_argument, NULL, OPTION_SERVER},
    {"server-arg", required_argument, NULL, OPTION_SERVER_ARG},
    {"baseline", required_argument, NULL, OPTION_BASELINE},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* The programs built together with this one lie at fixed places beside it. */
static void find_built_programs(struct throughput_settings *settings) {
    char self[THROUGHPUT_PATH_CAPACITY - 64];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size < 0 ? 0 : size] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    (void)snprintf(settings->baseline_path, sizeof settings->baseline_path, "%s/baseline_server",
                   self);
    (void)snprintf(settings->server_path, sizeof settings->server_path,
                   "%s/../server/numbers/server", self);
}

static bool add_scenario(struct throughput_options *options, const char *name) {
    const struct throughput_scenario *scenario = throughput_scenario_find(name);
    if (scenario == NULL || options->scenario_count == THROUGHPUT_SCENARIO_CAPACITY) {
        (void)fprintf(stderr, PROGRAM ": --scenario: there is no scenario '%s'; see --list\n",
                      name);
        return false;
    }
    options->scenarios[options->scenario_count++] = scenario;
    return true;
}

static void add_all_scenarios(struct throughput_options *options) {
    size_t count;
    const struct throughput_scenario *scenarios = throughput_scenarios(&count);
    for (size_t i = 0; i < count; i++) {
        options->scenarios[options->scenario_count++] = &scenarios[i];
    }
}

static void list_scenarios(void) {
    size_t count;
    const struct throughput_scenario *scenarios = throughput_scenarios(&count);
    for (size_t i = 0; i < count; i++) {
        (void)printf("%-16s %s\n", scenarios[i].name, scenarios[i].description);
    }
}

static bool add_server_argument(struct throughput_settings *settings, char *argument) {
    if (settings->server_argument_count == THROUGHPUT_SERVER_ARGUMENT_CAPACITY) {
        (void)fputs(PROGRAM ": --server-arg: too many\n", stderr);
        return false;
    }
    settings->server_arguments[settings->server_argument_count++] = argument;
    return true;
}

static bool read_count(const char *name, uint64_t minimum, uint64_t maximum, uint32_t *count) {
    uint64_t value;
    if (!option_read_number(PROGRAM, name, optarg, minimum, maximum, &value)) {
        return false;
    }
    *count = (uint32_t)value;
    return true;
}

/* Takes one option that has a value. Returns false after a message. */
static bool take_option(struct throughput_options *options, int code) {
    struct throughput_settings *settings = &options->settings;
    switch (code) {
    case OPTION_ROUNDS:
        return read_count("rounds", 1, SERIES_CAPACITY, &settings->round_count);
    case OPTION_COUNT:
        return read_count("count", COUNT_LOWEST, LOAD_GENERATOR_RANGE, &settings->number_count);
    case OPTION_SCENARIO:
        return add_scenario(options, optarg);
    case OPTION_LOG_DIR:
        settings->disk_dir = optarg;
        options->log_dir_given = true;
        return true;
    case OPTION_MEMORY_DIR:
        settings->memory_dir = optarg;
        return true;
    case OPTION_PLOT:
        options->plot_path = optarg;
        return true;
    case OPTION_SERVER:
        (void)snprintf(settings->server_path, sizeof settings->server_path, "%s", optarg);
        return true;
    case OPTION_SERVER_ARG:
        return add_server_argument(settings, optarg);
    case OPTION_BASELINE:
        (void)snprintf(settings->baseline_path, sizeof settings->baseline_path, "%s", optarg);
        return true;
    default:
        return false;
    }
}

static void set_defaults(struct throughput_options *options) {
    const char *temporary = getenv("TMPDIR");
    *options =
        (struct throughput_options){.settings = {.memory_dir = "/dev/shm",
                                                 .disk_dir = temporary != NULL ? temporary : "/tmp",
                                                 .number_count = DEFAULT_COUNT,
                                                 .round_count = DEFAULT_ROUNDS}};
    find_built_programs(&options->settings);
}

int throughput_options_read(int argc, char **argv, struct throughput_options *options) {
    int code;
    set_defaults(options);
    while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (code == OPTION_HELP) {
            (void)fputs(help_text, stdout);
            return EXIT_SUCCESS;
        }
        if (code == OPTION_LIST) {
            list_scenarios();
            return EXIT_SUCCESS;
        }
        if (code == OPTION_UNIVERSE) {
            options->universe = true;
        } else if (!take_option(options, code)) {
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, PROGRAM ": '%s' is not an option; see --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    if (options->scenario_count == 0) {
        add_all_scenarios(options);
    }
    return -1;
}
