// Lines and bytes a second of each kernel of the number formatter, beside memcpy of the same bytes
// as the limit.
//
// Three sizes of block: one that stays in the first-level cache, one in the second-level cache,
// and one that goes to memory.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "formatter/number_formatter.h"

namespace {

constexpr size_t kLineCounts[] = {2000, 50000, 10000000};

std::vector<uint32_t> RandomNumbers(size_t count) {
    std::vector<uint32_t> numbers(count);
    uint64_t state = 88172645463325252u;
    for (uint32_t &number : numbers) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        number = static_cast<uint32_t>(state % 1000000000u);
    }
    return numbers;
}

void CountLines(benchmark::State &state, size_t line_count) {
    const int64_t lines =
        static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(line_count);
    state.SetItemsProcessed(lines);
    state.SetBytesProcessed(lines * NUMBER_FORMATTER_LINE_SIZE);
}

void Format(benchmark::State &state, const char *kernel_name, size_t line_count) {
    number_formatter formatter = {};
    if (number_formatter_select(&formatter, kernel_name) != NUMBER_FORMATTER_SELECTED) {
        state.SkipWithError("kernel not supported");
        return;
    }
    const std::vector<uint32_t> numbers = RandomNumbers(line_count);
    std::vector<char> lines(line_count * NUMBER_FORMATTER_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE);
    for (auto _ : state) {
        number_formatter_format(&formatter, numbers.data(), line_count, lines.data());
        benchmark::DoNotOptimize(lines.data());
        benchmark::ClobberMemory();
    }
    CountLines(state, line_count);
}

void Copy(benchmark::State &state, size_t line_count) {
    const std::vector<char> source(line_count * NUMBER_FORMATTER_LINE_SIZE, '0');
    std::vector<char> lines(source.size());
    for (auto _ : state) {
        std::memcpy(lines.data(), source.data(), source.size());
        benchmark::DoNotOptimize(lines.data());
        benchmark::ClobberMemory();
    }
    CountLines(state, line_count);
}

} // namespace

int main(int argc, char **argv) {
    for (size_t line_count : kLineCounts) {
        const std::string suffix = "/" + std::to_string(line_count) + "_lines";
        for (size_t i = 0; i < number_formatter_supported_count(); i++) {
            const char *name = number_formatter_supported_name(i);
            benchmark::RegisterBenchmark((name + suffix).c_str(), Format, name, line_count);
        }
        benchmark::RegisterBenchmark(("memcpy" + suffix).c_str(), Copy, line_count);
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
