#include "bench/numbers/load_generator.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace {

constexpr uint32_t kRange = LOAD_GENERATOR_RANGE;

load_generator MakeGenerator(load_order order, uint64_t seed, uint32_t percent,
                             uint32_t first_index) {
    load_generator_options options = {};
    options.order = order;
    options.seed = seed;
    options.duplicates_percent = percent;
    options.first_index = first_index;
    load_generator generator;
    load_generator_init(&generator, &options);
    return generator;
}

std::vector<uint32_t> Fill(const load_generator &generator, uint32_t position, size_t count) {
    std::vector<uint32_t> numbers(count);
    load_generator_fill(&generator, position, numbers.data(), count);
    return numbers;
}

// Marks each number in a bitmap of the whole range; false when one comes a second time.
bool MarkAll(std::vector<bool> *seen, const std::vector<uint32_t> &numbers) {
    for (uint32_t number : numbers) {
        if (number >= kRange || (*seen)[number]) {
            return false;
        }
        (*seen)[number] = true;
    }
    return true;
}

TEST(LoadGenerator, PermutationHasNoRepetitionInLongRunsFromAnywhere) {
    for (uint64_t seed : {0u, 1u, 77u}) {
        std::vector<bool> seen(kRange);
        for (uint32_t first : {0u, 31249u * 1000u, 499999999u, kRange - 1000000u}) {
            load_generator generator = MakeGenerator(LOAD_ORDER_PERMUTATION, seed, 0, first);
            ASSERT_TRUE(MarkAll(&seen, Fill(generator, 0, 1000000))) << seed << " " << first;
        }
    }
}

TEST(LoadGenerator, PermutationStartsAgainAfterTheWholeRange) {
    load_generator from_end = MakeGenerator(LOAD_ORDER_PERMUTATION, 5, 0, kRange - 10);
    load_generator from_start = MakeGenerator(LOAD_ORDER_PERMUTATION, 5, 0, 0);
    std::vector<uint32_t> around = Fill(from_end, 0, 20);
    EXPECT_EQ(std::vector<uint32_t>(around.begin() + 10, around.end()), Fill(from_start, 0, 10));
}

// Runs are computed a row of 31250 at a time; single numbers must be the same ones.
TEST(LoadGenerator, PermutationIsTheSameInRunsAndOneByOne) {
    for (uint32_t first : {0u, 31000u, kRange - 40000u, kRange + 31000u, 4000000000u}) {
        load_generator generator = MakeGenerator(LOAD_ORDER_PERMUTATION, 6, 0, first);
        std::vector<uint32_t> run = Fill(generator, 0, 100000);
        for (uint32_t position = 0; position < run.size(); position++) {
            ASSERT_EQ(run[position], Fill(generator, position, 1)[0]) << first << " " << position;
        }
    }
}

// Counts in equal pieces of the range must scatter as random draws do: variance about equal to
// mean.
TEST(LoadGenerator, RandomOrdersScatterLikeRandomDraws) {
    for (load_order order : {LOAD_ORDER_PERMUTATION, LOAD_ORDER_RANDOM}) {
        const size_t count = 1 << 20, piece_count = 4096;
        std::vector<double> pieces(piece_count), gaps(piece_count);
        std::vector<uint32_t> numbers = Fill(MakeGenerator(order, 9, 0, 123456), 0, count);
        for (size_t i = 0; i < count; i++) {
            uint64_t gap = (numbers[i] + uint64_t{kRange} - numbers[i == 0 ? 0 : i - 1]) % kRange;
            pieces[numbers[i] * uint64_t{piece_count} / kRange] += 1;
            gaps[gap * piece_count / kRange] += 1;
        }
        for (const std::vector<double> &counts : {pieces, gaps}) {
            double mean = double(count) / piece_count, variance = 0;
            for (double value : counts) {
                variance += (value - mean) * (value - mean) / piece_count;
            }
            EXPECT_GT(variance / mean, 0.8) << order;
            EXPECT_LT(variance / mean, 1.2) << order;
        }
    }
}

TEST(LoadGenerator, RandomRepeatsAsOftenAsChanceSays) {
    std::vector<uint32_t> numbers = Fill(MakeGenerator(LOAD_ORDER_RANDOM, 3, 0, 0), 0, 1000000);
    std::set<uint32_t> distinct(numbers.begin(), numbers.end());
    // n^2 / (2 * 10^9) = 500 expected, standard deviation about 22.
    EXPECT_NEAR(double(numbers.size() - distinct.size()), 500, 150);
    EXPECT_LT(*distinct.rbegin(), kRange);
}

TEST(LoadGenerator, SequentialCountsAndWraps) {
    EXPECT_EQ(Fill(MakeGenerator(LOAD_ORDER_SEQUENTIAL, 0, 0, kRange - 2), 0, 4),
              (std::vector<uint32_t>{kRange - 2, kRange - 1, 0, 1}));
}

TEST(LoadGenerator, DuplicatesAreExactlyTheShareAskedForAndRepeatEarlierNumbers) {
    for (load_order order : {LOAD_ORDER_PERMUTATION, LOAD_ORDER_SEQUENTIAL}) {
        for (uint32_t percent : {0u, 1u, 33u, 50u, 99u, 100u}) {
            for (uint32_t count : {1u, 7u, 100u, 12345u}) {
                std::vector<uint32_t> numbers =
                    Fill(MakeGenerator(order, 4, percent, 17), 0, count);
                std::set<uint32_t> distinct(numbers.begin(), numbers.end());
                EXPECT_EQ(distinct.size(), load_generator_fresh_count(count, percent))
                    << percent << " % of " << count;
            }
        }
    }
    EXPECT_EQ(load_generator_fresh_count(1000, 25), 750u);
    EXPECT_EQ(load_generator_fresh_count(1000, 100), 1u);
    EXPECT_EQ(load_generator_fresh_count(0, 100), 0u);
}

TEST(LoadGenerator, SeedDecidesAndBlocksDoNot) {
    for (load_order order : {LOAD_ORDER_PERMUTATION, LOAD_ORDER_RANDOM}) {
        load_generator generator = MakeGenerator(order, 42, 30, 0);
        std::vector<uint32_t> whole = Fill(generator, 0, 5000), blocks;
        for (uint32_t position = 0; position < 5000;) {
            uint32_t count = std::min(5000 - position, 1 + position % 97);
            std::vector<uint32_t> block = Fill(generator, position, count);
            blocks.insert(blocks.end(), block.begin(), block.end());
            position += count;
        }
        EXPECT_EQ(whole, blocks);
        EXPECT_EQ(whole, Fill(MakeGenerator(order, 42, 30, 0), 0, 5000));
        EXPECT_NE(whole, Fill(MakeGenerator(order, 43, 30, 0), 0, 5000));
    }
}

TEST(LoadGenerator, AllKernelsGiveTheSameNumbers) {
    size_t kernel_count;
    const load_generator_kernel_entry *kernels = load_generator_kernels(&kernel_count);
    for (load_order order : {LOAD_ORDER_RANDOM, LOAD_ORDER_SEQUENTIAL, LOAD_ORDER_PERMUTATION}) {
        for (uint32_t percent : {0u, 37u}) {
            load_generator generator = MakeGenerator(order, 8, percent, 999990000);
            std::vector<uint32_t> expected(70001);
            kernels[kernel_count - 1].kernel(&generator.keys, 55, expected.data(), expected.size());
            for (size_t i = 0; i + 1 < kernel_count; i++) {
                if (!kernels[i].supported) {
                    continue;
                }
                std::vector<uint32_t> actual(expected.size());
                kernels[i].kernel(&generator.keys, 55, actual.data(), actual.size());
                EXPECT_EQ(expected, actual) << kernels[i].name;
            }
        }
    }
}

} // namespace
