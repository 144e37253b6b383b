#include "bench/numbers/throughput_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/built_program.h"
#include "bench/series.h"

enum { COUNT_MIN = 1000 };

_Static_assert(OPTION_LIST_CAPACITY <= THROUGHPUT_SCENARIO_CAPACITY,
               "every scenario that can be asked for has a place");

/* What the options say, as far as it is not yet in the form that the comparison uses. */
struct values {
    int64_t round_count;
    int64_t number_count;
    struct option_list scenario_names;
    bool wants_list;
    const char *server_path;   /* NULL: the one built beside this program */
    const char *baseline_path; /* the same */
};

static const char summary[] =
    "Compares the numbers server with a program that only receives and stores the same bytes.\n"
    "--universe takes a minute and 10 GB in --log-dir, or in --memory-dir if that is not given.\n"
    "\n"
    "Exit code 0: every run went through and every log had the right size.";

static const char examples[] =
    "  throughput --rounds=3 --scenario=random --scenario=duplicates-50\n"
    "  throughput --plot=throughput.svg --server-arg=--fsync=never\n"
    "  throughput --universe --log-dir=/mnt/disk\n";

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

/* Judges and takes over what the table could not. */
static enum options_outcome take_values(struct throughput_options *options,
                                        const struct values *values, const struct options *line) {
    struct throughput_settings *settings = &options->settings;
    if (values->wants_list) {
        list_scenarios();
        return OPTIONS_SHOWN;
    }
    settings->round_count = (uint32_t)values->round_count;
    settings->number_count = (uint32_t)values->number_count;
    if (!built_program_choose(settings->server_path, sizeof settings->server_path,
                              values->server_path, "../../server/numbers/server") ||
        !built_program_choose(settings->baseline_path, sizeof settings->baseline_path,
                              values->baseline_path, "../baseline_server")) {
        options_complain(line, "the path of a server is too long");
        return OPTIONS_INVALID;
    }
    for (size_t i = 0; i < values->scenario_names.count; i++) {
        const char *name = values->scenario_names.items[i];
        const struct throughput_scenario *scenario = throughput_scenario_find(name);
        if (scenario == NULL) {
            options_complain(line, "there is no scenario '%s': --list shows them", name);
            return OPTIONS_INVALID;
        }
        options->scenarios[options->scenario_count++] = scenario;
    }
    if (options->scenario_count == 0) {
        add_all_scenarios(options);
    }
    return OPTIONS_RUN;
}

enum options_outcome throughput_options_read(struct throughput_options *options, int argc,
                                             char **argv) {
    const char *temporary = getenv("TMPDIR");
    const char *default_disk_dir = temporary != NULL ? temporary : "/tmp";
    struct values values = {.round_count = 5, .number_count = 100 * 1000 * 1000};
    *options = (struct throughput_options){
        .settings = {.memory_dir = "/dev/shm", .disk_dir = default_disk_dir}};
    struct throughput_settings *settings = &options->settings;
    const struct option_spec specs[] = {
        {"rounds", "NUMBER", "rounds of each scenario, server and baseline in turn", OPTION_INTEGER,
         &values.round_count, 1, SERIES_CAPACITY, NULL},
        {"count", "NUMBER", "numbers in a round", OPTION_INTEGER, &values.number_count, COUNT_MIN,
         LOAD_GENERATOR_RANGE, NULL},
        {"scenario", "NAME", "only this scenario; may be given several times", OPTION_TEXT_LIST,
         &values.scenario_names, 0, 0, NULL},
        {"list", NULL, "print the scenarios", OPTION_FLAG, &values.wants_list, 0, 0, NULL},
        {"universe", NULL, "send all 10^9 numbers in random order and check the log", OPTION_FLAG,
         &options->universe, 0, 0, NULL},
        {"log-dir", "DIRECTORY", "where logs on disk go", OPTION_TEXT, &settings->disk_dir, 0, 0,
         NULL},
        {"memory-dir", "DIRECTORY", "where logs in memory go", OPTION_TEXT, &settings->memory_dir,
         0, 0, NULL},
        {"plot", "FILE", "draw the ratios into FILE, as SVG", OPTION_TEXT, &options->plot_path, 0,
         0, NULL},
        {"server", "FILE", "the server under test instead of the one built here", OPTION_TEXT,
         &values.server_path, 0, 0, NULL},
        {"server-arg", "ARGUMENT", "hand this to the server; may be given several times",
         OPTION_TEXT_LIST, &settings->server_arguments, 0, 0, NULL},
        {"baseline", "FILE", "the baseline server instead of the one built here", OPTION_TEXT,
         &values.baseline_path, 0, 0, NULL},
    };
    const struct options line = {
        .program = "throughput",
        .summary = summary,
        .examples = examples,
        .version = "throughput (numbers) 1.0.0",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    enum options_outcome outcome = options_parse(&line, argc, argv, &first_argument_index);
    options->log_dir_given = settings->disk_dir != default_disk_dir;
    return outcome == OPTIONS_RUN ? take_values(options, &values, &line) : outcome;
}
