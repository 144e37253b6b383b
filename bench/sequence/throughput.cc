// The sequence server beside a plain echo of the same messages: messages per second, and the
// server's CPU time for each, under 1000 clients at a time. Runs of the two alternate; the figure
// that counts is the ratio.
//
//   bazel run //bench/sequence:throughput
#include <cstdio>
#include <string>
#include <vector>

#include "bench/measure.h"

namespace {

constexpr int kRoundCount = 5;
bool Compare() {
    const std::string load = bench::BuiltProgram("bench/sequence/load");
    std::vector<double> server_rates, echo_rates, ratios, cpu_ratios;
    for (int round = 0; round < kRoundCount; round++) {
        const bench::MessageFigures echo = bench::MeasureMessages(
            {bench::BuiltProgram("bench/echo"), "--protocol=sequence"}, {load, "--echo"});
        const bench::MessageFigures server = bench::MeasureMessages(
            {bench::BuiltProgram("server/sequence/server"), "--port=0"}, {load});
        std::printf("echo %.0f messages/s, %.2f us CPU each; "
                    "server %.0f messages/s, %.2f us CPU each\n",
                    echo.per_second, echo.cpu_us, server.per_second, server.cpu_us);
        server_rates.push_back(server.per_second);
        echo_rates.push_back(echo.per_second);
        ratios.push_back(server.per_second / echo.per_second);
        cpu_ratios.push_back(server.cpu_us / echo.cpu_us);
    }
    std::printf("medians: echo %.0f, server %.0f messages/s, ratio %.2f; CPU ratio %.2f\n",
                bench::Median(echo_rates), bench::Median(server_rates), bench::Median(ratios),
                bench::Median(cpu_ratios));
    return true;
}

} // namespace

int main(int argc, char **argv) {
    const options line =
        bench::CommandLine("sequence_throughput", nullptr,
                           "Compares the sequence server with a plain echo of the same messages.",
                           "  bazel run //bench/sequence:throughput\n");
    return bench::Main(line, argc, argv, nullptr, Compare);
}
