#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "bench/numbers/load_generator.h"
#include "bench/numbers/throughput.h"
#include "testing/browser.h"
#include "testing/files.h"
#include "testing/http_client.h"
#include "testing/process_facts.h"

namespace bench {
namespace {

// What the baselines receive at a time: as usual, and where it stores fastest (found by trying
// 16 KiB to 4 MiB: the sender fills the socket during a long write, and the next receive then gets
// it all at once).
constexpr const char *kBufferSize = "65536";
constexpr const char *kTunedBufferSize = "1048576";
constexpr std::uint64_t kLineSize = 10;
// How long a browser takes to be busy with the page alone.
constexpr std::chrono::milliseconds kBrowserStart{4000};

// The CPU time that the server and all senders have used so far, in ns.
Figures ReadCpuTimes(const Server &server, pid_t pid) {
    Figures times{};
    for (const harness::ThreadTime &thread : harness::ReadThreadTimes(pid)) {
        const double sum = thread.user_seconds + thread.kernel_seconds;
        if (thread.is_main) {
            times.receive_cpu_ns += thread.kernel_seconds * 1e9;
            times.parse_cpu_ns += thread.user_seconds * 1e9;
        } else if (thread.name == "worker") {
            times.insert_cpu_ns += sum * 1e9;
        } else if (thread.name.rfind("log-", 0) == 0) {
            times.write_cpu_ns += sum * 1e9;
        }
    }
    times.server_cpu_ns = server.CpuSeconds() * 1e9;
    times.sender_cpu_ns = EndedCpuSeconds() * 1e9;
    return times;
}

// A fast server that loses numbers would be no result: the log must have the expected size.
void CheckLog(const std::string &log, std::uint64_t line_count) {
    const std::uint64_t size = std::filesystem::file_size(log);
    if (size != line_count * kLineSize) {
        throw std::runtime_error(log + ": the log has " + std::to_string(size) +
                                 " bytes instead of " + std::to_string(line_count * kLineSize));
    }
}

// A browser that looks at the page of a server until it is destroyed.
class Watcher {
  public:
    Watcher(const std::string &browser_path, Server *server)
        : browser_(harness::BrowserOptions(
              browser_path, directory_.path(),
              "http://127.0.0.1:" + std::to_string(harness::WaitForHttpPort(&server->process())) +
                  "/")) {
        if (browser_.WaitForExit(kBrowserStart)) {
            throw std::runtime_error(browser_path + " does not stay on the page:\n" +
                                     browser_.errors());
        }
    }
    ~Watcher() {
        (void)browser_.Signal(SIGTERM);
        (void)browser_.WaitForExit();
    }

  private:
    const harness::TemporaryDirectory directory_;
    harness::Process browser_;
};

bool IsServer(Contender contender) {
    return contender == kServer || contender == kWatchedServer;
}

} // namespace

const std::vector<Scenario> kScenarios = {
    {"random", "distinct, random order, 5 clients"},
    {"random-1-client", "distinct, random order, 1 client", "permutation", 1},
    {"random-disk", "distinct, 5 clients, log on disk", "permutation", 5, 256 * 1024, 1, 0, true},
    {"random-disk-sustained", "the same, ten times as many", "permutation", 5, 256 * 1024, 1, 0,
     true, false, 10},
    {"sequential", "distinct, ascending, 5 clients", "sequential"},
    {"duplicates-50", "every second number seen before", "permutation", 5, 256 * 1024, 1, 50},
    {"duplicates-100", "all seen before; baseline discards", "permutation", 5, 256 * 1024, 1, 0,
     false, true},
    {"small-writes", "one line a send, 5 clients", "permutation", 5, kLineSize, 64},
};

std::string LogPath(const ThroughputSettings &settings, bool is_on_disk) {
    const char *temporary = std::getenv("TMPDIR");
    const char *directory = !is_on_disk                          ? settings.memory_directory
                            : settings.disk_directory != nullptr ? settings.disk_directory
                            : temporary != nullptr               ? temporary
                                                                 : "/tmp";
    return std::string(directory) + "/throughput-" + std::to_string(getpid()) + ".log";
}

std::vector<std::string> BaselineCommand(const ThroughputSettings &settings, Contender contender,
                                         const std::string &log) {
    std::vector<std::string> words = {ProgramPath(settings.baseline_path, "bench/baseline_server"),
                                      "--port=0", "--buffer-size",
                                      contender == kBaseline ? kBufferSize : kTunedBufferSize};
    if (!log.empty()) {
        words.push_back("--log=" + log);
    }
    if (contender == kDirectBaseline) {
        words.emplace_back("--direct");
    }
    return words;
}

std::vector<std::string> ServerCommand(const ThroughputSettings &settings, const std::string &log) {
    const option_list &more = settings.server_arguments;
    std::vector<std::string> words = {ProgramPath(settings.server_path, "server/numbers/server"),
                                      "--port=0", "--log=" + log};
    words.insert(words.end(), more.items, more.items + more.count);
    return words;
}

Figures MeasureLoad(const Scenario &scenario, std::uint32_t number_count, std::uint32_t seed,
                    Server *server, std::chrono::seconds patience) {
    const pid_t pid = server->process().pid();
    const Figures before = ReadCpuTimes(*server, pid);
    const std::string summary =
        Run({BuiltProgram("bench/numbers/load"), "--port=" + std::to_string(server->port()),
             "--connections=" + std::to_string(scenario.connection_count),
             "--count=" + std::to_string(number_count), std::string("--order=") + scenario.order,
             "--duplicates=" + std::to_string(scenario.duplicates_percent),
             "--seed=" + std::to_string(seed), "--send-size=" + std::to_string(scenario.send_size),
             "--timeout=30"},
            patience);
    Figures figures{};
    unsigned long line_count = 0;
    if (std::sscanf(summary.c_str(), "Sent %lu numbers (%*u bytes) in %*f s: %lf numbers/s",
                    &line_count, &figures.numbers_per_second) != 2) {
        throw std::runtime_error("the load generator says: " + summary);
    }
    const double lines = static_cast<double>(line_count);
    figures.seconds = lines / figures.numbers_per_second;
    const Figures after = ReadCpuTimes(*server, pid);
    for (const auto time :
         {&Figures::receive_cpu_ns, &Figures::parse_cpu_ns, &Figures::insert_cpu_ns,
          &Figures::write_cpu_ns, &Figures::server_cpu_ns, &Figures::sender_cpu_ns}) {
        figures.*time = (after.*time - before.*time) / lines;
    }
    figures.peak_memory_mib =
        static_cast<double>(harness::ReadResidentMemory(pid).highest_kib) / 1024;
    return figures;
}

Figures RunRound(const ThroughputSettings &settings, const Scenario &scenario, Contender contender,
                 std::uint32_t seed) {
    const bool is_stored = IsServer(contender) || !scenario.is_sent_before;
    const auto number_count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(static_cast<std::uint64_t>(settings.number_count) *
                                    scenario.count_multiplier / scenario.count_divisor,
                                LOAD_GENERATOR_RANGE));
    const std::string log = LogPath(settings, scenario.log_is_on_disk);
    const FileRemover remover{log};
    if ((contender == kDirectBaseline && !scenario.log_is_on_disk) ||
        (contender == kWatchedServer && settings.browser_path == nullptr)) {
        return {};
    }
    // What lasts is bound by the disk, and warm memory makes no difference to it.
    if (is_stored && scenario.count_multiplier == 1) {
        (void)TimeWriting(log, number_count * kLineSize);
    }
    std::vector<std::string> command =
        IsServer(contender) ? ServerCommand(settings, log)
                            : BaselineCommand(settings, contender, is_stored ? log : "");
    if (contender == kWatchedServer) {
        command.emplace_back("--http-port=0");
    }
    Server server(command);
    std::optional<Watcher> watcher;
    if (contender == kWatchedServer) {
        watcher.emplace(settings.browser_path, &server);
    }
    if (scenario.is_sent_before) {
        (void)MeasureLoad(scenario, number_count, seed, &server, kRoundPatience);
    }
    const Figures figures = MeasureLoad(scenario, number_count, seed, &server, kRoundPatience);
    watcher.reset();
    server.Stop();
    if (is_stored) {
        CheckLog(log, IsServer(contender)
                          ? load_generator_fresh_count(number_count, scenario.duplicates_percent)
                          : number_count);
    }
    return figures;
}

} // namespace bench
