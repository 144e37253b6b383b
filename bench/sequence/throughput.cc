// The sequence server beside a plain echo of the same messages: messages per second, and the
// server's CPU time for each, under 1000 clients at a time. Runs of the two alternate; the figure
// that counts is the ratio.
//
//   bazel run //bench:sequence_throughput
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "server/runtime/exit_code.h"
#include "server/runtime/options.h"
#include "testing/process.h"

namespace {

using harness::Process;
using harness::ProcessOptions;

constexpr int kRoundCount = 5;
// Where the programs are.
constexpr const char *kVariables[] = {"SEQUENCE_ECHO", "SEQUENCE_LOAD", "SEQUENCE_SERVER"};

struct Figures {
    double messages_per_second;
    double cpu_us_per_message;
};

std::unique_ptr<Process> Start(const char *variable, const std::vector<std::string> &arguments) {
    ProcessOptions process;
    process.arguments = {std::getenv(variable)};
    process.arguments.insert(process.arguments.end(), arguments.begin(), arguments.end());
    return std::make_unique<Process>(process);
}

// User and system time of the process so far, in seconds.
double CpuSeconds(const Process &process) {
    std::ifstream file("/proc/" + std::to_string(process.pid()) + "/stat");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    double user_ticks = 0;
    double system_ticks = 0;
    for (int i = 0; i < 11; i++) {
        fields >> skipped;
    }
    fields >> user_ticks >> system_ticks;
    return (user_ticks + system_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

bool Measure(const char *server_variable, const std::vector<std::string> &server_arguments,
             std::vector<std::string> load_arguments, Figures *figures) {
    const std::string announcement = "listening on 127.0.0.1:";
    std::unique_ptr<Process> server = Start(server_variable, server_arguments);
    if (!server->WaitForErrors(harness::HasLineWith(announcement))) {
        fprintf(stderr, "%s does not start: %s\n", std::getenv(server_variable),
                server->errors().c_str());
        return false;
    }
    const std::string errors = server->errors();
    load_arguments.push_back("--port=" + std::to_string(std::stoi(errors.substr(
                                             errors.find(announcement) + announcement.size()))));
    const double cpu_before = CpuSeconds(*server);
    std::unique_ptr<Process> load = Start("SEQUENCE_LOAD", load_arguments);
    if (load->WaitForExit() != harness::Exited(0)) {
        fprintf(stderr, "%s fails: %s\n", std::getenv("SEQUENCE_LOAD"), load->errors().c_str());
        return false;
    }
    const double cpu_seconds = CpuSeconds(*server) - cpu_before;
    unsigned long client_count = 0;
    unsigned long message_count = 0;
    double seconds = 0;
    if (sscanf(load->output().c_str(), "%lu clients done, %lu messages in %lf s", &client_count,
               &message_count, &seconds) != 3) {
        return false;
    }
    figures->messages_per_second = static_cast<double>(message_count) / seconds;
    figures->cpu_us_per_message = cpu_seconds * 1e6 / static_cast<double>(message_count);
    return true;
}

double Median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

options_outcome ReadOptions(int argc, char **argv) {
    const options line = {"sequence_throughput",
                          nullptr,
                          "Compares the sequence server with a plain echo of the same messages.",
                          "  bazel run //bench:sequence_throughput\n",
                          nullptr,
                          "sequence_throughput 1.0.0",
                          nullptr,
                          0};
    int first_argument_index;
    const options_outcome outcome = options_parse(&line, argc, argv, &first_argument_index);
    if (outcome != OPTIONS_RUN) {
        return outcome;
    }
    for (const char *variable : kVariables) {
        if (std::getenv(variable) == nullptr) {
            options_complain(&line, "%s is not set; bazel run sets it", variable);
            return OPTIONS_INVALID;
        }
    }
    return OPTIONS_RUN;
}

} // namespace

int main(int argc, char **argv) {
    switch (ReadOptions(argc, argv)) {
    case OPTIONS_SHOWN:
        return EXIT_CODE_OK;
    case OPTIONS_INVALID:
        return EXIT_CODE_USAGE;
    case OPTIONS_RUN:
        break;
    }
    std::vector<double> server_rates;
    std::vector<double> echo_rates;
    std::vector<double> ratios;
    std::vector<double> cpu_ratios;
    for (int round = 0; round < kRoundCount; round++) {
        Figures server;
        Figures echo;
        if (!Measure("SEQUENCE_ECHO", {}, {"--echo"}, &echo) ||
            !Measure("SEQUENCE_SERVER", {"--port=0"}, {}, &server)) {
            return 1;
        }
        printf("echo %.0f messages/s, %.2f us CPU each; server %.0f messages/s, %.2f us CPU each\n",
               echo.messages_per_second, echo.cpu_us_per_message, server.messages_per_second,
               server.cpu_us_per_message);
        server_rates.push_back(server.messages_per_second);
        echo_rates.push_back(echo.messages_per_second);
        ratios.push_back(server.messages_per_second / echo.messages_per_second);
        cpu_ratios.push_back(server.cpu_us_per_message / echo.cpu_us_per_message);
    }
    printf("medians: echo %.0f, server %.0f messages/s, ratio %.2f; CPU ratio %.2f\n",
           Median(echo_rates), Median(server_rates), Median(ratios), Median(cpu_ratios));
    return 0;
}
