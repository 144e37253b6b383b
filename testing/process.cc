#include "testing/process.h"

#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "testing/pipes.h"
#include "testing/sanitizer.h"

namespace harness {
namespace {

// valgrind 3.19 does not know pidfd_open; the child's end is then looked for every millisecond.
constexpr bool kHasPidfd = !kIsUnderValgrind;

std::vector<std::string>
MakeEnvironment(const std::map<std::string, std::optional<std::string>> &changes) {
    std::vector<std::string> environment;
    for (char **entry = environ; *entry != nullptr; ++entry) {
        const std::string text(*entry);
        if (changes.count(text.substr(0, text.find('='))) == 0) {
            environment.push_back(text);
        }
    }
    for (const auto &[name, value] : changes) {
        if (value.has_value()) {
            environment.push_back(name + "=" + *value);
        }
    }
    return environment;
}

// Whether the program is made for 64-bit Arm, as --config=aarch64 makes ours.
bool IsForAarch64(const std::string &path) {
    Elf64_Ehdr header{};
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char *>(&header), sizeof header);
    return file && std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
           header.e_machine == EM_AARCH64;
}

// NULL: there is none.
const char *Emulator() {
    return std::getenv("EMULATOR");
}

// The command, with the emulator that this test itself runs in before the program that needs it:
// the first one, or one that a shell is to start.
std::vector<std::string> EmulatedCommand(const std::vector<std::string> &arguments) {
    std::vector<std::string> command = arguments;
    const char *emulator = Emulator();
    const auto program = std::find_if(command.begin(), command.end(), IsForAarch64);
    if (emulator != nullptr && program != command.end()) {
        command.insert(program, emulator);
    }
    return command;
}

std::vector<char *> Pointers(std::vector<std::string> *strings) {
    std::vector<char *> pointers;
    for (std::string &text : *strings) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

// Everything that the child needs, made before the fork: after it, only async-signal-safe
// functions may be called, since the parent has threads.
struct ChildPlan {
    const ProcessOptions *options = nullptr;
    char *const *arguments = nullptr;
    char *const *environment = nullptr;
    int output_descriptor = -1; // -1: closed.
    int errors_descriptor = -1;
    pid_t parent = -1;
};

void ConnectStreams(const ChildPlan &plan) {
    if (plan.options->standard_input_is_closed) {
        close(STDIN_FILENO);
    } else {
        const int input = open(plan.options->standard_input.c_str(), O_RDONLY | O_CLOEXEC);
        if (input < 0 || dup2(input, STDIN_FILENO) < 0) {
            _exit(127);
        }
    }
    if (plan.output_descriptor < 0) {
        close(STDOUT_FILENO);
    } else if (dup2(plan.output_descriptor, STDOUT_FILENO) < 0) {
        _exit(127);
    }
    if (dup2(plan.errors_descriptor, STDERR_FILENO) < 0) {
        _exit(127);
    }
}

[[noreturn]] void BecomeChild(const ChildPlan &plan) {
    const ProcessOptions &options = *plan.options;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != plan.parent) {
        _exit(127);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    if (options.umask.has_value()) {
        umask(*options.umask);
    }
    if (!options.working_directory.empty() && chdir(options.working_directory.c_str()) != 0) {
        _exit(127);
    }
    for (const auto &[resource, limit] : options.limits) {
        if (setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) {
            _exit(127);
        }
    }
    ConnectStreams(plan);
    execve(plan.arguments[0], plan.arguments, plan.environment);
    _exit(127);
}

} // namespace

bool IsEmulated() {
    return Emulator() != nullptr;
}

std::ostream &operator<<(std::ostream &stream, const ExitStatus &status) {
    if (status.signal != 0) {
        return stream << "killed by signal " << status.signal;
    }
    return stream << "exited with code " << status.code;
}

Process::Process(const ProcessOptions &options) {
    Pipe errors =
        options.terminal_columns.has_value() ? OpenTerminal(*options.terminal_columns) : OpenPipe();
    Pipe output;
    if (options.standard_output != OutputMode::kClosed) {
        output = OpenPipe();
    }
    if (options.standard_output == OutputMode::kFullPipe) {
        FillPipe(output.write_end);
    }
    std::vector<std::string> arguments = EmulatedCommand(options.arguments);
    std::vector<std::string> environment = MakeEnvironment(options.environment);
    const std::vector<char *> argument_pointers = Pointers(&arguments);
    const std::vector<char *> environment_pointers = Pointers(&environment);
    const ChildPlan plan{&options,         argument_pointers.data(), environment_pointers.data(),
                         output.write_end, errors.write_end,         getpid()};

    pid_ = fork();
    if (pid_ == 0) {
        BecomeChild(plan);
    }
    CloseIfOpen(&output.write_end);
    CloseIfOpen(&errors.write_end);
    if (pid_ < 0) {
        ThrowErrno("fork");
    }
    if (kHasPidfd) {
        process_descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    }
    stop_descriptor_ = eventfd(0, EFD_CLOEXEC);
    if ((kHasPidfd && process_descriptor_ < 0) || stop_descriptor_ < 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        ThrowErrno("pidfd_open or eventfd");
    }
    errors_.descriptor = errors.read_end;
    switch (options.standard_output) {
    case OutputMode::kCaptured:
        output_.descriptor = output.read_end;
        break;
    case OutputMode::kFullPipe:
        unread_descriptor_ = output.read_end;
        break;
    case OutputMode::kBrokenPipe:
    case OutputMode::kClosed:
        CloseIfOpen(&output.read_end);
        break;
    }
    reader_ = std::thread([this] { ReadUntilEnd(); });
}

Process::~Process() {
    if (!status_.has_value()) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    const std::uint64_t one = 1;
    // An eventfd takes eight bytes or none; the reader may have ended already.
    if (write(stop_descriptor_, &one, sizeof one) != sizeof one) {
        std::abort();
    }
    reader_.join();
    CloseIfOpen(&unread_descriptor_);
    CloseIfOpen(&process_descriptor_);
    CloseIfOpen(&stop_descriptor_);
}

std::string Process::output() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return output_.text;
}

std::string Process::errors() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return errors_.text;
}

bool Process::WaitForOutput(const TextCondition &enough, std::chrono::milliseconds patience) {
    return WaitForText(output_, enough, patience);
}

bool Process::WaitForErrors(const TextCondition &enough, std::chrono::milliseconds patience) {
    return WaitForText(errors_, enough, patience);
}

bool Process::WaitForText(const Stream &stream, const TextCondition &enough,
                          std::chrono::milliseconds patience) {
    const Clock::time_point deadline = Clock::now() + patience;
    std::unique_lock<std::mutex> lock(mutex_);
    while (!enough(stream.text)) {
        if (stream.descriptor < 0 ||
            changed_.wait_until(lock, deadline) == std::cv_status::timeout) {
            return enough(stream.text);
        }
    }
    return true;
}

bool Process::Signal(int signal_number) {
    if (status_.has_value() || kill(pid_, signal_number) != 0) {
        return false;
    }
    // A thread in the middle of a system call stops a moment later.
    siginfo_t info;
    return signal_number != SIGSTOP ||
           waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT) == 0;
}

std::optional<ExitStatus> Process::WaitForExit(std::chrono::milliseconds patience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (!status_.has_value()) {
        const int wait_ms = MillisecondsUntil(deadline);
        pollfd ended{process_descriptor_, POLLIN, 0}; // poll leaves out a negative descriptor
        if (poll(&ended, 1, kHasPidfd ? wait_ms : std::min(wait_ms, 1)) < 0 && errno != EINTR) {
            ThrowErrno("poll");
        }
        int raw_status = 0;
        if (waitpid(pid_, &raw_status, WNOHANG) == pid_) {
            status_ = WIFSIGNALED(raw_status) ? Killed(WTERMSIG(raw_status))
                                              : Exited(WEXITSTATUS(raw_status));
        } else if (wait_ms == 0) {
            return std::nullopt;
        }
    }
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_until(lock, deadline,
                        [this] { return output_.descriptor < 0 && errors_.descriptor < 0; });
    return status_;
}

// Reads what one read() gives. At the end of the stream, closes it and returns false.
bool Process::ReadOnce(Stream *stream) {
    std::array<char, 65536> buffer;
    const ssize_t size = read(stream->descriptor, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) {
        return true;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (size > 0) {
        stream->text.append(buffer.data(), static_cast<size_t>(size));
    } else {
        CloseIfOpen(&stream->descriptor);
    }
    changed_.notify_all();
    return size > 0;
}

void Process::ReadUntilEnd() {
    // The reader alone changes the descriptors after the start, so it may look at its own copy.
    int output_descriptor = output_.descriptor;
    int errors_descriptor = errors_.descriptor;
    while (output_descriptor >= 0 || errors_descriptor >= 0) {
        std::array<pollfd, 3> waiting{pollfd{output_descriptor, POLLIN, 0},
                                      pollfd{errors_descriptor, POLLIN, 0},
                                      pollfd{stop_descriptor_, POLLIN, 0}};
        if (poll(waiting.data(), waiting.size(), -1) < 0) {
            continue;
        }
        if (waiting[0].revents != 0 && !ReadOnce(&output_)) {
            output_descriptor = -1;
        }
        if (waiting[1].revents != 0 && !ReadOnce(&errors_)) {
            errors_descriptor = -1;
        }
        if (waiting[2].revents != 0) {
            break;
        }
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    CloseIfOpen(&output_.descriptor);
    CloseIfOpen(&errors_.descriptor);
    changed_.notify_all();
}

std::vector<std::string> SplitLines(std::string_view text) {
    std::vector<std::string> lines;
    size_t begin = 0;
    for (size_t end = text.find('\n'); end != std::string_view::npos;
         end = text.find('\n', begin)) {
        lines.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

Process::TextCondition HasLineWith(std::string part) {
    return [part = std::move(part)](const std::string &text) {
        return CountLinesWith(text, part) > 0;
    };
}

size_t CountLinesWith(std::string_view text, std::string_view part) {
    const std::vector<std::string> lines = SplitLines(text);
    return static_cast<size_t>(
        std::count_if(lines.begin(), lines.end(), [part](const std::string &line) {
            return line.find(part) != std::string::npos;
        }));
}

ProcessResult RunToEnd(const ProcessOptions &options) {
    Process process(options);
    ProcessResult result;
    result.status = process.WaitForExit();
    result.output = process.output();
    result.errors = process.errors();
    return result;
}

} // namespace harness
