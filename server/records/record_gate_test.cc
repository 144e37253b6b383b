#include "server/records/record_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "testing/patience.h"

namespace {

using harness::Await;

class RecordGate : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(record_gate_init(&gate_), 0);
    }
    void TearDown() override {
        record_gate_destroy(&gate_);
    }
    size_t Look(size_t record_gate::*count) {
        pthread_mutex_lock(&gate_.mutex);
        const size_t value = gate_.*count;
        pthread_mutex_unlock(&gate_.mutex);
        return value;
    }
    record_gate gate_;
};

TEST_F(RecordGate, NoTransactionRunsWhileItIsHeld) {
    record_gate_enter(&gate_);
    record_gate_enter(&gate_);
    std::atomic<int> held_count{0};
    const auto hold = [&] {
        record_gate_hold(&gate_);
        held_count++;
    };
    std::thread first(hold);
    std::thread second(hold);
    EXPECT_TRUE(Await([&] { return Look(&record_gate::holder_count) == 2; }));
    record_gate_leave(&gate_);
    EXPECT_EQ(held_count, 0);
    record_gate_leave(&gate_);
    first.join();
    second.join();
    EXPECT_EQ(held_count, 2) << "they hold it together";
    std::atomic<bool> has_entered{false};
    std::thread writer([&] {
        record_gate_enter(&gate_);
        has_entered = true;
        record_gate_leave(&gate_);
    });
    EXPECT_TRUE(Await([&] { return Look(&record_gate::waiting_count) == 1; }));
    record_gate_release(&gate_);
    EXPECT_FALSE(has_entered);
    record_gate_release(&gate_);
    writer.join();
}

// However many queries there are: without pause there is always one that holds the gate or waits.
TEST_F(RecordGate, HoldersWithoutEndDoNotKeepTransactionsOut) {
    std::atomic<bool> is_over{false};
    std::vector<std::thread> holders;
    for (int count = 0; count < 4; count++) {
        holders.emplace_back([&] {
            while (!is_over) {
                record_gate_hold(&gate_);
                std::this_thread::yield();
                record_gate_release(&gate_);
            }
        });
    }
    for (int count = 0; count < 100; count++) {
        record_gate_enter(&gate_);
        record_gate_leave(&gate_);
    }
    is_over = true;
    for (std::thread &holder : holders) {
        holder.join();
    }
}

// What was kept waiting comes before whoever holds it next, and has it open for a while.
TEST_F(RecordGate, AfterAHoldItIsTheTransactionsTurn) {
    record_gate_hold(&gate_);
    std::thread writer([&] {
        record_gate_enter(&gate_);
        record_gate_leave(&gate_);
    });
    EXPECT_TRUE(Await([&] { return Look(&record_gate::waiting_count) == 1; }));
    record_gate_release(&gate_);
    record_gate_hold(&gate_);
    EXPECT_EQ(Look(&record_gate::waiting_count), 0u) << "the next query was first";
    EXPECT_GE(gate_.closed_ms, gate_.closable_ms);
    record_gate_release(&gate_);
    writer.join();
}

} // namespace
