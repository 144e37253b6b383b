#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <functional>
#include <system_error>

#include "bench/numbers/svg_plot.h"
#include "bench/numbers/throughput.h"

namespace bench {
namespace {

using Figure = double Figures::*;

double MedianOf(const Result &result, Contender contender, Figure figure) {
    std::vector<double> values;
    for (const auto &contenders : result.rounds) {
        values.push_back(contenders[contender].*figure);
    }
    return Median(values);
}

// In million numbers a second.
double MedianRate(const Result &result, Contender contender) {
    return MedianOf(result, contender, &Figures::numbers_per_second) / 1e6;
}

// The server to that baseline, within a round.
Spread Ratios(const Result &result, Contender baseline) {
    std::vector<double> ratios;
    for (const auto &contenders : result.rounds) {
        ratios.push_back(contenders[kServer].numbers_per_second /
                         contenders[baseline].numbers_per_second);
    }
    return Summarize(ratios);
}

void PrintLimit(const char *stage, double limit, double rate) {
    std::printf("%-44s %8.2f M/s %7.2f ns   server at %3.0f %%\n", stage, limit / 1e6, 1e9 / limit,
                rate * 1e6 / limit * 100);
}

std::string DescribeMachine() {
    std::string processor = "unknown processor";
    std::ifstream facts("/proc/cpuinfo");
    for (std::string line; std::getline(facts, line);) {
        if (line.rfind("model name", 0) == 0 && line.find(": ") != std::string::npos) {
            processor = line.substr(line.find(": ") + 2);
            break;
        }
    }
    utsname system{};
    (void)uname(&system);
    const std::string release = system.release;
    return processor + ", " + std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) +
           " processors shared by server and senders, Linux " +
           release.substr(0, release.find_first_not_of("0123456789."));
}

// The server to a contender that only some scenarios or some runs have.
void PrintRatio(const Result &result, Contender contender, const char *name) {
    const Spread ratios = Ratios(result, contender);
    std::printf("%s: %.3f (%.3f..%.3f) of the %s, %.2f", result.scenario->name, ratios.median,
                ratios.least, ratios.greatest, name, MedianRate(result, contender));
}

} // namespace

void PrintRound(const Result &result) {
    const auto &contenders = result.rounds.back();
    const auto rate = [&](Contender contender) {
        return contenders[contender].numbers_per_second / 1e6;
    };
    std::printf("%-21s round %-3zu server %7.2f M/s  baseline %7.2f M/s  ratio %.3f   tuned "
                "baseline %7.2f M/s  ratio %.3f\n",
                result.scenario->name, result.rounds.size(), rate(kServer), rate(kBaseline),
                rate(kServer) / rate(kBaseline), rate(kTunedBaseline),
                rate(kServer) / rate(kTunedBaseline));
    if (result.scenario->log_is_on_disk) {
        std::printf("%-21s          past the page cache: baseline %7.2f M/s  ratio %.3f\n", "",
                    rate(kDirectBaseline), rate(kServer) / rate(kDirectBaseline));
    }
    if (rate(kWatchedServer) > 0) {
        std::printf("%-21s          a browser on its page: server %7.2f M/s  ratio %.3f   CPU "
                    "%.2f ns a number, %.2f without\n",
                    "", rate(kWatchedServer), rate(kServer) / rate(kWatchedServer),
                    contenders[kWatchedServer].server_cpu_ns, contenders[kServer].server_cpu_ns);
    }
    std::fflush(stdout);
}

void PrintRatios(const std::vector<Result> &results) {
    std::printf("\nRatios are medians of the rounds, with the least and the greatest; rates are "
                "million numbers a second.\n\n"
                "%-21s  %-22s  %-22s  %8s %8s %8s\n%-21s  %6s  %-14s  %6s  %-14s  %8s %8s %8s\n",
                "", "ratio to the baseline", "to the tuned baseline", "", "", "tuned", "scenario",
                "median", "(min..max)", "median", "(min..max)", "server", "baseline", "baseline");
    for (const Result &result : results) {
        std::printf("%-21s", result.scenario->name);
        for (const Contender baseline : {kBaseline, kTunedBaseline}) {
            const Spread ratios = Ratios(result, baseline);
            std::printf("  %6.3f  (%5.3f..%5.3f)", ratios.median, ratios.least, ratios.greatest);
        }
        std::printf("  ");
        for (const Contender contender : {kServer, kBaseline, kTunedBaseline}) {
            std::printf(" %8.2f", MedianRate(result, contender));
        }
        std::printf("\n");
    }
    for (const Result &result : results) {
        if (result.scenario->log_is_on_disk) {
            PrintRatio(result, kDirectBaseline, "baseline past the page cache");
            std::printf(", which waits for the disk\n");
        }
    }
    for (const Result &result : results) {
        if (MedianRate(result, kWatchedServer) > 0) {
            PrintRatio(result, kWatchedServer, "server with a browser on its page");
            std::printf("; CPU time of the server %.2f ns a number, %.2f with the browser\n",
                        MedianOf(result, kServer, &Figures::server_cpu_ns),
                        MedianOf(result, kWatchedServer, &Figures::server_cpu_ns));
        }
    }
}

void PrintStages(const std::vector<Result> &results) {
    std::printf("\nCPU time in ns a number, by the server's threads, and beside it the sender's "
                "and the baseline's\n\n%-21s %13s %13s %13s %13s %8s %8s %9s %12s\n",
                "scenario", "receive", "parse+stage", "insert+format", "write", "server", "sender",
                "baseline", "peak memory");
    for (const Result &result : results) {
        std::printf("%-21s", result.scenario->name);
        for (const Figure stage : {&Figures::receive_cpu_ns, &Figures::parse_cpu_ns,
                                   &Figures::insert_cpu_ns, &Figures::write_cpu_ns}) {
            std::printf(" %13.2f", MedianOf(result, kServer, stage));
        }
        std::printf(" %8.2f %8.2f %9.2f %8.0f MiB\n",
                    MedianOf(result, kServer, &Figures::server_cpu_ns),
                    MedianOf(result, kServer, &Figures::sender_cpu_ns),
                    MedianOf(result, kBaseline, &Figures::server_cpu_ns),
                    MedianOf(result, kServer, &Figures::peak_memory_mib));
    }
}

void PrintLimits(const MachineLimits &limits, const Result &result) {
    const double rate = MedianRate(result, kServer);
    std::printf("\nThe machine's limits, one stage at a time, and how near the server comes to them"
                " (scenario %s)\n",
                result.scenario->name);
    PrintLimit("receive only, 5 clients", limits.receive, rate);
    PrintLimit("write only, memory file system", limits.write_memory, rate);
    PrintLimit("write only, disk (through the page cache)", limits.write_disk, rate);
    PrintLimit("random map updates only, one thread", limits.map_updates, rate);
}

void CheckPlot(const std::string &path) {
    if (!std::ofstream(path, std::ios::app)) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

void DrawRatios(const std::string &path, const std::string &run,
                const std::vector<Result> &results) {
    std::vector<svg_plot_bar> bars;
    for (const Result &result : results) {
        const Spread ratios = Ratios(result, kBaseline);
        bars.push_back({result.scenario->name, result.scenario->description, ratios.least,
                        ratios.median, ratios.greatest});
    }
    const std::string machine = DescribeMachine();
    const svg_plot plot = {
        "Numbers server: throughput as a share of what the machine can do",
        "1 = a program that only receives, 64 KiB at a time, and stores the same bytes. Bar: "
        "median; whisker: least and greatest round.",
        "numbers a second, ratio to the baseline in the same round",
        {machine.c_str(), run.c_str()},
        bars.data(),
        bars.size()};
    FILE *stream = std::fopen(path.c_str(), "we");
    const bool is_written = stream != nullptr && svg_plot_write(&plot, stream);
    if (stream == nullptr || std::fclose(stream) != 0 || !is_written) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

} // namespace bench
