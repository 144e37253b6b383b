#include "bench/numbers/throughput_universe.h"

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "bench/numbers/load_generator.h"
#include "bench/numbers/log_check.h"
#include "bench/progress.h"

namespace bench {
namespace {

constexpr std::chrono::minutes kRunPatience{10};
constexpr std::uint64_t kLineSize = 10;
constexpr std::uint64_t kLogSize = LOAD_GENERATOR_RANGE * kLineSize;
constexpr std::streamsize kReadSize = 1000000; // a whole number of lines

// Goes through the log and judges it as a whole: with 10^9 well-formed lines and no duplicate, no
// number is missing.
bool VerifyLog(const std::string &path) {
    std::ifstream log(path, std::ios::binary);
    std::vector<char> lines(kReadSize);
    log_check check;
    if (!log || !log_check_open(&check)) {
        throw std::runtime_error(path + ": no memory, or no log");
    }
    std::uint64_t size = 0;
    progress progress;
    progress_start(&progress, "checked", LOAD_GENERATOR_RANGE, true);
    do {
        log.read(lines.data(), kReadSize);
        size += static_cast<std::uint64_t>(log.gcount());
        log_check_lines(&check, lines.data(), static_cast<size_t>(log.gcount()) / kLineSize);
        progress_update(&progress, size / kLineSize);
    } while (log);
    progress_finish(&progress);
    const bool is_right = !log.bad() && size == kLogSize &&
                          check.line_count == LOAD_GENERATOR_RANGE && check.duplicate_count == 0;
    std::printf("Log: %" PRIu64 " bytes, %" PRIu64 " good lines, %" PRIu64 " malformed, %" PRIu64
                " duplicates: %s\n",
                size, check.line_count, check.malformed_count, check.duplicate_count,
                is_right ? "every number exactly once" : "WRONG");
    log_check_close(&check);
    return is_right;
}

} // namespace

bool RunUniverse(const ThroughputSettings &settings, const std::string &directory) {
    const Scenario &scenario = kScenarios[0];
    const std::string log = LogPath(directory);
    // A server that waits for room would only look slow.
    if (std::filesystem::space(directory).available < kLogSize) {
        throw std::runtime_error(directory + " has no room for a log of " +
                                 std::to_string(kLogSize) + " bytes");
    }
    std::fputs("warming memory up with a file of the log's size\n", stderr);
    (void)TimeWriting(log, kLogSize);
    bool is_right = false;
    try {
        Server server(ServerCommand(settings, log));
        const Figures figures =
            MeasureLoad(scenario, LOAD_GENERATOR_RANGE, 1, &server, kRunPatience);
        server.Stop();
        std::printf("%sSent %u numbers in %.2f s: %.1f million a second\n",
                    server.process().output().c_str(), LOAD_GENERATOR_RANGE, figures.seconds,
                    figures.numbers_per_second / 1e6);
        std::printf("CPU: server %.2f s (%.2f ns a number), sender %.2f s (%.2f ns a number)\n",
                    figures.server_cpu_ns * LOAD_GENERATOR_RANGE / 1e9, figures.server_cpu_ns,
                    figures.sender_cpu_ns * LOAD_GENERATOR_RANGE / 1e9, figures.sender_cpu_ns);
        is_right = VerifyLog(log);
    } catch (...) {
        (void)unlink(log.c_str());
        throw;
    }
    (void)unlink(log.c_str());
    return is_right;
}

} // namespace bench
