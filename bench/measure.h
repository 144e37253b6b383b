// What the measuring programs share beside testing/: where the programs that they start are, and
// figures of several rounds.
//
// Threading: stateless.
#ifndef BENCH_MEASURE_H_
#define BENCH_MEASURE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/runtime/options.h"
#include "testing/process.h"

namespace bench {

// The absolute path of a program built together with this one; `path` is where its source is, as
// in "server/numbers/server".
std::string BuiltProgram(const std::string &path);
// The same, unless the user has named another one.
std::string ProgramPath(const char *named, const std::string &path);

// Removes a file in the end, however the work with it ends.
struct FileRemover {
    const std::string &path;
    ~FileRemover();
};

// A server that says "listening on 127.0.0.1:PORT". Throws std::runtime_error when it does not.
class Server {
  public:
    // The program's path, then its arguments.
    explicit Server(const std::vector<std::string> &arguments);

    harness::Process &process() {
        return process_;
    }
    std::uint16_t port() const {
        return port_;
    }
    // The processor time that it has used so far.
    double CpuSeconds() const;
    // Ends it by SIGTERM; throws std::runtime_error unless that is an orderly end.
    void Stop();

  private:
    std::string path_;
    harness::Process process_;
    std::uint16_t port_;
};

// Runs a program, waits for its end, and returns what it has printed. Throws std::runtime_error
// unless it ends with exit code 0 within `patience`.
std::string Run(const std::vector<std::string> &arguments, std::chrono::seconds patience);

// What a server makes of messages.
struct MessageFigures {
    double per_second;
    double cpu_us; // the server's, for each
};

// Starts a server, runs a load against it, which gets its --port and prints "N messages in S s",
// and ends it.
MessageFigures MeasureMessages(const std::vector<std::string> &server_command,
                               std::vector<std::string> load_command);

// The processor time of all programs that have been started and have ended.
double EndedCpuSeconds();

double SecondsOf(const std::function<void()> &work);

// How long it takes to write a file of lines of so many bytes, a mebibyte at a time; the file is
// removed. A virtual machine may have lent the memory that nobody uses to its host: what is written
// next would wait for it to come back, now and then ten times as long as the write itself. Doing
// this before a measurement fetches it.
double TimeWriting(const std::string &path, std::uint64_t size);

// The command line of a measuring program; `specs` has to outlive it.
options CommandLine(const char *program, const char *arguments, const char *summary,
                    const char *examples, const std::vector<option_spec> &specs = {});

// The main() of a measuring program: reads the command line, goes to where it was typed, and runs.
// `take`, if there is one, judges what the table of options cannot, and gets the index of the first
// argument behind them. What `run` throws is said on standard error. Result: the exit code.
int Main(const options &line, int argc, char **argv,
         const std::function<options_outcome(int first_argument_index)> &take,
         const std::function<bool()> &run);

// Of several rounds.
struct Spread {
    double least = 0;
    double median = 0;
    double greatest = 0;
};
Spread Summarize(std::vector<double> values);
double Median(std::vector<double> values);

} // namespace bench

#endif // BENCH_MEASURE_H_
