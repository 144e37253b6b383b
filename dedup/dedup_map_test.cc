#include "dedup/dedup_map.h"

#include <algorithm>
#include <set>
#include <vector>

#include "dedup/zeroed_memory.h"
#include "gtest/gtest.h"

namespace {

const uint32_t kLast = DEDUP_NUMBER_COUNT - 1;
using Numbers = std::vector<uint32_t>;

class DedupMapTest : public testing::Test {
  protected:
    DedupMapTest() : memory_(dedup_map_size()) {
        dedup_map_init(&map_, memory_.data());
    }

    Numbers Insert(const Numbers &numbers) {
        Numbers new_numbers(numbers.size());
        new_numbers.resize(
            dedup_map_insert_batch(&map_, numbers.data(), numbers.size(), new_numbers.data()));
        return new_numbers;
    }

    ZeroedMemory memory_;
    dedup_map map_;
};

TEST_F(DedupMapTest, IsEmptyAtFirst) {
    EXPECT_FALSE(dedup_map_contains(&map_, 0));
    EXPECT_FALSE(dedup_map_contains(&map_, kLast));
}

TEST_F(DedupMapTest, InsertsNothing) {
    EXPECT_EQ(dedup_map_insert_batch(&map_, nullptr, 0, nullptr), 0u);
}

TEST_F(DedupMapTest, ReportsEachNumberOnceInTheOrderOfArrival) {
    EXPECT_EQ(Insert({7, 0, 7, kLast, 0, 3}), (Numbers{7, 0, kLast, 3}));
    EXPECT_EQ(Insert({3, 4, kLast, 7}), (Numbers{4}));
}

TEST_F(DedupMapTest, IsEmptyWhenCleared) {
    const Numbers numbers{0, 1, 63, 64, kLast / 2, kLast};
    EXPECT_EQ(Insert(numbers), numbers);
    dedup_map_clear(&map_);
    for (uint32_t number : numbers) {
        EXPECT_FALSE(dedup_map_contains(&map_, number));
    }
    EXPECT_EQ(Insert(numbers), numbers);
}

TEST_F(DedupMapTest, TouchesNoNeighbour) {
    for (uint32_t number : {0u, 1u, 63u, 64u, 1023u, 1024u, kLast / 2, kLast - 1}) {
        ZeroedMemory memory(dedup_map_size());
        dedup_map map;
        dedup_map_init(&map, memory.data());
        Numbers new_numbers(1);
        ASSERT_EQ(dedup_map_insert_batch(&map, &number, 1, new_numbers.data()), 1u);
        for (uint32_t distance = 1; distance <= 2048; distance++) {
            if (distance <= number) {
                ASSERT_FALSE(dedup_map_contains(&map, number - distance));
            }
            if (number + distance <= kLast) {
                ASSERT_FALSE(dedup_map_contains(&map, number + distance));
            }
        }
        EXPECT_TRUE(dedup_map_contains(&map, number));
    }
}

TEST_F(DedupMapTest, InsertsInPlace) {
    Numbers numbers{5, 5, 6, 5, 6, kLast};
    numbers.resize(dedup_map_insert_batch(&map_, numbers.data(), numbers.size(), numbers.data()));
    EXPECT_EQ(numbers, (Numbers{5, 6, kLast}));
}

// The first and the last numbers of the map, all of them in the tiny build: each has a bit of its
// own inside the map's memory.
TEST_F(DedupMapTest, HasABitForEveryNumber) {
    const uint32_t span = std::min<uint32_t>(DEDUP_NUMBER_COUNT, 1 << 20);
    std::set<std::pair<size_t, uint32_t>> bits;
    for (uint32_t i = 0; i < span; i++) {
        for (uint32_t number : {i, kLast - i}) {
            ASSERT_LT(dedup_bucket_of(number), unsigned{DEDUP_BUCKET_COUNT});
            ASSERT_LT(dedup_word_of(number), unsigned{DEDUP_PIECE_WORD_COUNT});
        }
        if (i < 5000)
            bits.insert({dedup_bucket_of(i) * size_t{DEDUP_PIECE_WORD_COUNT} + dedup_word_of(i),
                         dedup_shift_of(i)});
    }
    EXPECT_EQ(bits.size(), std::min<size_t>(span, 5000));
    Numbers all;
    for (uint32_t i = 0; i < span; i++)
        all.push_back(i);
    EXPECT_EQ(Insert(all), all);
    EXPECT_EQ(Insert(all), Numbers{});
}

TEST_F(DedupMapTest, AgreesWithASetOnRandomNumbers) {
    std::set<uint32_t> seen;
    uint64_t state = 1;
    for (int batch = 0; batch < 50; batch++) {
        Numbers numbers, expected;
        for (int i = 0; i < batch * 13; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            // Squaring a fraction makes small numbers frequent, so that there are duplicates.
            const double fraction = double(state >> 33) / double(UINT64_C(1) << 31);
            numbers.push_back(uint32_t(fraction * fraction * fraction * DEDUP_NUMBER_COUNT));
            if (seen.insert(numbers.back()).second)
                expected.push_back(numbers.back());
        }
        ASSERT_EQ(Insert(numbers), expected);
    }
    for (uint32_t number : seen)
        ASSERT_TRUE(dedup_map_contains(&map_, number));
}

} // namespace
