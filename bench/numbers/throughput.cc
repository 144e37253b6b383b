// The end-to-end comparison. Each scenario is run against the server under test and against the
// baselines in turn, A B C A B C, so that slow drifts of the machine hit all alike; what counts is
// the ratio within a round.
//
// Threading: one thread; servers and senders are child processes.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "bench/numbers/load_generator.h"
#include "bench/numbers/map_limit.h"
#include "bench/numbers/throughput_report.h"
#include "bench/numbers/throughput_round.h"
#include "bench/numbers/throughput_universe.h"
#include "server/runtime/options.h"
#include "server/runtime/progress.h"

namespace {

using bench::Contender;
using bench::Figures;
using bench::MachineLimits;
using bench::Result;
using bench::Scenario;
using bench::ThroughputSettings;

constexpr int64_t kRoundCountMax = 101;
constexpr int64_t kNumberCountMin = 1000;

struct Options {
    ThroughputSettings settings;
    std::vector<const Scenario *> scenarios;
    int64_t round_count = 5;
    int64_t number_count = 100 * 1000 * 1000;
    const char *server_path = nullptr;
    const char *baseline_path = nullptr;
    const char *browser_path = "";
    const char *memory_directory = "/dev/shm";
    const char *disk_directory = nullptr;
    const char *plot_path = nullptr;
    option_list scenario_names = {};
    option_list server_arguments = {};
    bool wants_list = false;
    bool is_universe = false;
};

// Children die with this process, so all that a signal leaves to do is to remove the logs; their
// names are prepared because little is allowed in a handler.
std::array<std::string, 2> interrupted_logs;

extern "C" void OnInterrupt(int signal_number) {
    for (const std::string &log : interrupted_logs) {
        (void)unlink(log.c_str());
    }
    _exit(128 + signal_number);
}

void PrepareForInterrupt(const ThroughputSettings &settings) {
    interrupted_logs = {bench::LogPath(settings.memory_directory),
                        bench::LogPath(settings.disk_directory)};
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
        (void)std::signal(signal_number, OnInterrupt);
    }
}

// Takes over what the table of options could not.
options_outcome TakeValues(const options &line, Options *options) {
    ThroughputSettings &settings = options->settings;
    for (const Scenario &scenario : bench::kScenarios) {
        if (options->wants_list) {
            std::printf("%-21s %s\n", scenario.name, scenario.description);
        } else if (options->scenario_names.count == 0) {
            options->scenarios.push_back(&scenario);
        }
    }
    for (size_t i = 0; i < options->scenario_names.count; i++) {
        const char *name = options->scenario_names.items[i];
        const auto found = std::find_if(
            bench::kScenarios.begin(), bench::kScenarios.end(),
            [name](const Scenario &scenario) { return std::strcmp(scenario.name, name) == 0; });
        if (found == bench::kScenarios.end()) {
            options_complain(&line, "there is no scenario '%s': --list shows them", name);
            return OPTIONS_INVALID;
        }
        options->scenarios.push_back(&*found);
    }
    const char *temporary = std::getenv("TMPDIR");
    settings.memory_directory = options->memory_directory;
    settings.disk_directory = options->disk_directory != nullptr ? options->disk_directory
                              : temporary != nullptr             ? temporary
                                                                 : "/tmp";
    settings.server_path = options->server_path != nullptr
                               ? options->server_path
                               : bench::BuiltProgram("server/numbers/server");
    settings.baseline_path = options->baseline_path != nullptr
                                 ? options->baseline_path
                                 : bench::BuiltProgram("bench/baseline_server");
    settings.browser_path = options->browser_path;
    settings.server_arguments.assign(options->server_arguments.items,
                                     options->server_arguments.items +
                                         options->server_arguments.count);
    settings.number_count = static_cast<std::uint32_t>(options->number_count);
    return options->wants_list ? OPTIONS_SHOWN : OPTIONS_RUN;
}

std::vector<Result> RunScenarios(const Options &options) {
    std::vector<Result> results;
    progress progress;
    std::uint64_t done_count = 0;
    progress_start(&progress, "rounds",
                   options.scenarios.size() * static_cast<std::uint64_t>(options.round_count),
                   true);
    for (const Scenario *scenario : options.scenarios) {
        results.push_back({scenario, {}});
        for (std::uint32_t round = 1; round <= options.round_count; round++) {
            std::array<Figures, bench::kContenderCount> figures;
            for (int contender = 0; contender < bench::kContenderCount; contender++) {
                figures[contender] = bench::RunRound(options.settings, *scenario,
                                                     static_cast<Contender>(contender), round);
            }
            results.back().rounds.push_back(figures);
            progress_finish(&progress);
            bench::PrintRound(results.back());
            progress_update(&progress, ++done_count);
        }
    }
    progress_finish(&progress);
    return results;
}

// Measures the single stages with as many numbers as a round has.
MachineLimits MeasureLimits(const ThroughputSettings &settings) {
    const std::uint64_t count = settings.number_count;
    const auto write = [count](const std::string &directory) {
        return static_cast<double>(count) /
               bench::TimeWriting(bench::LogPath(directory), count * 10);
    };
    return {bench::MeasureReceiving(settings), write(settings.memory_directory),
            write(settings.disk_directory), bench::MeasureMapUpdates(settings.number_count)};
}

std::string DescribeRun(const Options &options) {
    char date[32];
    char text[128];
    const std::time_t now = std::time(nullptr);
    std::strftime(date, sizeof date, "%F", std::gmtime(&now));
    std::snprintf(text, sizeof text,
                  "%g million numbers a round (small-writes: fewer), %d rounds, %s",
                  static_cast<double>(options.number_count) / 1e6,
                  static_cast<int>(options.round_count), date);
    return text;
}

bool Run(const Options &options) {
    const ThroughputSettings &settings = options.settings;
    PrepareForInterrupt(settings);
    if (options.is_universe) {
        return bench::RunUniverse(settings, options.disk_directory != nullptr);
    }
    if (options.plot_path != nullptr) {
        bench::CheckPlot(options.plot_path);
    }
    const std::vector<Result> results = RunScenarios(options);
    bench::PrintRatios(results);
    bench::PrintStages(results);
    bench::PrintLimits(MeasureLimits(settings), results[0]);
    if (options.plot_path != nullptr) {
        bench::DrawRatios(options.plot_path, DescribeRun(options), results);
    }
    return true;
}

} // namespace

int main(int argc, char **argv) {
    Options options;
    const option_spec specs[] = {
        {"rounds", "NUMBER", "rounds of each scenario, server and baseline in turn", OPTION_INTEGER,
         &options.round_count, 1, kRoundCountMax, nullptr},
        {"count", "NUMBER", "numbers in a round", OPTION_INTEGER, &options.number_count,
         kNumberCountMin, LOAD_GENERATOR_RANGE, nullptr},
        {"scenario", "NAME", "only this scenario; may be given several times", OPTION_TEXT_LIST,
         &options.scenario_names, 0, 0, nullptr},
        {"list", nullptr, "print the scenarios", OPTION_FLAG, &options.wants_list, 0, 0, nullptr},
        {"universe", nullptr, "send all 10^9 numbers in random order and check the log",
         OPTION_FLAG, &options.is_universe, 0, 0, nullptr},
        {"log-dir", "DIRECTORY", "where logs on disk go", OPTION_TEXT, &options.disk_directory, 0,
         0, nullptr},
        {"memory-dir", "DIRECTORY", "where logs in memory go", OPTION_TEXT,
         &options.memory_directory, 0, 0, nullptr},
        {"plot", "FILE", "draw the ratios into FILE, as SVG", OPTION_TEXT, &options.plot_path, 0, 0,
         nullptr},
        {"server", "FILE", "the server under test instead of the one built here", OPTION_TEXT,
         &options.server_path, 0, 0, nullptr},
        {"server-arg", "ARGUMENT", "hand this to the server; may be given several times",
         OPTION_TEXT_LIST, &options.server_arguments, 0, 0, nullptr},
        {"baseline", "FILE", "the baseline server instead of the one built here", OPTION_TEXT,
         &options.baseline_path, 0, 0, nullptr},
        {"browser", "FILE", "also run the server with its page in this browser (chromium)",
         OPTION_TEXT, &options.browser_path, 0, 0, nullptr},
    };
    const struct options line = {
        "throughput",
        nullptr,
        "Compares the numbers server with a program that only receives and stores the same bytes.\n"
        "--universe takes a minute or two and 10 GB in --log-dir, where it waits for the disk\n"
        "(--fsync=always), or in --memory-dir if that is not given.\n\nExit code 0: every run went "
        "through and every log had the right size.",
        "  throughput --rounds=3 --scenario=random --scenario=duplicates-50\n"
        "  throughput --plot=throughput.svg --server-arg=--fsync=never\n"
        "  throughput --universe --log-dir=/mnt/disk\n",
        nullptr,
        "throughput (numbers) 1.0.0",
        specs,
        sizeof specs / sizeof specs[0]};
    return bench::Main(
        line, argc, argv, [&](int) { return TakeValues(line, &options); },
        [&] { return Run(options); });
}
