#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "bench/numbers/load_generator.h"
#include "bench/numbers/log_check.h"
#include "bench/numbers/throughput.h"
#include "server/runtime/progress.h"

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

// Sends all numbers, and says how long that took until the last FIN.
Figures Send(Server *server, const char *name) {
    const Figures figures =
        MeasureLoad(kScenarios[0], LOAD_GENERATOR_RANGE, 1, server, kRunPatience);
    server->Stop();
    std::printf("%s%s: sent %u numbers in %.2f s: %.1f million a second\n",
                server->process().output().c_str(), name, LOAD_GENERATOR_RANGE, figures.seconds,
                figures.numbers_per_second / 1e6);
    std::printf("CPU: %.2f s (%.2f ns a number), sender %.2f s (%.2f ns a number)\n",
                figures.server_cpu_ns * LOAD_GENERATOR_RANGE / 1e9, figures.server_cpu_ns,
                figures.sender_cpu_ns * LOAD_GENERATOR_RANGE / 1e9, figures.sender_cpu_ns);
    std::fflush(stdout);
    return figures;
}

// How long a server that goes on with the log takes until it listens.
void TimeResume(const ThroughputSettings &settings, const std::string &log, const char *from) {
    std::vector<std::string> command = ServerCommand(settings, log);
    command.emplace_back("--resume");
    std::unique_ptr<Server> server;
    const double seconds = SecondsOf([&] { server = std::make_unique<Server>(command); });
    server->Stop();
    std::printf("Resumed %s in %.2f s: %.1f million numbers a second\n", from, seconds,
                LOAD_GENERATOR_RANGE / seconds / 1e6);
    std::fflush(stdout);
}

// Lets the page cache forget a file.
void Forget(const std::string &path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 || fdatasync(file) != 0 || posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) != 0) {
        throw std::runtime_error(path + ": cannot be dropped from the page cache");
    }
    close(file);
}

} // namespace

bool RunUniverse(const ThroughputSettings &settings) {
    const bool is_on_disk = settings.disk_directory != nullptr;
    const std::string log = LogPath(settings, is_on_disk);
    const FileRemover remover{log};
    // A server that waits for room would only look slow.
    if (std::filesystem::space(std::filesystem::path(log).parent_path()).available < kLogSize) {
        throw std::runtime_error("no room for a log of " + std::to_string(kLogSize) +
                                 " bytes: " + log);
    }
    std::vector<std::string> command = ServerCommand(settings, log);
    if (is_on_disk) {
        command.emplace_back("--fsync=always"); // FIN: it is on the disk
    } else {
        std::fputs("warming memory up with a file of the log's size\n", stderr);
        (void)TimeWriting(log, kLogSize);
    }
    Server server(command);
    const Figures figures = Send(&server, "Server");
    if (is_on_disk) {
        Forget(log);
        TimeResume(settings, log, "from the disk");
    }
    const bool is_right = VerifyLog(log);
    TimeResume(settings, log, is_on_disk ? "from the page cache" : "from memory");
    if (is_on_disk) {
        Server baseline(BaselineCommand(settings, kDirectBaseline, log));
        const Figures limit = Send(&baseline, "Received and stored past the page cache");
        std::printf("Ratio: %.3f\n", limit.seconds / figures.seconds);
    }
    return is_right;
}

} // namespace bench
