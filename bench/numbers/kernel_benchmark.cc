// Lines and bytes a second of each kernel of the line parser and of the number formatter, beside
// memcpy of the same bytes as the limit.
//
// Three sizes of text: one that stays in the first-level cache; one that stays in the second-level
// cache with its numbers, as what recv has just copied does; and one that goes to memory.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "bench/numbers/load_generator.h"
#include "formatter/number_formatter.h"
#include "parser/line_parser.h"

namespace {

constexpr size_t kLineCounts[] = {2000, 25000, 10000000};
constexpr size_t kLineSize = LINE_PARSER_LINE_SIZE;
static_assert(kLineSize == NUMBER_FORMATTER_LINE_SIZE, "both mean the same lines");

// Numbers and their lines, with the room behind them that the kernels need.
struct Texts {
    Texts(size_t line_count, const char *formatter_kernel)
        : numbers(line_count + LINE_PARSER_SLACK_COUNT),
          lines(line_count * kLineSize + NUMBER_FORMATTER_SLACK_SIZE) {
        const load_generator_options options = {LOAD_ORDER_PERMUTATION, 0, 0, 0};
        load_generator generator;
        load_generator_init(&generator, &options);
        load_generator_fill(&generator, 0, numbers.data(), line_count);
        // Cannot fail: it is one of the supported names, or none.
        (void)number_formatter_select(&formatter, formatter_kernel);
        number_formatter_format(&formatter, numbers.data(), line_count, lines.data());
    }

    number_formatter formatter = {};
    std::vector<uint32_t> numbers;
    std::vector<char> lines;
};

void CountLines(benchmark::State &state, size_t line_count) {
    const auto lines = static_cast<int64_t>(state.iterations() * line_count);
    state.SetItemsProcessed(lines);
    state.SetBytesProcessed(lines * static_cast<int64_t>(kLineSize));
}

void Copy(benchmark::State &state, size_t line_count) {
    const Texts texts(line_count, nullptr);
    std::vector<char> copy(line_count * kLineSize);
    for (auto _ : state) {
        std::memcpy(copy.data(), texts.lines.data(), copy.size());
        benchmark::DoNotOptimize(copy.data());
        benchmark::ClobberMemory();
    }
    CountLines(state, line_count);
}

void Parse(benchmark::State &state, const char *kernel, size_t line_count) {
    Texts texts(line_count, nullptr);
    line_parser parser = {};
    (void)line_parser_select(&parser, kernel);
    for (auto _ : state) {
        const line_parser_result result = line_parser_parse(
            &parser, texts.lines.data(), line_count * kLineSize, texts.numbers.data());
        if (result.number_count != line_count) {
            state.SkipWithError("a line was not parsed");
            return;
        }
        benchmark::ClobberMemory();
    }
    CountLines(state, line_count);
}

void Format(benchmark::State &state, const char *kernel, size_t line_count) {
    Texts texts(line_count, kernel);
    for (auto _ : state) {
        number_formatter_format(&texts.formatter, texts.numbers.data(), line_count,
                                texts.lines.data());
        benchmark::DoNotOptimize(texts.lines.data());
        benchmark::ClobberMemory();
    }
    CountLines(state, line_count);
}

bool RegisterAll() {
    for (size_t line_count : kLineCounts) {
        const std::string suffix = "/" + std::to_string(line_count) + "_lines";
        benchmark::RegisterBenchmark(("memcpy" + suffix).c_str(), Copy, line_count);
        for (size_t i = 0; i < line_parser_supported_count(); i++) {
            const char *kernel = line_parser_supported_name(i);
            const std::string name = std::string("parser/") + kernel + suffix;
            benchmark::RegisterBenchmark(name.c_str(), Parse, kernel, line_count);
        }
        for (size_t i = 0; i < number_formatter_supported_count(); i++) {
            const char *kernel = number_formatter_supported_name(i);
            const std::string name = std::string("formatter/") + kernel + suffix;
            benchmark::RegisterBenchmark(name.c_str(), Format, kernel, line_count);
        }
    }
    return true;
}

[[maybe_unused]] const bool are_registered = RegisterAll();

} // namespace
