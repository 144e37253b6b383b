#include "dedup/stage.h"

#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "dedup/zeroed_memory.h"
#include "gtest/gtest.h"

namespace {

const uint32_t kLast = DEDUP_NUMBER_COUNT - 1;
using Numbers = std::vector<uint32_t>;

// The index-th number of one bucket, in ascending order.
uint32_t NumberInBucket(uint32_t bucket_index, uint32_t index) {
    for (uint32_t low = 0; low < DEDUP_BUCKET_COUNT; low++) {
        const uint32_t number = index * uint32_t{DEDUP_BUCKET_COUNT} + low;
        if (dedup_bucket_of(number) == bucket_index)
            return number;
    }
    ADD_FAILURE() << "bucket " << bucket_index << " has no number of index " << index;
    return 0;
}

class StageTest : public testing::Test {
  protected:
    StageTest() : map_memory_(dedup_map_size()) {
        dedup_map_init(&map_, map_memory_.data());
    }

    Numbers InsertBucket(const dedup_stage &stage, size_t bucket_index) {
        Numbers new_numbers(dedup_stage_bucket_count(&stage, bucket_index));
        new_numbers.resize(
            dedup_map_insert_bucket(&map_, &stage, bucket_index, new_numbers.data()));
        return new_numbers;
    }

    Numbers InsertAll(const dedup_stage &stage) {
        Numbers all;
        for (size_t bucket_index = 0; bucket_index < DEDUP_BUCKET_COUNT; bucket_index++) {
            const Numbers new_numbers = InsertBucket(stage, bucket_index);
            all.insert(all.end(), new_numbers.begin(), new_numbers.end());
        }
        return all;
    }

    // Puts all numbers through the stage, as often as it is full, and returns the new ones sorted.
    Numbers Pass(dedup_stage *stage, const Numbers &numbers) {
        Numbers all;
        for (size_t done = 0; done < numbers.size();) {
            done += dedup_stage_add(stage, numbers.data() + done, numbers.size() - done);
            const Numbers new_numbers = InsertAll(*stage);
            all.insert(all.end(), new_numbers.begin(), new_numbers.end());
            dedup_stage_clear(stage);
        }
        std::sort(all.begin(), all.end());
        return all;
    }

    ZeroedMemory map_memory_;
    dedup_map map_;
};

class StageMemory {
  public:
    explicit StageMemory(size_t bucket_capacity) : memory_(dedup_stage_size(bucket_capacity)) {
        dedup_stage_init(&stage, memory_.data(), bucket_capacity);
    }
    dedup_stage stage;

  private:
    ZeroedMemory memory_;
};

TEST_F(StageTest, IsEmptyAtFirstAndAfterClear) {
    StageMemory memory(3);
    EXPECT_EQ(dedup_stage_count(&memory.stage), 0u);
    const Numbers numbers{1, 2, 3};
    EXPECT_EQ(dedup_stage_add(&memory.stage, numbers.data(), 3), 3u);
    EXPECT_EQ(dedup_stage_count(&memory.stage), 3u);
    dedup_stage_clear(&memory.stage);
    EXPECT_EQ(dedup_stage_count(&memory.stage), 0u);
    EXPECT_EQ(InsertAll(memory.stage), Numbers{});
}

TEST_F(StageTest, KeepsTheOrderWithinABucketAndReportsEachNumberOnce) {
    StageMemory memory(10);
    const uint32_t a = NumberInBucket(3, 5), b = NumberInBucket(3, 2), c = NumberInBucket(3, 9);
    const Numbers numbers{a, b, a, c, b};
    ASSERT_EQ(dedup_stage_add(&memory.stage, numbers.data(), numbers.size()), numbers.size());
    EXPECT_EQ(dedup_stage_bucket_count(&memory.stage, 3), 5u);
    EXPECT_EQ(InsertBucket(memory.stage, 3), (Numbers{a, b, c}));
    EXPECT_EQ(InsertBucket(memory.stage, 3), Numbers{});
    for (uint32_t number : numbers)
        EXPECT_TRUE(dedup_map_contains(&map_, number));
}

// Every bucket, at every small capacity: filled exactly, then one more offered, which must be
// refused and change nothing.
TEST_F(StageTest, TakesExactlyItsCapacityInEveryBucket) {
    for (size_t capacity : {1u, 2u, 15u, 16u, 17u, 33u, 48u}) {
        StageMemory memory(capacity);
        for (uint32_t bucket_index = 0; bucket_index < DEDUP_BUCKET_COUNT; bucket_index++) {
            const Numbers numbers(capacity + 1, NumberInBucket(bucket_index, 1));
            ASSERT_EQ(dedup_stage_add(&memory.stage, numbers.data(), capacity), capacity);
            ASSERT_EQ(dedup_stage_add(&memory.stage, numbers.data(), 1), 0u);
            ASSERT_EQ(dedup_stage_bucket_count(&memory.stage, bucket_index), capacity);
        }
        ASSERT_EQ(dedup_stage_count(&memory.stage), capacity * DEDUP_BUCKET_COUNT);
        ZeroedMemory map_memory(dedup_map_size());
        dedup_map_init(&map_, map_memory.data());
        for (uint32_t bucket_index = 0; bucket_index < DEDUP_BUCKET_COUNT; bucket_index++) {
            ASSERT_EQ(InsertBucket(memory.stage, bucket_index),
                      Numbers{NumberInBucket(bucket_index, 1)});
        }
    }
    dedup_map_init(&map_, map_memory_.data());
}

// The refused number may be anywhere in the batch: what is before it is staged, what is after it is
// not.
TEST_F(StageTest, StopsAtTheFirstNumberWithoutRoom) {
    const uint32_t full = NumberInBucket(1, 0);
    for (size_t before = 0; before < 70; before++) {
        StageMemory memory(100);
        const Numbers filling(100, full);
        ASSERT_EQ(dedup_stage_add(&memory.stage, filling.data(), 100), 100u);
        Numbers numbers(before, NumberInBucket(2, 3));
        numbers.push_back(full);
        numbers.resize(130, NumberInBucket(0, 4));
        ASSERT_EQ(dedup_stage_add(&memory.stage, numbers.data(), numbers.size()), before);
        ASSERT_EQ(dedup_stage_count(&memory.stage), 100 + before);
        ASSERT_EQ(dedup_stage_bucket_count(&memory.stage, 2), before);
        ASSERT_EQ(dedup_stage_bucket_count(&memory.stage, 0), 0u);
    }
}

TEST_F(StageTest, PassesIdenticalNumbers) {
    StageMemory memory(11);
    EXPECT_EQ(Pass(&memory.stage, Numbers(1000, kLast)), Numbers{kLast});
    EXPECT_EQ(Pass(&memory.stage, Numbers(1000, 0)), Numbers{0});
}

TEST_F(StageTest, PassesSequentialNumbersFromBothEnds) {
    const uint32_t span = std::min<uint32_t>(DEDUP_NUMBER_COUNT, 300000);
    for (uint32_t first : {0u, DEDUP_NUMBER_COUNT - span}) {
        ZeroedMemory map_memory(dedup_map_size());
        dedup_map_init(&map_, map_memory.data());
        Numbers numbers(span);
        std::iota(numbers.begin(), numbers.end(), first);
        StageMemory memory(40);
        EXPECT_EQ(Pass(&memory.stage, numbers), numbers);
        EXPECT_EQ(Pass(&memory.stage, numbers), Numbers{});
    }
    dedup_map_init(&map_, map_memory_.data());
}

// So many numbers for each bucket that they are inserted in the way for dense buckets.
TEST_F(StageTest, PassesDenseBuckets) {
    const size_t per_bucket = DEDUP_PIECE_LINE_COUNT + 13;
    const auto span =
        uint32_t(std::min<size_t>(DEDUP_NUMBER_COUNT, per_bucket * DEDUP_BUCKET_COUNT));
    Numbers numbers(span);
    std::iota(numbers.begin(), numbers.end(), DEDUP_NUMBER_COUNT - span);
    StageMemory memory(per_bucket);
    EXPECT_EQ(Pass(&memory.stage, numbers), numbers);
    EXPECT_EQ(Pass(&memory.stage, numbers), Numbers{});
}

// Sequential numbers and power-of-two strides must not crowd into a few buckets, which would make
// the stage full early.
TEST_F(StageTest, SpreadsStridesOverAllBuckets) {
    const uint32_t per_bucket = 8;
    const uint32_t count = per_bucket * DEDUP_BUCKET_COUNT;
    for (uint32_t stride = 1; (count - 1) * uint64_t{stride} < DEDUP_NUMBER_COUNT; stride *= 2) {
        StageMemory memory(2 * per_bucket);
        Numbers numbers(count);
        for (uint32_t i = 0; i < count; i++)
            numbers[i] = i * stride;
        EXPECT_EQ(dedup_stage_add(&memory.stage, numbers.data(), count), count) << stride;
    }
}

TEST_F(StageTest, AgreesWithTheDirectWayOnRandomNumbers) {
    ZeroedMemory direct_memory(dedup_map_size());
    dedup_map direct;
    dedup_map_init(&direct, direct_memory.data());
    StageMemory memory(50);
    uint64_t state = 7;
    for (int round = 0; round < 20; round++) {
        Numbers numbers(5000);
        for (uint32_t &number : numbers) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const double fraction = double(state >> 33) / double(UINT64_C(1) << 31);
            number = uint32_t(fraction * fraction * DEDUP_NUMBER_COUNT);
        }
        Numbers expected(numbers.size());
        expected.resize(
            dedup_map_insert_batch(&direct, numbers.data(), numbers.size(), expected.data()));
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(Pass(&memory.stage, numbers), expected);
    }
}

TEST_F(StageTest, CapacityForSizeIsTheGreatestThatFits) {
    EXPECT_EQ(dedup_stage_capacity_for_size(0), 0u);
    EXPECT_EQ(dedup_stage_capacity_for_size(dedup_stage_size(1) - 1), 0u);
    for (size_t size = dedup_stage_size(1); size < dedup_stage_size(100); size += 61) {
        const size_t capacity = dedup_stage_capacity_for_size(size);
        ASSERT_GE(capacity, 1u);
        ASSERT_LE(dedup_stage_size(capacity), size);
        ASSERT_GT(dedup_stage_size(capacity + 1), size);
    }
}

// Every number there is, each twice, the second time in another order: too long for every day, see
// //dedup:all_numbers_test.
TEST_F(StageTest, DISABLED_PassesAllNumbers) {
    const size_t per_bucket = std::min(20000, DEDUP_NUMBER_COUNT);
    StageMemory memory(per_bucket);
    Numbers numbers(20000), new_numbers(per_bucket);
    for (const uint64_t factor :
         {UINT64_C(1), UINT64_C(7919)}) { // coprime to the number of numbers
        uint64_t new_count = 0, index = 0;
        while (index < DEDUP_NUMBER_COUNT || dedup_stage_count(&memory.stage) > 0) {
            numbers.clear();
            while (numbers.size() < 20000 && index + numbers.size() < DEDUP_NUMBER_COUNT) {
                numbers.push_back(uint32_t((index + numbers.size()) * factor % DEDUP_NUMBER_COUNT));
            }
            const size_t taken = dedup_stage_add(&memory.stage, numbers.data(), numbers.size());
            index += taken;
            if (taken == numbers.size() && index < DEDUP_NUMBER_COUNT) {
                continue;
            }
            for (size_t bucket_index = 0; bucket_index < DEDUP_BUCKET_COUNT; bucket_index++) {
                new_count +=
                    dedup_map_insert_bucket(&map_, &memory.stage, bucket_index, new_numbers.data());
            }
            dedup_stage_clear(&memory.stage);
        }
        ASSERT_EQ(new_count, factor == 1 ? DEDUP_NUMBER_COUNT : 0u);
    }
}

// The concurrency contract: four threads share the buckets of one stage without a lock.
// //dedup:stage_test under --config=tsan.
TEST_F(StageTest, SeveralThreadsInsertTheirOwnBuckets) {
    const size_t thread_count = 4;
    const uint32_t span = std::min<uint32_t>(DEDUP_NUMBER_COUNT, 200000);
    StageMemory memory(2 * span / DEDUP_BUCKET_COUNT + 16);
    Numbers numbers(span);
    std::iota(numbers.begin(), numbers.end(), 0);
    ASSERT_EQ(dedup_stage_add(&memory.stage, numbers.data(), span), span);
    std::vector<Numbers> results(thread_count);
    std::vector<std::thread> threads;
    for (size_t thread_index = 0; thread_index < thread_count; thread_index++) {
        threads.emplace_back([&, thread_index] {
            for (size_t bucket_index = thread_index; bucket_index < DEDUP_BUCKET_COUNT;
                 bucket_index += thread_count) {
                const Numbers new_numbers = InsertBucket(memory.stage, bucket_index);
                results[thread_index].insert(results[thread_index].end(), new_numbers.begin(),
                                             new_numbers.end());
            }
        });
    }
    Numbers all;
    for (size_t thread_index = 0; thread_index < thread_count; thread_index++) {
        threads[thread_index].join();
        all.insert(all.end(), results[thread_index].begin(), results[thread_index].end());
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, numbers);
}

} // namespace
