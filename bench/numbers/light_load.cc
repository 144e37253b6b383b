// What the numbers server costs when little is asked of it: the CPU time of a server without work,
// and then, with one client that sends a lone number now and then, how long each takes from the
// send to the log file, and the CPU time of that.
//
// Threading: one thread; the server is a child process.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "server/runtime/options.h"
#include "testing/patience.h"
#include "testing/process_facts.h"
#include "testing/tcp_client.h"

namespace {

constexpr std::uintmax_t kLineSize = 10;
// How long a number is waited for: much longer than any promise.
constexpr std::chrono::seconds kArrivalPatience{5};

struct Settings {
    const char *server_path = nullptr; // the one built together with this program
    const char *directory = "/dev/shm";
    int64_t idle_seconds = 10;
    int64_t number_count = 50;
    int64_t pause_ms = 100; // between two numbers
};

// Tells when a file is written to.
class Watch {
  public:
    explicit Watch(const std::string &path) : path_(path), fd_(inotify_init1(IN_CLOEXEC)) {
        if (fd_ < 0 || inotify_add_watch(fd_, path.c_str(), IN_MODIFY) < 0) {
            harness::ThrowErrno("inotify");
        }
    }
    ~Watch() {
        close(fd_);
    }
    Watch(const Watch &) = delete;
    Watch &operator=(const Watch &) = delete;

    void AwaitSize(std::uintmax_t size) const {
        const auto deadline = harness::Clock::now() + kArrivalPatience;
        while (std::filesystem::file_size(path_) < size) {
            char ignored[4096];
            pollfd watched = {fd_, POLLIN, 0};
            if (poll(&watched, 1, harness::MillisecondsUntil(deadline)) <= 0 ||
                read(fd_, ignored, sizeof ignored) < 0) {
                throw std::runtime_error("a number did not reach the log");
            }
        }
    }

  private:
    std::string path_;
    int fd_;
};

// The share of one processor, in percent, that the server takes while `work` is done.
double CpuPercent(const bench::Server &server, const std::function<void()> &work) {
    const double before = server.CpuSeconds();
    const double seconds = bench::SecondsOf(work);
    return (server.CpuSeconds() - before) / seconds * 100;
}

void Measure(const Settings &settings, bench::Server *server, const std::string &log) {
    const double idle_percent = CpuPercent(
        *server, [&] { std::this_thread::sleep_for(std::chrono::seconds(settings.idle_seconds)); });
    const Watch watch(log);
    harness::TcpClient client(server->port());
    std::vector<double> latencies_ms;
    const double light_percent = CpuPercent(*server, [&] {
        for (int64_t i = 0; i < settings.number_count; i++) {
            const std::string line = std::to_string(1000000000 + i).substr(1) + "\n";
            latencies_ms.push_back(1000 * bench::SecondsOf([&] {
                                       client.Send(line);
                                       watch.AwaitSize(static_cast<std::uintmax_t>(i + 1) *
                                                       kLineSize);
                                   }));
            std::this_thread::sleep_for(std::chrono::milliseconds(settings.pause_ms));
        }
    });
    const bench::Spread spread = bench::Summarize(latencies_ms);
    std::printf("Idle for %d s: %.3f %% of a processor\n", static_cast<int>(settings.idle_seconds),
                idle_percent);
    std::printf("%d lone numbers, one every %d ms: %.3f %% of a processor\n",
                static_cast<int>(settings.number_count), static_cast<int>(settings.pause_ms),
                light_percent);
    std::printf("From the send to the log file: median %.1f ms, least %.1f ms, greatest %.1f ms\n",
                spread.median, spread.least, spread.greatest);
    std::printf("Peak memory: %zu MiB\n",
                harness::ReadResidentMemory(server->process().pid()).highest_kib / 1024);
}

void Run(const Settings &settings) {
    const std::string log =
        std::string(settings.directory) + "/light-load-" + std::to_string(getpid()) + ".log";
    const bench::FileRemover remover{log};
    bench::Server server({bench::ProgramPath(settings.server_path, "server/numbers/server"),
                          "--port=0", "--log=" + log});
    Measure(settings, &server, log);
    server.Stop();
}

} // namespace

int main(int argc, char **argv) {
    Settings settings;
    const std::vector<option_spec> specs = {
        {"idle", "SECONDS", "how long to watch a server without work", OPTION_INTEGER,
         &settings.idle_seconds, 1, 3600, nullptr},
        {"count", "NUMBER", "lone numbers to send", OPTION_INTEGER, &settings.number_count, 1,
         100000, nullptr},
        {"pause", "MILLISECONDS", "from one number to the next", OPTION_INTEGER, &settings.pause_ms,
         1, 60000, nullptr},
        {"memory-dir", "DIRECTORY", "where the log goes", OPTION_TEXT, &settings.directory, 0, 0,
         nullptr},
        {"server", "FILE", "the server under test instead of the one built here", OPTION_TEXT,
         &settings.server_path, 0, 0, nullptr},
    };
    const options line = bench::CommandLine(
        "light_load", nullptr, "Measures what the numbers server costs when little is asked of it.",
        "  light_load --idle=60\n"
        "  light_load --count=20 --pause=1000\n",
        specs);
    return bench::Main(line, argc, argv, nullptr, [&] {
        Run(settings);
        return true;
    });
}
