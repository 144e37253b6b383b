// A program under test, started as a process of its own and watched from outside.
//
// Ownership: a Process owns its child: the destructor kills it by its id if it still runs and
// reaps it always. The child also dies with the thread that started it (PR_SET_PDEATHSIG), so that
// a test which is cut off leaves no server behind; start a Process from a thread that outlives it.
// Threading: one reader thread per Process keeps the child's pipes empty; the methods may be
// called from any thread, except for WaitForExit and Signal, which belong to one.
#ifndef TESTING_PROCESS_H_
#define TESTING_PROCESS_H_

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "testing/patience.h"

namespace harness {

// Where the child's standard output leads. The standard error is always captured.
enum class OutputMode {
    kCaptured,   // a pipe that is read all the time
    kClosed,     // the descriptor is closed, as by `program >&-`
    kBrokenPipe, // a pipe whose reader has gone, as by `program | true`
    kFullPipe,   // a pipe that is full and that nobody reads
};

struct ProcessOptions {
    // The program's path, then its arguments.
    std::vector<std::string> arguments;
    // Empty: the caller's.
    std::string working_directory;
    // Variables to set; those without a value are removed. The others are the caller's.
    std::map<std::string, std::optional<std::string>> environment;
    // Resources (RLIMIT_…) and their limits.
    std::vector<std::pair<int, rlimit>> limits;
    std::optional<mode_t> umask;
    // The file that is standard input, unless it is closed, as by `program <&-`.
    std::string standard_input = "/dev/null";
    bool standard_input_is_closed = false;
    OutputMode standard_output = OutputMode::kCaptured;
    // Standard error is a terminal with so many columns instead of a pipe. It changes nothing of
    // what is written to it.
    std::optional<unsigned short> terminal_columns;
};

// How a process ended: with an exit code, or by a signal (then the other one is 0).
struct ExitStatus {
    int code = 0;
    int signal = 0;
};

inline ExitStatus Exited(int code) {
    return ExitStatus{code, 0};
}
inline ExitStatus Killed(int signal) {
    return ExitStatus{0, signal};
}
inline bool operator==(const ExitStatus &left, const ExitStatus &right) {
    return left.code == right.code && left.signal == right.signal;
}
inline bool operator!=(const ExitStatus &left, const ExitStatus &right) {
    return !(left == right);
}
std::ostream &operator<<(std::ostream &stream, const ExitStatus &status);

class Process {
  public:
    // Starts the program; throws std::system_error when no process can be made. A program that
    // cannot be executed ends with code 127.
    explicit Process(const ProcessOptions &options);
    ~Process();
    Process(const Process &) = delete;
    Process &operator=(const Process &) = delete;

    pid_t pid() const {
        return pid_;
    }

    // What the child has written up to now to its standard output and standard error.
    std::string output() const;
    std::string errors() const;

    // Waits until `enough` accepts what has been written so far; false when the patience or the
    // stream ends before that.
    using TextCondition = std::function<bool(const std::string &text)>;
    bool WaitForOutput(const TextCondition &enough, std::chrono::milliseconds patience = kPatience);
    bool WaitForErrors(const TextCondition &enough, std::chrono::milliseconds patience = kPatience);

    // Sends `signal_number` to the child; false when it has been reaped already. After SIGSTOP the
    // child does nothing more once this returns.
    bool Signal(int signal_number);

    // Waits for the child's end, and then for the end of its output. Nothing when it still runs
    // after `patience`.
    std::optional<ExitStatus> WaitForExit(std::chrono::milliseconds patience = kPatience);

  private:
    struct Stream {
        int descriptor = -1; // The read end; the reader thread closes it at its end.
        std::string text;
    };

    bool WaitForText(const Stream &stream, const TextCondition &enough,
                     std::chrono::milliseconds patience);
    void ReadUntilEnd();
    bool ReadOnce(Stream *stream);

    pid_t pid_ = -1;
    int process_descriptor_ = -1; // pidfd: readable when the child has ended; or -1.
    int unread_descriptor_ = -1;  // The read end of a full pipe.
    int stop_descriptor_ = -1;    // eventfd: tells the reader thread to stop.
    std::optional<ExitStatus> status_;

    mutable std::mutex mutex_; // Guards the streams.
    std::condition_variable changed_;
    Stream output_;
    Stream errors_;
    std::thread reader_;
};

// Whether programs run in an emulator of another processor, whose command line and libraries then
// come between.
bool IsEmulated();

// The complete lines of `text`, without their newlines; a last line without one is left out.
std::vector<std::string> SplitLines(std::string_view text);

// A condition for WaitForOutput and WaitForErrors: a complete line that contains `part`.
Process::TextCondition HasLineWith(std::string part);

// How many complete lines of `text` contain `part`.
size_t CountLinesWith(std::string_view text, std::string_view part);

// Runs a program to its end. The status is missing when it had to be killed after the patience.
struct ProcessResult {
    std::optional<ExitStatus> status;
    std::string output;
    std::string errors;
};
ProcessResult RunToEnd(const ProcessOptions &options);

} // namespace harness

#endif // TESTING_PROCESS_H_
