#include "server/numbers/pipeline.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/numbers/number_log.h"
#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

using Numbers = std::vector<uint32_t>;

// Numbers of one bucket only, so that few of them fill a stage.
Numbers NumbersOfOneBucket(size_t count) {
    Numbers numbers;
    for (uint32_t number = 0; numbers.size() < count; ++number) {
        if (dedup_bucket_of(number) == 0) {
            numbers.push_back(number);
        }
    }
    return numbers;
}

// The parameter is the number of workers.
class PipelineTest : public testing::TestWithParam<size_t> {
  protected:
    PipelineTest() : path_(directory_.File("numbers.log")) {
        os_faulty_plan("");
        fd_ = os_open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND, 0644);
        map_memory_ = os_map_memory(dedup_map_size());
        dedup_map_init(&map_, map_memory_);
        EXPECT_EQ(wakeup_init(&progress_), 0);
        EXPECT_EQ(number_formatter_select(&formatter_, nullptr), NUMBER_FORMATTER_SELECTED);
        config_.map = &map_;
        config_.formatter = &formatter_;
        config_.writer = &writer_;
        config_.tally = &tally_;
        config_.progress = &progress_;
        config_.worker_count = GetParam();
    }

    ~PipelineTest() override {
        os_faulty_release();
        if (is_started_) {
            pipeline_destroy(&pipeline_);
            log_writer_finish(&writer_);
            log_writer_destroy(&writer_);
        }
        os_faulty_plan("");
        wakeup_destroy(&progress_);
        os_unmap_memory(map_memory_, dedup_map_size());
        os_close(fd_);
    }

    void Start(const std::string &plan = "") {
        log_writer_configuration configuration{};
        log_.path = path_.c_str();
        log_.fd = fd_;
        log_.is_regular = true;
        configuration.log = &log_;
        configuration.line_size = LINE_SIZE;
        configuration.block_size = BLOCK_SIZE;
        configuration.block_slack_size = NUMBER_FORMATTER_SLACK_SIZE;
        configuration.block_count = BLOCKS_PER_WORKER * GetParam();
        configuration.durability = DURABILITY_NEVER;
        configuration.sync_interval_ms = 1000;
        configuration.logger = logger_.get();
        configuration.progress = &progress_;
        ASSERT_TRUE(os_faulty_plan(plan.c_str()));
        ASSERT_EQ(log_writer_init(&writer_, &configuration), 0);
        ASSERT_EQ(pipeline_init(&pipeline_, &config_), 0);
        is_started_ = true;
    }

    // Waits for a condition that changes when the workers or the writer get on; runs the pipeline
    // meanwhile as the server's loop does.
    template <typename Condition> void AwaitProgress(Condition condition) {
        pipeline_run(&pipeline_, now_ms_);
        while (!condition()) {
            pollfd polled{progress_.fd, POLLIN, 0};
            ASSERT_EQ(os_poll(&polled, 1, 30000), 1) << "no progress";
            wakeup_clear(&progress_);
            pipeline_run(&pipeline_, now_ms_);
        }
    }

    void AddAll(const Numbers &numbers) {
        size_t taken_count = 0;
        AwaitProgress([&] {
            taken_count += pipeline_add(&pipeline_, numbers.data() + taken_count,
                                        numbers.size() - taken_count, now_ms_);
            return taken_count == numbers.size();
        });
    }

    void AwaitDrained() {
        AwaitProgress([&] { return pipeline_is_drained(&pipeline_); });
    }

    void AwaitStored(uint64_t batch) {
        AwaitProgress([&] { return pipeline_stored_batch(&pipeline_) >= batch; });
    }

    Numbers Log() const {
        return harness::ReadNumberLog(path_);
    }

    harness::TemporaryDirectory directory_;
    std::string path_;
    int fd_ = -1;
    log_file log_{};
    CapturedLogger logger_;
    void *map_memory_ = nullptr;
    dedup_map map_{};
    wakeup progress_{};
    number_formatter formatter_{};
    log_writer writer_{};
    tally tally_{};
    pipeline_configuration config_{};
    pipeline pipeline_{};
    bool is_started_ = false;
    int64_t now_ms_ = 1000;
};

INSTANTIATE_TEST_SUITE_P(Workers, PipelineTest, testing::Values(1, 2, 5));

TEST_P(PipelineTest, EveryNumberIsALineOrADuplicate) {
    Start();
    std::mt19937 random(7);
    std::set<uint32_t> unique;
    size_t added_count = 0;
    for (int round = 0; round < 30; ++round) {
        Numbers numbers(random() % 20000);
        for (uint32_t &number : numbers) {
            number = static_cast<uint32_t>(random() % (round % 2 == 0 ? 1000000000 : 50000));
        }
        AddAll(numbers);
        unique.insert(numbers.begin(), numbers.end());
        added_count += numbers.size();
        if (round % 3 == 0) {
            (void)pipeline_hand_over(&pipeline_);
        }
    }
    AwaitStored(pipeline_hand_over(&pipeline_));
    EXPECT_EQ(Log(), Numbers(unique.begin(), unique.end()));
    EXPECT_EQ(tally_.unique_count.load(), unique.size());
    EXPECT_EQ(tally_.duplicate_count.load(), added_count - unique.size());
    EXPECT_TRUE(pipeline_is_drained(&pipeline_));
}

TEST_P(PipelineTest, WhatIsLoadedIsSeenAndNeitherWrittenNorCounted) {
    Start();
    pipeline_set_loading(&pipeline_, true);
    AddAll({1, 2, 3});
    (void)pipeline_hand_over(&pipeline_);
    AwaitDrained();
    EXPECT_EQ(pipeline_repeated_count(&pipeline_), 0u);
    AddAll({3, 4});
    (void)pipeline_hand_over(&pipeline_);
    AwaitDrained();
    EXPECT_EQ(pipeline_repeated_count(&pipeline_), 1u);
    pipeline_set_loading(&pipeline_, false);
    AddAll({4, 5});
    AwaitStored(pipeline_hand_over(&pipeline_));
    EXPECT_EQ(Log(), (Numbers{5}));
    EXPECT_EQ(tally_.unique_count.load(), 1u);
    EXPECT_EQ(tally_.duplicate_count.load(), 1u);
}

TEST_P(PipelineTest, NothingAddedIsNothingToDo) {
    Start();
    EXPECT_EQ(pipeline_deadline_ms(&pipeline_), INT64_MAX);
    EXPECT_EQ(pipeline_hand_over(&pipeline_), 0u);
    EXPECT_EQ(pipeline_stored_batch(&pipeline_), 0u);
    EXPECT_TRUE(pipeline_is_drained(&pipeline_));
}

TEST_P(PipelineTest, AFewNumbersWaitForALittleWhile) {
    Start();
    AddAll({1, 2, 3});
    now_ms_ += 2;
    AddAll({4}); // the oldest one counts
    EXPECT_EQ(pipeline_deadline_ms(&pipeline_), 1000 + STAGE_AGE_LIGHT_MS);
    pipeline_run(&pipeline_, 1000 + STAGE_AGE_LIGHT_MS - 1);
    EXPECT_FALSE(pipeline_is_drained(&pipeline_));
    now_ms_ = 1000 + STAGE_AGE_LIGHT_MS;
    pipeline_run(&pipeline_, now_ms_);
    EXPECT_EQ(pipeline_deadline_ms(&pipeline_), INT64_MAX);
    AwaitStored(1);
    EXPECT_EQ(Log(), (Numbers{1, 2, 3, 4}));
}

TEST_P(PipelineTest, ManyNumbersWaitForMore) {
    Start();
    Numbers numbers(STAGE_LIGHT_COUNT);
    std::generate(numbers.begin(), numbers.end(), [n = 0u]() mutable { return n++; });
    AddAll(numbers);
    EXPECT_EQ(pipeline_deadline_ms(&pipeline_), 1000 + STAGE_AGE_MAX_MS);
    now_ms_ = 1000 + STAGE_AGE_MAX_MS;
    AwaitStored(1);
    EXPECT_EQ(Log(), numbers);
}

TEST_P(PipelineTest, ABatchIsStoredWhenItsLinesAre) {
    Start("append:1:hold:always");
    AddAll({1, 2});
    const uint64_t first = pipeline_hand_over(&pipeline_);
    EXPECT_EQ(first, 1u);
    AwaitDrained();
    AddAll({2, 1}); // nothing new: stored with what is before it, no earlier
    const uint64_t second = pipeline_hand_over(&pipeline_);
    EXPECT_EQ(second, 2u);
    AwaitDrained();
    EXPECT_EQ(pipeline_hand_over(&pipeline_), second);
    os_faulty_await_call("append", 1);
    EXPECT_EQ(pipeline_stored_batch(&pipeline_), 0u);
    os_faulty_release();
    AwaitStored(second);
    EXPECT_EQ(pipeline_stored_batch(&pipeline_), second);
    AddAll({1}); // nothing new, and everything is stored already
    AwaitStored(pipeline_hand_over(&pipeline_));
    EXPECT_EQ(Log(), (Numbers{1, 2}));
}

TEST_P(PipelineTest, MoreBatchesThanItKeepsApartAreNotCalledStoredTooEarly) {
    Start("append:1:hold:always");
    uint64_t last = 0;
    for (int round = 0; round < 3 * BATCH_END_CAPACITY; ++round) {
        AddAll({42});
        last = pipeline_hand_over(&pipeline_);
        AwaitDrained();
        ASSERT_EQ(pipeline_stored_batch(&pipeline_), 0u);
    }
    os_faulty_release();
    AwaitStored(last);
    EXPECT_EQ(pipeline_stored_batch(&pipeline_), last);
}

TEST_P(PipelineTest, TwoFullStagesHoldTheClientsBack) {
    Start("append:1:hold:always");
    const size_t stage_count = dedup_stage_capacity_for_size(STAGE_SIZE);
    // Enough for all blocks, both stages, and a half.
    const size_t batch_count = BLOCKS_PER_WORKER * GetParam() + 2;
    const Numbers numbers = NumbersOfOneBucket(batch_count * stage_count + stage_count / 2);
    size_t taken_count = 0;
    // With all blocks waiting for the file, a worker waits for a block, and so no stage gets free.
    AwaitProgress([&] {
        taken_count += pipeline_add(&pipeline_, numbers.data() + taken_count,
                                    numbers.size() - taken_count, now_ms_);
        return taken_count == batch_count * stage_count;
    });
    EXPECT_EQ(pipeline_add(&pipeline_, numbers.data() + taken_count, 1, now_ms_), 0u);
    EXPECT_EQ(pipeline_deadline_ms(&pipeline_), INT64_MAX) << "progress tells when to go on";
    EXPECT_FALSE(pipeline_is_drained(&pipeline_));
    os_faulty_release();
    AddAll(Numbers(numbers.begin() + static_cast<ptrdiff_t>(taken_count), numbers.end()));
    AwaitStored(pipeline_hand_over(&pipeline_));
    EXPECT_EQ(Log(), numbers);
    EXPECT_EQ(tally_.unique_count.load(), numbers.size());
}

TEST_P(PipelineTest, AHandOverIsMadeUpForWhenTheWorkersAreBusy) {
    Start("append:1:hold:always");
    const size_t stage_count = dedup_stage_capacity_for_size(STAGE_SIZE);
    const Numbers numbers = NumbersOfOneBucket((BLOCKS_PER_WORKER * GetParam() + 1) * stage_count);
    AddAll(numbers);
    // The workers are stuck with one batch, or soon will be.
    Numbers late = {999999999};
    const uint64_t before = pipeline_hand_over(&pipeline_);
    AddAll(late);
    const uint64_t batch = pipeline_hand_over(&pipeline_);
    EXPECT_GE(batch, before);
    os_faulty_release();
    AwaitStored(batch);
    Numbers expected = numbers;
    expected.push_back(999999999);
    EXPECT_EQ(Log(), expected);
}

TEST_P(PipelineTest, AFailedLogDoesNotHoldItUp) {
    Start("append:1:EIO");
    AddAll({1, 2, 3});
    (void)pipeline_hand_over(&pipeline_);
    AwaitProgress([&] { return log_writer_error(&writer_) == -EIO; });
    const size_t stage_count = dedup_stage_capacity_for_size(STAGE_SIZE);
    AddAll(NumbersOfOneBucket(5 * stage_count));
    (void)pipeline_hand_over(&pipeline_);
    AwaitDrained();
    EXPECT_EQ(pipeline_stored_batch(&pipeline_), 0u);
    EXPECT_EQ(tally_.unique_count.load(), 3u) << "what was dropped does not count";
}

TEST_P(PipelineTest, CanBeDestroyedWithNumbersInside) {
    Start();
    AddAll(NumbersOfOneBucket(1000));
    (void)pipeline_hand_over(&pipeline_);
    AddAll(NumbersOfOneBucket(1000));
}

TEST_P(PipelineTest, AFailedStartLeavesNothingOver) {
    ASSERT_TRUE(os_faulty_plan("map_memory:1:ENOMEM"));
    EXPECT_EQ(pipeline_init(&pipeline_, &config_), -ENOMEM);
    for (size_t index = 1; index <= GetParam(); ++index) {
        ASSERT_TRUE(os_faulty_plan(("thread_create:" + std::to_string(index) + ":EAGAIN").c_str()));
        EXPECT_EQ(pipeline_init(&pipeline_, &config_), -EAGAIN);
    }
}

} // namespace
