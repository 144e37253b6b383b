// One round of the end-to-end comparison: one scenario against one contender. Start it, send, check
// the log's size, stop it, remove the log.
//
// Threading: one thread; every child process ends within the call. What goes wrong is thrown as
// std::runtime_error.
#ifndef BENCH_NUMBERS_THROUGHPUT_ROUND_H_
#define BENCH_NUMBERS_THROUGHPUT_ROUND_H_

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

struct ThroughputSettings {
    std::string server_path;
    std::string baseline_path;
    std::vector<std::string> server_arguments; // added to every start
    std::string memory_directory;              // on a memory file system
    std::string disk_directory;
    std::string browser_path;       // looks at the server's page; "": none does
    std::uint32_t number_count = 0; // in a round
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

// The server's work, as its threads share it.
enum Stage {
    kReceive, // the loop's thread in the kernel
    kParse,   // the loop's thread outside: parsing, sorting into the stage
    kInsert,  // the workers: looking for duplicates, formatting
    kWrite,   // the log writer, with its syncing thread
    kStageCount
};

struct Figures {
    double numbers_per_second; // by the wall clock, from the first connect to the last FIN
    double seconds;
    double server_cpu_ns; // a number
    double sender_cpu_ns; // a number
    std::array<double, kStageCount> stage_cpu_ns;
    double peak_memory_mib;
};

// All figures are 0 for the direct baseline where the log is not on a disk, and for the watched
// server where there is no browser.
Figures RunRound(const ThroughputSettings &settings, const Scenario &scenario, Contender contender,
                 std::uint32_t seed);

// How fast the baseline receives when it stores nothing: numbers a second.
double MeasureReceiving(const ThroughputSettings &settings);

// Sends the numbers of a scenario to a server that runs.
Figures MeasureLoad(const Scenario &scenario, std::uint32_t number_count, std::uint32_t seed,
                    Server *server, std::chrono::seconds patience);

// What receives and stores, with this log; an empty one: with none.
std::vector<std::string> BaselineCommand(const ThroughputSettings &settings, Contender contender,
                                         const std::string &log);

// The server under test, with this log.
std::vector<std::string> ServerCommand(const ThroughputSettings &settings, const std::string &log);

// A log of this process in that directory.
std::string LogPath(const std::string &directory);

} // namespace bench

#endif // BENCH_NUMBERS_THROUGHPUT_ROUND_H_
