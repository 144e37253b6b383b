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
#include <new>

#include "bench/numbers/load_generator.h"
#include "bench/numbers/log_check.h"
#include "bench/numbers/throughput.h"
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
    const char *plot_path = nullptr;
    option_list scenario_names = {};
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
    interrupted_logs = {bench::LogPath(settings, false), bench::LogPath(settings, true)};
    for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
        (void)std::signal(signal_number, OnInterrupt);
    }
}

// Takes over what the table of options could not.
options_outcome TakeValues(const options &line, Options *options) {
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

// How fast the baseline receives when it stores nothing.
double MeasureReceiving(const ThroughputSettings &settings) {
    bench::Server server(bench::BaselineCommand(settings, bench::kTunedBaseline, ""));
    const Figures figures =
        bench::MeasureLoad(bench::kScenarios[0], static_cast<uint32_t>(settings.number_count), 1,
                           &server, bench::kRoundPatience);
    server.Stop();
    return figures.numbers_per_second;
}

// The upper limit of any server that looks numbers up in a map of bits with one thread.
double MeasureMapUpdates(uint32_t number_count) {
    constexpr uint32_t kBatchCount = 65536;
    const load_generator_options options = {LOAD_ORDER_PERMUTATION, 0, 0, 0};
    load_generator generator;
    load_generator_init(&generator, &options);
    log_check map;
    if (!log_check_open(&map)) {
        throw std::bad_alloc();
    }
    std::vector<uint32_t> numbers(kBatchCount + LOG_CHECK_PREFETCH_COUNT);
    double seconds = 0;
    for (uint32_t done = 0; done < number_count;) {
        const uint32_t count = std::min(kBatchCount, number_count - done);
        load_generator_fill(&generator, done, numbers.data(), count);
        seconds += bench::SecondsOf([&] { log_check_numbers(&map, numbers.data(), count); });
        done += count;
    }
    log_check_close(&map);
    return number_count / seconds;
}

// Measures the single stages with as many numbers as a round has.
MachineLimits MeasureLimits(const ThroughputSettings &settings) {
    const auto write = [&settings](bool is_on_disk) {
        const auto count = static_cast<std::uint64_t>(settings.number_count);
        return static_cast<double>(count) /
               bench::TimeWriting(bench::LogPath(settings, is_on_disk), count * 10);
    };
    return {MeasureReceiving(settings), write(false), write(true),
            MeasureMapUpdates(static_cast<uint32_t>(settings.number_count))};
}

std::string DescribeRun(const Options &options) {
    char date[32];
    char text[128];
    const std::time_t now = std::time(nullptr);
    std::strftime(date, sizeof date, "%F", std::gmtime(&now));
    std::snprintf(text, sizeof text,
                  "%g million numbers a round (small-writes: fewer), %d rounds, %s",
                  static_cast<double>(options.settings.number_count) / 1e6,
                  static_cast<int>(options.round_count), date);
    return text;
}

bool Run(const Options &options) {
    const ThroughputSettings &settings = options.settings;
    PrepareForInterrupt(settings);
    if (options.is_universe) {
        return bench::RunUniverse(settings);
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
    ThroughputSettings &settings = options.settings;
    const std::vector<option_spec> specs = {
        {"rounds", "NUMBER", "rounds of each scenario, server and baseline in turn", OPTION_INTEGER,
         &options.round_count, 1, kRoundCountMax, nullptr},
        {"count", "NUMBER", "numbers in a round", OPTION_INTEGER, &settings.number_count,
         kNumberCountMin, LOAD_GENERATOR_RANGE, nullptr},
        {"scenario", "NAME", "only this scenario; may be given several times", OPTION_TEXT_LIST,
         &options.scenario_names, 0, 0, nullptr},
        {"list", nullptr, "print the scenarios", OPTION_FLAG, &options.wants_list, 0, 0, nullptr},
        {"universe", nullptr, "send all 10^9 numbers in random order and check the log",
         OPTION_FLAG, &options.is_universe, 0, 0, nullptr},
        {"log-dir", "DIRECTORY", "where logs on disk go", OPTION_TEXT, &settings.disk_directory, 0,
         0, nullptr},
        {"memory-dir", "DIRECTORY", "where logs in memory go", OPTION_TEXT,
         &settings.memory_directory, 0, 0, nullptr},
        {"plot", "FILE", "draw the ratios into FILE, as SVG", OPTION_TEXT, &options.plot_path, 0, 0,
         nullptr},
        {"server", "FILE", "the server under test instead of the one built here", OPTION_TEXT,
         &settings.server_path, 0, 0, nullptr},
        {"server-arg", "ARGUMENT", "hand this to the server; may be given several times",
         OPTION_TEXT_LIST, &settings.server_arguments, 0, 0, nullptr},
        {"baseline", "FILE", "the baseline server instead of the one built here", OPTION_TEXT,
         &settings.baseline_path, 0, 0, nullptr},
        {"browser", "FILE", "also run the server with its page in this browser (chromium)",
         OPTION_TEXT, &settings.browser_path, 0, 0, nullptr},
    };
    const struct options line = bench::CommandLine(
        "throughput", nullptr,
        "Compares the numbers server with a program that only receives and stores the same bytes.\n"
        "--universe takes a minute or two and 10 GB in --log-dir, where it waits for the disk\n"
        "(--fsync=always), or in --memory-dir if that is not given.\n\nExit code 0: every run went "
        "through and every log had the right size.",
        "  throughput --rounds=3 --scenario=random --scenario=duplicates-50\n"
        "  throughput --plot=throughput.svg --server-arg=--fsync=never\n"
        "  throughput --universe --log-dir=/mnt/disk\n",
        specs);
    return bench::Main(
        line, argc, argv, [&](int) { return TakeValues(line, &options); },
        [&] { return Run(options); });
}
