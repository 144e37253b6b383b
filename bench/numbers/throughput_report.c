#include "bench/numbers/throughput_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/numbers/svg_plot.h"
#include "bench/numbers/throughput_options.h"

enum { TEXT_CAPACITY = 256 };

void throughput_print_round(const struct throughput_scenario *scenario, uint32_t round,
                            const struct round_figures figures[CONTENDER_COUNT]) {
    double rates[CONTENDER_COUNT];
    for (int i = 0; i < CONTENDER_COUNT; i++) {
        rates[i] = figures[i].numbers_per_second / 1e6;
    }
    (void)printf(
        "%-16s round %-3u server %7.2f M/s  baseline %7.2f M/s  ratio %.3f   tuned baseline "
        "%7.2f M/s  ratio %.3f\n",
        scenario->name, (unsigned)round, rates[CONTENDER_SERVER], rates[CONTENDER_BASELINE],
        rates[CONTENDER_SERVER] / rates[CONTENDER_BASELINE], rates[CONTENDER_TUNED_BASELINE],
        rates[CONTENDER_SERVER] / rates[CONTENDER_TUNED_BASELINE]);
    (void)fflush(stdout);
}

static void print_ratios(const struct series *ratios) {
    (void)printf("  %6.3f  (%5.3f..%5.3f)", series_median(ratios), series_min(ratios),
                 series_max(ratios));
}

void throughput_print_results(const struct throughput_result *results, size_t count) {
    (void)printf("\nRatios are medians of the rounds, with the least and the greatest; rates are "
                 "million numbers a second.\n\n");
    (void)printf("%-16s  %-22s  %-22s  %8s %8s %8s\n", "", "ratio to the baseline",
                 "to the tuned baseline", "", "", "tuned");
    (void)printf("%-16s  %6s  %-14s  %6s  %-14s  %8s %8s %8s\n", "scenario", "median", "(min..max)",
                 "median", "(min..max)", "server", "baseline", "baseline");
    for (size_t i = 0; i < count; i++) {
        const struct throughput_result *result = &results[i];
        (void)printf("%-16s", result->scenario->name);
        print_ratios(&result->ratios);
        print_ratios(&result->tuned_ratios);
        (void)printf("  ");
        for (int contender = 0; contender < CONTENDER_COUNT; contender++) {
            (void)printf(" %8.2f", series_median(&result->rates[contender]) / 1e6);
        }
        (void)printf("\n");
    }
}

void throughput_print_stages(const struct throughput_result *results, size_t count) {
    (void)printf(
        "\nCPU time in ns a number, by the server's threads, and beside it the sender's and "
        "the baseline's\n\n%-16s",
        "scenario");
    for (int stage = 0; stage < STAGE_KIND_COUNT; stage++) {
        (void)printf(" %13s", stage_names[stage]);
    }
    (void)printf(" %8s %8s %9s %12s\n", "server", "sender", "baseline", "peak memory");
    for (size_t i = 0; i < count; i++) {
        const struct throughput_result *result = &results[i];
        (void)printf("%-16s", result->scenario->name);
        for (int stage = 0; stage < STAGE_KIND_COUNT; stage++) {
            (void)printf(" %13.2f", series_median(&result->stage_cpu_ns[stage]));
        }
        (void)printf(" %8.2f %8.2f %9.2f %8.0f MiB\n",
                     series_median(&result->server_cpu_ns[CONTENDER_SERVER]),
                     series_median(&result->sender_cpu_ns[CONTENDER_SERVER]),
                     series_median(&result->server_cpu_ns[CONTENDER_BASELINE]),
                     series_median(&result->peak_memory_mib));
    }
}

static void print_limit(const char *stage, double limit, double rate) {
    if (limit > 0) {
        (void)printf("%-44s %8.2f M/s %7.2f ns   server at %3.0f %%\n", stage, limit / 1e6,
                     1e9 / limit, rate / limit * 100);
    }
}

void throughput_print_limits(const struct throughput_limits *limits,
                             const struct throughput_result *result) {
    double rate = series_median(&result->rates[CONTENDER_SERVER]);
    (void)printf(
        "\nThe machine's limits, one stage at a time, and how near the server comes to them"
        " (scenario %s)\n",
        result->scenario->name);
    print_limit("receive only, 5 clients", limits->receive, rate);
    print_limit("write only, memory file system", limits->write_memory, rate);
    print_limit("write only, disk (through the page cache)", limits->write_disk, rate);
    print_limit("random map updates only, one thread", limits->map_updates, rate);
}

/* The processor's name, as the kernel tells it; "unknown processor" where it does not. */
static void read_processor_name(char name[TEXT_CAPACITY]) {
    char line[TEXT_CAPACITY];
    FILE *stream = fopen("/proc/cpuinfo", "re");
    (void)snprintf(name, TEXT_CAPACITY, "unknown processor");
    while (stream != NULL && fgets(line, sizeof line, stream) != NULL) {
        if (strncmp(line, "model name", strlen("model name")) == 0 && strchr(line, ':') != NULL) {
            (void)snprintf(name, TEXT_CAPACITY, "%s", strchr(line, ':') + 2);
            name[strcspn(name, "\n")] = '\0';
            break;
        }
    }
    if (stream != NULL) {
        (void)fclose(stream);
    }
}

static void describe_machine(char text[2 * TEXT_CAPACITY]) {
    char processor[TEXT_CAPACITY];
    struct utsname system;
    int release_size = 0;
    read_processor_name(processor);
    if (uname(&system) == 0) {
        release_size = (int)strspn(system.release, "0123456789.");
    }
    (void)snprintf(text, 2 * TEXT_CAPACITY,
                   "%s, %ld processors shared by server and senders, Linux %.*s", processor,
                   sysconf(_SC_NPROCESSORS_ONLN), release_size, system.release);
}

static void describe_run(const struct throughput_settings *settings, char text[TEXT_CAPACITY]) {
    char date[32] = "";
    time_t now = time(NULL);
    struct tm calendar;
    if (gmtime_r(&now, &calendar) != NULL && strftime(date, sizeof date, "%F", &calendar) == 0) {
        date[0] = '\0';
    }
    (void)snprintf(text, TEXT_CAPACITY,
                   "%g million numbers a round (small-writes: fewer), %u rounds, %s",
                   settings->number_count / 1e6, (unsigned)settings->round_count, date);
}

bool throughput_check_plot(const char *path) {
    FILE *stream = fopen(path, "ae");
    if (stream == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    (void)fclose(stream);
    return true;
}

bool throughput_draw_results(const char *path, const struct throughput_settings *settings,
                             const struct throughput_result *results, size_t count) {
    struct svg_plot_bar bars[THROUGHPUT_SCENARIO_CAPACITY];
    char machine[2 * TEXT_CAPACITY], run[TEXT_CAPACITY];
    struct svg_plot plot = {
        .title = "Numbers server: throughput as a share of what the machine can do",
        .subtitle = "1 = a program that only receives, 64 KiB at a time, and stores the same "
                    "bytes. Bar: median; "
                    "whisker: least and greatest round.",
        .axis_label = "numbers a second, ratio to the baseline in the same round",
        .footers = {machine, run},
        .bars = bars,
        .bar_count = count};
    for (size_t i = 0; i < count; i++) {
        bars[i] = (struct svg_plot_bar){.name = results[i].scenario->name,
                                        .description = results[i].scenario->description,
                                        .minimum = series_min(&results[i].ratios),
                                        .median = series_median(&results[i].ratios),
                                        .maximum = series_max(&results[i].ratios)};
    }
    describe_machine(machine);
    describe_run(settings, run);
    FILE *stream = fopen(path, "we");
    bool good = stream != NULL && svg_plot_write(&plot, stream);
    good = stream != NULL && fclose(stream) == 0 && good;
    if (!good) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    }
    return good;
}
