// Lines and bytes a second of each parser kernel, beside memcpy of the same bytes as the limit.
//
// Two buffer sizes: one that stays in the second-level cache with its numbers, as what recv has
// just copied does, and one that comes from memory.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "parser/line_parser.h"

namespace {

constexpr size_t kCachedLineCount = 25000; // 250 kB of text, 100 kB of numbers
constexpr size_t kMemoryLineCount = 40000000;

std::string RandomLines(size_t line_count) {
    std::string text(line_count * LINE_PARSER_LINE_SIZE, '\n');
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < line_count; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        uint64_t number = state % 1000000000u;
        for (size_t digit = LINE_PARSER_LINE_SIZE - 1; digit-- > 0; number /= 10) {
            text[i * LINE_PARSER_LINE_SIZE + digit] = static_cast<char>('0' + number % 10);
        }
    }
    return text;
}

const std::string &Text(size_t line_count) {
    static const std::string cached = RandomLines(kCachedLineCount);
    if (line_count == kCachedLineCount) {
        return cached;
    }
    static const std::string memory = RandomLines(kMemoryLineCount);
    return memory;
}

void CountLines(benchmark::State &state, const std::string &text) {
    const int64_t iterations = static_cast<int64_t>(state.iterations());
    const int64_t line_count = static_cast<int64_t>(text.size() / LINE_PARSER_LINE_SIZE);
    state.SetItemsProcessed(iterations * line_count);
    state.SetBytesProcessed(iterations * static_cast<int64_t>(text.size()));
}

void Parse(benchmark::State &state, const std::string &kernel_name, size_t line_count) {
    line_parser parser = {};
    if (line_parser_select(&parser, kernel_name.c_str()) != LINE_PARSER_SELECTED) {
        state.SkipWithError("kernel not supported");
        return;
    }
    const std::string &text = Text(line_count);
    std::vector<uint32_t> numbers(line_count + LINE_PARSER_SLACK_COUNT);
    for (auto _ : state) {
        const line_parser_result result =
            line_parser_parse(&parser, text.data(), text.size(), numbers.data());
        if (result.number_count != line_count) {
            state.SkipWithError("a line was not parsed");
            return;
        }
        benchmark::ClobberMemory();
    }
    CountLines(state, text);
}

void Copy(benchmark::State &state, size_t line_count) {
    const std::string &text = Text(line_count);
    std::string copy(text.size(), '\0');
    for (auto _ : state) {
        std::memcpy(&copy[0], text.data(), text.size());
        benchmark::DoNotOptimize(copy.data());
        benchmark::ClobberMemory();
    }
    CountLines(state, text);
}

void RegisterSize(const std::string &size_name, size_t line_count) {
    benchmark::RegisterBenchmark(("memcpy/" + size_name).c_str(), Copy, line_count);
    for (size_t i = 0; i < line_parser_supported_count(); i++) {
        const std::string kernel_name = line_parser_supported_name(i);
        benchmark::RegisterBenchmark((kernel_name + "/" + size_name).c_str(), Parse, kernel_name,
                                     line_count);
    }
}

} // namespace

int main(int argc, char **argv) {
    RegisterSize("cache", kCachedLineCount);
    RegisterSize("memory", kMemoryLineCount);
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
