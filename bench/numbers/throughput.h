// The parts of the end-to-end comparison: a round, which is one scenario against one contender
// (start it, send, check the log's size, stop it, remove the log), the tables and the plot of all
// rounds, and the exercise with all numbers.
//
// Threading: one thread; every child process ends within the call. What goes wrong is thrown as
// std::runtime_error.
#ifndef BENCH_NUMBERS_THROUGHPUT_H_
#define BENCH_NUMBERS_THROUGHPUT_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/measure.h"

namespace bench {

// One kind of load, and one place for the log.
struct Scenario {
    const char *name;
    const char *description;
    const char *order = "permutation";
    int connection_count = 5;
    std::uint32_t send_size = 256 * 1024; // bytes
    std::uint32_t count_divisor = 1;      // slow kinds of load send so many times fewer numbers
    std::uint32_t duplicates_percent = 0;
    bool log_is_on_disk = false; // otherwise in the memory file system
    // The same numbers were sent before the measurement: none is new. Nothing is to be stored then,
    // so the baseline discards what it gets.
    bool is_sent_before = false;
    std::uint32_t count_multiplier = 1; // loads that are to last send so many times more
};
extern const std::vector<Scenario> kScenarios;

// As the table of options fills it.
struct ThroughputSettings {
    const char *server_path = nullptr;             // the ones built together with this program
    const char *baseline_path = nullptr;           // where these are not given
    option_list server_arguments = {};             // added to every start
    const char *memory_directory = "/dev/shm";     // on a memory file system
    const char *disk_directory = nullptr;          // $TMPDIR or /tmp where it is not given
    const char *browser_path = nullptr;            // looks at the server's page
    std::int64_t number_count = 100 * 1000 * 1000; // in a round
};

// The server under test; the same with a browser on its status page; the baseline, which receives
// 64 KiB at a time as such programs do; the same program with what it receives at a time tuned to
// store as fast as it can; and, where the log is on a disk, the same program past the page cache,
// until all is on the disk.
enum Contender {
    kServer,
    kWatchedServer,
    kBaseline,
    kTunedBaseline,
    kDirectBaseline,
    kContenderCount
};

struct Figures {
    double numbers_per_second; // by the wall clock, from the first connect to the last FIN
    double seconds;
    // CPU time a number; the server's as its threads share it:
    double receive_cpu_ns; // the loop's thread in the kernel
    double parse_cpu_ns;   // the loop's thread outside: parsing, sorting into the stage
    double insert_cpu_ns;  // the workers: looking for duplicates, formatting
    double write_cpu_ns;   // the log writer, with its syncing thread
    double server_cpu_ns;
    double sender_cpu_ns;
    double peak_memory_mib;
};

// All figures are 0 for the direct baseline where the log is not on a disk, and for the watched
// server where there is no browser.
Figures RunRound(const ThroughputSettings &settings, const Scenario &scenario, Contender contender,
                 std::uint32_t seed);

// How long a round may take.
constexpr std::chrono::seconds kRoundPatience{120};

// Sends the numbers of a scenario to a server that runs.
Figures MeasureLoad(const Scenario &scenario, std::uint32_t number_count, std::uint32_t seed,
                    Server *server, std::chrono::seconds patience);

// What receives and stores, with this log; an empty one: with none.
std::vector<std::string> BaselineCommand(const ThroughputSettings &settings, Contender contender,
                                         const std::string &log);

// The server under test, with this log.
std::vector<std::string> ServerCommand(const ThroughputSettings &settings, const std::string &log);

// A log of this process, on the disk or in memory.
std::string LogPath(const ThroughputSettings &settings, bool is_on_disk);

// All rounds of one scenario.
struct Result {
    const Scenario *scenario;
    std::vector<std::array<Figures, kContenderCount>> rounds;
};

// What the machine can do in single stages, in numbers a second.
struct MachineLimits {
    double receive;
    double write_memory;
    double write_disk;
    double map_updates;
};

void PrintRound(const Result &result);
void PrintRatios(const std::vector<Result> &results);

// Where the server's CPU time goes, stage by stage, and its peak memory.
void PrintStages(const std::vector<Result> &results);

// Compares the limits with the median rate of one scenario.
void PrintLimits(const MachineLimits &limits, const Result &result);

// Throws std::system_error when the plot cannot be written there; asked before the rounds, which
// take minutes. A plot that is there stays as it is.
void CheckPlot(const std::string &path);

// `run` says how the rounds were made.
void DrawRatios(const std::string &path, const std::string &run,
                const std::vector<Result> &results);

// Every one of the 10^9 numbers once, in random order, over five connections, with the log on the
// disk (where one is named) or in memory, which needs 10 GB there. Prints the server's own reports,
// the figures and the verdict, and how fast the log is resumed. On the disk the server runs with
// --fsync=always, and beside the baseline past the page cache. Result: whether the log holds each
// of them exactly once. The log is removed.
bool RunUniverse(const ThroughputSettings &settings);

} // namespace bench

#endif // BENCH_NUMBERS_THROUGHPUT_H_
