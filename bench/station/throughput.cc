// The station beside servers of the same method by grpc-go and grpcio: messages per second, and the
// server's CPU time for each, on one stream and on a thousand. Runs of them alternate; the figures
// that count are the ratios.
//
//   bazel run //bench/station:throughput
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "testing/files.h"

namespace {

constexpr int kRoundCount = 5;
constexpr std::chrono::minutes kPatience{5};

// Absolute paths of what is not built: the program starts where bazel has put them.
struct Sources {
    std::string folder = std::filesystem::absolute("bench/station/");
    std::string protos = std::filesystem::absolute("server/station/protos");
};

struct Contestant {
    std::string name;
    std::vector<std::string> command;
    std::vector<double> rates;
    std::vector<double> costs;
};

// Go's linker needs more than a moment; the program is gone with the directory.
std::string BuildGoServer(const harness::TemporaryDirectory &directory, const Sources &sources) {
    const std::string program = directory.File("grpc_go_server");
    bench::Run({"/usr/bin/env", "GO111MODULE=off", "GOPATH=/usr/share/gocode", "CGO_ENABLED=0",
                "GOCACHE=" + directory.File("cache"), "/usr/bin/go", "build", "-o", program,
                sources.folder + "grpc_go_server.go"},
               kPatience);
    return program;
}

std::vector<Contestant> FindContestants(const harness::TemporaryDirectory &directory,
                                        const Sources &sources) {
    std::vector<Contestant> contestants = {{"station",
                                            {bench::BuiltProgram("server/station/server"),
                                             "--port=0", "--tick=0", "--max-sessions=1000000"},
                                            {},
                                            {}}};
    if (access("/usr/bin/go", X_OK) == 0 &&
        access("/usr/share/gocode/src/google.golang.org/grpc", R_OK) == 0) {
        contestants.push_back({"grpc-go", {BuildGoServer(directory, sources)}, {}, {}});
    } else {
        std::printf("grpc-go is left out: install golang-go and golang-google-grpc-dev\n");
    }
    if (access("/usr/lib/python3/dist-packages/grpc", R_OK) == 0) {
        contestants.push_back(
            {"grpcio",
             {"/usr/bin/python3", sources.folder + "grpcio_server.py", sources.protos},
             {},
             {}});
    } else {
        std::printf("grpcio is left out: install python3-grpcio\n");
    }
    return contestants;
}

void Compare(std::vector<Contestant> contestants, int stream_count) {
    for (int round = 0; round < kRoundCount; round++) {
        for (Contestant &contestant : contestants) {
            const bench::MessageFigures figures = bench::MeasureMessages(
                contestant.command, {bench::BuiltProgram("bench/station/load"),
                                     "--streams=" + std::to_string(stream_count), "--seconds=1.5"});
            contestant.rates.push_back(figures.per_second);
            contestant.costs.push_back(figures.cpu_us);
        }
    }
    std::printf("%d stream%s, medians of %d rounds:\n", stream_count, stream_count > 1 ? "s" : "",
                kRoundCount);
    const double own_rate = bench::Median(contestants[0].rates);
    const double own_cost = bench::Median(contestants[0].costs);
    for (const Contestant &contestant : contestants) {
        const double rate = bench::Median(contestant.rates);
        const double cost = bench::Median(contestant.costs);
        std::printf("  %-8s %10.0f messages/s  %7.3f us CPU each; the station has %.1f times the "
                    "rate at %.3f of the CPU\n",
                    contestant.name.c_str(), rate, cost, own_rate / rate, own_cost / cost);
    }
    std::fflush(stdout);
}

bool CompareAll(const Sources &sources) {
    const harness::TemporaryDirectory directory;
    const std::vector<Contestant> contestants = FindContestants(directory, sources);
    Compare(contestants, 1);
    Compare(contestants, 1000);
    return true;
}

} // namespace

int main(int argc, char **argv) {
    const options line = bench::CommandLine(
        "throughput", nullptr, "Compares the station with servers by grpc-go and grpcio.",
        "  bazel run //bench/station:throughput\n");
    const Sources sources; // before the working directory becomes the user's
    return bench::Main(line, argc, argv, nullptr, [&sources] { return CompareAll(sources); });
}
