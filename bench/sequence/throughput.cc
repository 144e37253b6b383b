// The sequence server beside a plain echo of the same messages: messages per second, and the
// server's CPU time for each, under 1000 clients at a time. Runs of the two alternate; the figure
// that counts is the ratio.
//
//   bazel run //bench/sequence:throughput
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/measure.h"

namespace {

constexpr int kRoundCount = 5;
constexpr std::chrono::minutes kPatience{2};

struct Figures {
    double messages_per_second;
    double cpu_us_per_message;
};

Figures Measure(const std::vector<std::string> &command, std::vector<std::string> load_arguments) {
    bench::Server server(command);
    load_arguments.insert(load_arguments.begin(), bench::BuiltProgram("bench/sequence/load"));
    load_arguments.push_back("--port=" + std::to_string(server.port()));
    const double cpu_before = server.CpuSeconds();
    const std::string summary = bench::Run(load_arguments, kPatience);
    const double cpu_seconds = server.CpuSeconds() - cpu_before;
    unsigned long message_count = 0;
    double seconds = 0;
    if (std::sscanf(summary.c_str(), "%*u clients done, %lu messages in %lf s", &message_count,
                    &seconds) != 2) {
        throw std::runtime_error("the load says: " + summary);
    }
    return {static_cast<double>(message_count) / seconds,
            cpu_seconds * 1e6 / static_cast<double>(message_count)};
}

bool Compare() {
    std::vector<double> server_rates;
    std::vector<double> echo_rates;
    std::vector<double> ratios;
    std::vector<double> cpu_ratios;
    for (int round = 0; round < kRoundCount; round++) {
        const Figures echo =
            Measure({bench::BuiltProgram("bench/echo"), "--protocol=sequence"}, {"--echo"});
        const Figures server =
            Measure({bench::BuiltProgram("server/sequence/server"), "--port=0"}, {});
        std::printf("echo %.0f messages/s, %.2f us CPU each; "
                    "server %.0f messages/s, %.2f us CPU each\n",
                    echo.messages_per_second, echo.cpu_us_per_message, server.messages_per_second,
                    server.cpu_us_per_message);
        server_rates.push_back(server.messages_per_second);
        echo_rates.push_back(echo.messages_per_second);
        ratios.push_back(server.messages_per_second / echo.messages_per_second);
        cpu_ratios.push_back(server.cpu_us_per_message / echo.cpu_us_per_message);
    }
    std::printf("medians: echo %.0f, server %.0f messages/s, ratio %.2f; CPU ratio %.2f\n",
                bench::Median(echo_rates), bench::Median(server_rates), bench::Median(ratios),
                bench::Median(cpu_ratios));
    return true;
}

} // namespace

int main(int argc, char **argv) {
    const options line = {"sequence_throughput",
                          nullptr,
                          "Compares the sequence server with a plain echo of the same messages.",
                          "  bazel run //bench/sequence:throughput\n",
                          nullptr,
                          "sequence_throughput 1.0.0",
                          nullptr,
                          0};
    return bench::Main(
        line, argc, argv, [](int) { return OPTIONS_RUN; }, Compare);
}
