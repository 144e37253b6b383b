// Starts programs in tests and reads what they print. A program is ended with its object.
#ifndef BENCH_TEST_PROGRAM_H_
#define BENCH_TEST_PROGRAM_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

// A started program, ended with the object. Its two outputs go into one pipe.
class Program {
  public:
    explicit Program(std::vector<std::string> words, const std::string &input = "") {
        int output[2];
        std::string input_path = std::string(std::getenv("TEST_TMPDIR")) + "/input";
        std::ofstream(input_path) << input;
        if (pipe(output) != 0) {
            abort();
        }
        std::vector<char *> arguments;
        for (std::string &word : words) {
            arguments.push_back(&word[0]);
        }
        arguments.push_back(nullptr);
        pid_ = fork();
        if (pid_ == 0) {
            dup2(open(input_path.c_str(), O_RDONLY), STDIN_FILENO);
            dup2(output[1], STDOUT_FILENO);
            dup2(output[1], STDERR_FILENO);
            (void)close(output[0]);
            (void)close(output[1]);
            execv(arguments[0], arguments.data());
            _exit(127);
        }
        (void)close(output[1]);
        output_ = fdopen(output[0], "r");
    }
    ~Program() {
        if (pid_ > 0) {
            (void)kill(pid_, SIGTERM);
            Wait();
        }
        (void)fclose(output_);
    }
    Program(const Program &) = delete;
    Program &operator=(const Program &) = delete;

    std::string ReadLine() {
        char line[1024];
        return fgets(line, sizeof line, output_) == nullptr ? "" : line;
    }
    std::string ReadAll() {
        std::string all;
        for (std::string line = ReadLine(); !line.empty(); line = ReadLine()) {
            all += line;
        }
        return all;
    }
    // The exit code, or -1 for an end by a signal.
    int Wait() {
        int status = 0;
        (void)waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

  private:
    pid_t pid_;
    FILE *output_;
};

struct Outcome {
    int exit_code; // -1 for an end by a signal
    std::string output;
};

// Runs a program to its end.
inline Outcome RunProgram(const std::vector<std::string> &words, const std::string &input = "") {
    Program program(words, input);
    std::string output = program.ReadAll();
    return {program.Wait(), output};
}

#endif // BENCH_TEST_PROGRAM_H_
