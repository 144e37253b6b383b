// What reaches the file, in which order, from how many producers.
#include <atomic>
#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server/numbers/log/log_writer_fixture.h"

namespace {

TEST_F(LogWriterTest, WritesBlocksInTheOrderOfSubmission) {
    Start();
    for (uint32_t block = 0; block < 50; ++block) {
        ASSERT_TRUE(Submit(Records(block * 10, 1 + block % 10)));
    }
    Finish();
    std::string expected;
    for (uint32_t block = 0; block < 50; ++block) {
        expected += Records(block * 10, 1 + block % 10);
    }
    EXPECT_EQ(File(), expected);
    EXPECT_EQ(log_writer_error(&writer_), 0);
    EXPECT_EQ(log_writer_stored_position(&writer_), expected.size());
    EXPECT_EQ(log_writer_submitted_position(&writer_), expected.size());
}

TEST_F(LogWriterTest, GoesOnBehindWhatIsThere) {
    ASSERT_EQ(os_write(fd_, Records(0, 3).data(), 30), 30);
    Start();
    ASSERT_TRUE(Submit(Records(3, 4)));
    Finish();
    EXPECT_EQ(File(), Records(0, 7));
}

TEST_F(LogWriterTest, ShortWritesOfEverySizeGiveTheSameFile) {
    for (size_t size = 1; size <= kBlockSize; ++size) {
        ASSERT_EQ(os_ftruncate(fd_, 0), 0);
        Start("append:*:short=" + std::to_string(size));
        ASSERT_TRUE(Submit(Records(0, 10)));
        ASSERT_TRUE(Submit(Records(10, 7)));
        ASSERT_TRUE(Submit(Records(17, 10)));
        Finish();
        log_writer_destroy(&writer_);
        is_started_ = false;
        ASSERT_EQ(File(), Records(0, 27)) << "writes of " << size;
        ASSERT_EQ(os_faulty_call_count("ftruncate"), 0u) << "a short write is no failure";
    }
}

TEST_F(LogWriterTest, AFileThatSomebodyElseEmptiesGoesOnWithWholeRecords) {
    Start();
    ASSERT_TRUE(Submit(Records(0, 10)));
    AwaitStored(kBlockSize);
    ASSERT_EQ(os_ftruncate(fd_, 0), 0);
    ASSERT_TRUE(Submit(Records(10, 5)));
    Finish();
    EXPECT_EQ(File(), Records(10, 5));
}

TEST_F(LogWriterTest, TwoBlocksAreAllThereAre) {
    Start("append:1:hold");
    std::set<const log_block *> blocks;
    std::atomic<bool> is_released{false};
    bool was_early = false;
    ASSERT_TRUE(Submit(Records(0, 10)));
    ASSERT_TRUE(Submit(Records(10, 10)));
    std::thread producer([&] {
        for (uint32_t block_index = 2; block_index < 10; ++block_index) {
            log_block *block = log_writer_acquire(&writer_);
            was_early = was_early || !is_released;
            blocks.insert(block);
            Records(block_index * 10, 10).copy(block->bytes, kBlockSize);
            block->size = kBlockSize;
            log_writer_submit(&writer_, block);
        }
    });
    os_faulty_await_call("append", 1);
    is_released = true;
    os_faulty_release();
    producer.join();
    EXPECT_FALSE(was_early) << "a third block";
    EXPECT_LE(blocks.size(), 2u);
    Finish();
    EXPECT_EQ(File(), Records(0, 100));
}

TEST_F(LogWriterTest, AnEmptyBlockIsFreeAgain) {
    Start();
    for (int round = 0; round < 10; ++round) {
        ASSERT_TRUE(Submit(""));
    }
    Finish();
    EXPECT_EQ(os_faulty_call_count("append"), 0u);
    EXPECT_EQ(log_writer_submitted_position(&writer_), 0u);
}

TEST_F(LogWriterTest, SlackBehindABlockIsNotItsNeighbour) {
    Start("append:1:hold");
    log_block *first = log_writer_acquire(&writer_);
    log_block *second = log_writer_acquire(&writer_);
    for (log_block *block : {first, second}) {
        memset(block->bytes, 'x', kBlockSize);
    }
    memset(first->bytes + kBlockSize, '!', config_.block_slack_size);
    memset(second->bytes + kBlockSize, '!', config_.block_slack_size);
    EXPECT_EQ(std::string(first->bytes, kBlockSize), std::string(kBlockSize, 'x'));
    EXPECT_EQ(std::string(second->bytes, kBlockSize), std::string(kBlockSize, 'x'));
    log_writer_submit(&writer_, first);
    log_writer_submit(&writer_, second);
    os_faulty_release();
}

TEST_F(LogWriterTest, AFailedStartLeavesNothingOver) {
    config_.durability = DURABILITY_INTERVAL;
    const std::map<std::string, int> plans = {{"map_memory:1:ENOMEM", -ENOMEM},
                                              {"thread_create:1:EAGAIN", -EAGAIN},
                                              {"thread_create:2:EAGAIN", -EAGAIN}};
    for (const auto &[plan, error] : plans) {
        ASSERT_TRUE(os_faulty_plan(plan.c_str()));
        EXPECT_EQ(log_writer_init(&writer_, &config_), error) << plan;
        EXPECT_EQ(os_faulty_fault_count(), 1u) << plan;
    }
}

TEST_F(LogWriterTest, TakesBlocksOfSeveralProducers) {
    constexpr uint32_t kProducerCount = 4;
    constexpr uint32_t kBlocksEach = 100;
    config_.block_count = 2 * kProducerCount;
    config_.durability = DURABILITY_INTERVAL;
    config_.sync_interval_ms = 1;
    Start("append:*:short=77");
    std::vector<std::thread> producers;
    for (uint32_t index = 0; index < kProducerCount; ++index) {
        producers.emplace_back([this, index] {
            for (uint32_t block = 0; block < kBlocksEach; ++block) {
                EXPECT_TRUE(Submit(Records(index * 1000000 + block * 10, 10)));
            }
        });
    }
    for (std::thread &producer : producers) {
        producer.join();
    }
    Finish();
    const std::string file = File();
    ASSERT_EQ(file.size(), kProducerCount * kBlocksEach * kBlockSize);
    std::map<uint32_t, uint32_t> next_numbers; // of each producer
    for (size_t at = 0; at < file.size(); at += kRecordSize) {
        const auto number = static_cast<uint32_t>(std::stoul(file.substr(at, kRecordSize - 1)));
        uint32_t &next_number = next_numbers[number / 1000000];
        ASSERT_EQ(number % 1000000, next_number);
        ++next_number;
    }
}

} // namespace
