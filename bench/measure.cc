#include "bench/measure.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "bench/percentile.h"
#include "server/runtime/exit_code.h"
#include "server/runtime/os.h"
#include "testing/daemon.h"
#include "testing/process_facts.h"

namespace bench {
namespace {

constexpr std::chrono::minutes kStopPatience{2};
constexpr std::chrono::minutes kLoadPatience{5};
constexpr std::size_t kWriteSize = 1 << 20;
constexpr std::size_t kLineSize = 10;

harness::ProcessOptions Command(const std::vector<std::string> &arguments) {
    harness::ProcessOptions options;
    options.arguments = arguments;
    return options;
}

void ExpectOrderlyEnd(harness::Process *process, const std::string &path,
                      std::chrono::seconds patience) {
    const auto status = process->WaitForExit(patience);
    if (status != harness::Exited(0)) {
        std::ostringstream text;
        status.has_value() ? text << path << " " << *status : text << path << " does not end";
        throw std::runtime_error(text.str() + "\n" + process->output() + process->errors());
    }
}

double Seconds(const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

} // namespace

std::string BuiltProgram(const std::string &path) {
    // This one is ROOT/bench/SERVICE/NAME.
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    return (self.parent_path().parent_path().parent_path() / path).string();
}

std::string ProgramPath(const char *named, const std::string &path) {
    return named != nullptr ? named : BuiltProgram(path);
}

FileRemover::~FileRemover() {
    (void)unlink(path.c_str());
}

Server::Server(const std::vector<std::string> &arguments)
    : path_(arguments.at(0)), process_(Command(arguments)), port_(harness::WaitForPort(&process_)) {
}

double Server::CpuSeconds() const {
    return std::chrono::duration<double>(harness::ReadProcessorTime(process_.pid())).count();
}

void Server::Stop() {
    process_.Signal(SIGTERM);
    ExpectOrderlyEnd(&process_, path_, kStopPatience);
}

std::string Run(const std::vector<std::string> &arguments, std::chrono::seconds patience) {
    harness::Process process(Command(arguments));
    ExpectOrderlyEnd(&process, arguments.at(0), patience);
    return process.output();
}

MessageFigures MeasureMessages(const std::vector<std::string> &server_command,
                               std::vector<std::string> load_command) {
    Server server(server_command);
    load_command.push_back("--port=" + std::to_string(server.port()));
    const double cpu_before = server.CpuSeconds();
    const std::string summary = Run(load_command, kLoadPatience);
    const double cpu_seconds = server.CpuSeconds() - cpu_before;
    const std::size_t comma = summary.find(", "); // what stands before it is the service's own
    unsigned long count = 0;
    double seconds = 0;
    if (std::sscanf(summary.c_str() + (comma == std::string::npos ? 0 : comma + 2),
                    "%lu messages in %lf s", &count, &seconds) != 2 ||
        count == 0) {
        throw std::runtime_error("the load says: " + summary);
    }
    const auto messages = static_cast<double>(count);
    return {messages / seconds, cpu_seconds * 1e6 / messages};
}

double EndedCpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

double SecondsOf(const std::function<void()> &work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double TimeWriting(const std::string &path, std::uint64_t size) {
    std::string lines(kWriteSize, '0');
    for (std::size_t end = kLineSize - 1; end < lines.size(); end += kLineSize) {
        lines[end] = '\n';
    }
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int error = file < 0 ? errno : 0;
    const double seconds = SecondsOf([&] {
        while (size > 0 && error == 0) {
            const ssize_t written = write(file, lines.data(), std::min(size, lines.size()));
            error = written < 0 && errno != EINTR ? errno : 0;
            size -= written < 0 ? 0 : static_cast<std::uint64_t>(written);
        }
    });
    if (file >= 0) {
        close(file);
        unlink(path.c_str());
    }
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), path);
    }
    return seconds;
}

options CommandLine(const char *program, const char *arguments, const char *summary,
                    const char *examples, const std::vector<option_spec> &specs) {
    options line{};
    line.program = program;
    line.arguments = arguments;
    line.summary = summary;
    line.examples = examples;
    line.specs = specs.data();
    line.spec_count = specs.size();
    return line;
}

int Main(const options &line, int argc, char **argv,
         const std::function<options_outcome(int first_argument_index)> &take,
         const std::function<bool()> &run) {
    int index = 0;
    options_outcome outcome = options_parse(&line, argc, argv, &index);
    if (outcome == OPTIONS_RUN && take) {
        outcome = take(index);
    }
    if (outcome != OPTIONS_RUN) {
        return outcome == OPTIONS_SHOWN ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    }
    const int error = os_enter_working_directory();
    if (error != 0) {
        std::fprintf(stderr, "%s: BUILD_WORKING_DIRECTORY: %s\n", line.program,
                     std::strerror(-error));
        return EXIT_FAILURE;
    }
    try {
        return run() ? EXIT_SUCCESS : EXIT_FAILURE;
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "%s: %s\n", line.program, failure.what());
        return EXIT_FAILURE;
    }
}

Spread Summarize(std::vector<double> values) {
    const auto at = [&values](double percent) {
        return percentile_of(values.data(), values.size(), percent);
    };
    percentile_sort(values.data(), values.size());
    return {at(0), at(50), at(100)};
}

double Median(std::vector<double> values) {
    return Summarize(std::move(values)).median;
}

} // namespace bench
