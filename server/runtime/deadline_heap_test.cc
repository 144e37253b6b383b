#include "server/runtime/deadline_heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace {

class DeadlineHeapTest : public testing::Test {
  protected:
    static constexpr size_t kCapacity = 64;

    void SetUp() override {
        ASSERT_EQ(deadline_heap_init(&heap_, kCapacity), 0);
    }
    void TearDown() override {
        deadline_heap_destroy(&heap_);
    }

    std::vector<uint32_t> TakeAllDue(int64_t now_ms) {
        std::vector<uint32_t> items;
        uint32_t item;
        while (deadline_heap_take_due(&heap_, now_ms, &item)) {
            items.push_back(item);
        }
        return items;
    }

    deadline_heap heap_;
};

TEST_F(DeadlineHeapTest, HandsOutInOrderOfTime) {
    deadline_heap_set(&heap_, 1, 30);
    deadline_heap_set(&heap_, 2, 10);
    deadline_heap_set(&heap_, 3, 20);
    EXPECT_EQ(TakeAllDue(9), (std::vector<uint32_t>{}));
    EXPECT_EQ(TakeAllDue(20), (std::vector<uint32_t>{2, 3}));
    EXPECT_EQ(TakeAllDue(1000), (std::vector<uint32_t>{1}));
    EXPECT_EQ(TakeAllDue(1000), (std::vector<uint32_t>{}));
}

TEST_F(DeadlineHeapTest, MovesAndClearsADeadline) {
    deadline_heap_set(&heap_, 1, 10);
    deadline_heap_set(&heap_, 2, 20);
    deadline_heap_set(&heap_, 1, 30);
    deadline_heap_clear(&heap_, 2);
    deadline_heap_clear(&heap_, 2);
    deadline_heap_clear(&heap_, 7);
    EXPECT_EQ(TakeAllDue(29), (std::vector<uint32_t>{}));
    EXPECT_EQ(TakeAllDue(30), (std::vector<uint32_t>{1}));
}

TEST_F(DeadlineHeapTest, TellsTheEarliest) {
    EXPECT_EQ(deadline_heap_next_ms(&heap_), INT64_MAX);
    deadline_heap_set(&heap_, 1, 10);
    deadline_heap_set(&heap_, 2, 5);
    EXPECT_EQ(deadline_heap_next_ms(&heap_), 5);
    deadline_heap_clear(&heap_, 2);
    EXPECT_EQ(deadline_heap_next_ms(&heap_), 10);
}

// Against a map that is searched from end to end; the seed is fixed.
TEST_F(DeadlineHeapTest, AgreesWithAPlainModel) {
    std::mt19937 random(1);
    std::map<uint32_t, int64_t> model;
    for (int64_t now_ms = 0; now_ms < 20000; now_ms++) {
        uint32_t item = static_cast<uint32_t>(random() % kCapacity);
        if (random() % 4 == 0) {
            deadline_heap_clear(&heap_, item);
            model.erase(item);
        } else {
            int64_t deadline_ms = now_ms + static_cast<int64_t>(random() % 100);
            deadline_heap_set(&heap_, item, deadline_ms);
            model[item] = deadline_ms;
        }
        int64_t previous_ms = INT64_MIN;
        for (uint32_t due : TakeAllDue(now_ms)) {
            ASSERT_EQ(model.count(due), 1u);
            ASSERT_LE(previous_ms, model[due]);
            ASSERT_LE(model[due], now_ms);
            previous_ms = model[due];
            model.erase(due);
        }
        for (const auto &[left, deadline_ms] : model) {
            ASSERT_GT(deadline_ms, now_ms) << "item " << left << " was due";
        }
        ASSERT_EQ(heap_.count, model.size());
    }
}

} // namespace
