#include "server/records/record_buffer.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

class RecordBuffer : public testing::Test {
  protected:
    void Open(size_t capacity) {
        ASSERT_EQ(wakeup_init(&progress_), 0);
        ASSERT_EQ(record_buffer_init(&buffer_, capacity, &progress_), 0);
        is_open_ = true;
    }
    void TearDown() override {
        if (is_open_) {
            record_buffer_destroy(&buffer_);
            wakeup_destroy(&progress_);
        }
    }
    bool Push(const std::string &id, const std::string &name = "n", const std::string &age = "a") {
        record record = {
            {id.data(), id.size()}, {name.data(), name.size()}, {age.data(), age.size()}};
        return record_buffer_push(&buffer_, &record);
    }
    // And publishes them.
    void PushAll(const std::vector<std::string> &ids) {
        for (const std::string &id : ids) {
            ASSERT_TRUE(Push(id));
        }
        record_buffer_publish(&buffer_);
    }
    record_batch Take(size_t count_max) {
        record_batch batch = {};
        EXPECT_TRUE(record_buffer_take(&buffer_, count_max, &batch));
        return batch;
    }
    std::vector<std::string> CopyIds(const char *id = nullptr) {
        buffered_records copy;
        const record_text text = {id, id == nullptr ? 0 : strlen(id)};
        EXPECT_EQ(record_buffer_copy(&buffer_, id == nullptr ? nullptr : &text, &copy), 0);
        std::vector<std::string> ids;
        for (size_t i = 0; i < copy.count; i++) {
            ids.emplace_back(copy.records[i].record.id.bytes, copy.records[i].record.id.size);
        }
        buffered_records_destroy(&copy);
        return ids;
    }
    bool IsProgressSignalled() {
        pollfd polled = {progress_.fd, POLLIN, 0};
        bool is_signalled = poll(&polled, 1, 0) == 1;
        wakeup_clear(&progress_);
        return is_signalled;
    }

    wakeup progress_;
    record_buffer buffer_;
    bool is_open_ = false;
};

using Ids = std::vector<std::string>;

std::string ToString(record_text text) {
    return {text.bytes, text.size};
}

std::string Id(const record_line &line) {
    return ToString(record_line_read(&line).id);
}

std::string Name(const record_line &line) {
    return ToString(record_line_read(&line).name);
}

std::string Age(const record_line &line) {
    return ToString(record_line_read(&line).age);
}

TEST_F(RecordBuffer, RecordsLeaveInTheOrderTheyCame) {
    Open(4);
    ASSERT_TRUE(Push("1", "John", "25"));
    ASSERT_TRUE(Push("2", "", ""));
    EXPECT_EQ(record_buffer_position(&buffer_), 2u);
    record_buffer_publish(&buffer_);
    const record_batch batch = Take(10);
    ASSERT_EQ(batch.count, 2u);
    EXPECT_EQ(Id(batch.lines[0]), "1");
    EXPECT_EQ(Name(batch.lines[0]), "John");
    EXPECT_EQ(Age(batch.lines[0]), "25");
    EXPECT_EQ(Id(batch.lines[1]), "2");
    EXPECT_EQ(Name(batch.lines[1]), "");
}

// The most that a record can take: its line is as long as the record was, for the newline was
// escaped there too, and the texts are nearly as long.
TEST_F(RecordBuffer, TheLargestRecordFitsIntoTheSmallestBuffer) {
    Open(1);
    const std::string received_around = R"({"id":"\n","name":"","age":""})";
    const std::string name(RECORDS_RECORD_SIZE_MAX - received_around.size(), 'n');
    for (int round = 0; round < 3; round++) {
        ASSERT_TRUE(Push("\n", name, ""));
        EXPECT_FALSE(Push("2")) << "there is one place";
        record_buffer_publish(&buffer_);
        const record_batch batch = Take(1);
        EXPECT_GT(batch.lines[0].size, size_t{RECORDS_RECORD_SIZE_MAX});
        EXPECT_EQ(Id(batch.lines[0]), "\n");
        EXPECT_EQ(Name(batch.lines[0]), name);
        record_buffer_finish(&buffer_, &batch);
    }
}

TEST_F(RecordBuffer, TheTextsAreCopied) {
    Open(4);
    std::string id = "before";
    ASSERT_TRUE(Push(id));
    id = "after!";
    record_buffer_publish(&buffer_);
    EXPECT_EQ(CopyIds(), Ids{"before"});
}

TEST_F(RecordBuffer, NothingIsVisibleBeforePublish) {
    Open(4);
    ASSERT_TRUE(Push("1"));
    EXPECT_EQ(CopyIds(), Ids{});
    EXPECT_EQ(record_buffer_count(&buffer_), 0u);
    record_buffer_publish(&buffer_);
    EXPECT_EQ(CopyIds(), Ids{"1"});
    EXPECT_EQ(record_buffer_count(&buffer_), 1u);
}

TEST_F(RecordBuffer, FullUntilSomethingIsStored) {
    Open(2);
    ASSERT_TRUE(Push("1"));
    ASSERT_TRUE(Push("2"));
    EXPECT_FALSE(Push("3"));
    EXPECT_FALSE(record_buffer_await_progress(&buffer_, 0));
    EXPECT_FALSE(IsProgressSignalled());
    const record_batch batch = Take(1);
    EXPECT_FALSE(Push("3")) << "taken is not stored";
    record_buffer_finish(&buffer_, &batch);
    EXPECT_TRUE(IsProgressSignalled());
    EXPECT_TRUE(Push("3"));
    record_buffer_publish(&buffer_);
    EXPECT_EQ(CopyIds(), (Ids{"2", "3"}));
}

TEST_F(RecordBuffer, ARecordStaysVisibleUntilItIsStored) {
    Open(4);
    PushAll({"1"});
    const record_batch batch = Take(10);
    buffered_records copy;
    ASSERT_EQ(record_buffer_copy(&buffer_, nullptr, &copy), 0);
    ASSERT_EQ(copy.count, 1u);
    EXPECT_EQ(copy.records[0].slot_index, batch.slot_index);
    EXPECT_EQ(copy.records[0].sequence, batch.sequence);
    buffered_records_destroy(&copy);
    record_buffer_finish(&buffer_, &batch);
    EXPECT_EQ(CopyIds(), Ids{});
}

TEST_F(RecordBuffer, OnlyTheRecordsOfAnIdAreCopied) {
    Open(4);
    PushAll({"1", "12", "1", "2"});
    EXPECT_EQ(CopyIds("1"), (Ids{"1", "1"}));
    EXPECT_EQ(CopyIds("2"), (Ids{"2"}));
    EXPECT_EQ(CopyIds("3"), (Ids{}));
    const record_batch batch = Take(2);
    record_buffer_finish(&buffer_, &batch);
    EXPECT_EQ(CopyIds("1"), (Ids{"1"}));
}

TEST_F(RecordBuffer, BatchesThatEndOutOfOrder) {
    Open(3);
    PushAll({"1", "2", "3"});
    const record_batch first = Take(1);
    const record_batch second = Take(1);
    record_buffer_finish(&buffer_, &second);
    EXPECT_EQ(CopyIds(), (Ids{"1", "3"}));
    EXPECT_EQ(record_buffer_count(&buffer_), 2u);
    EXPECT_EQ(record_buffer_stored_position(&buffer_), 0u);
    record_buffer_finish(&buffer_, &first);
    EXPECT_EQ(record_buffer_stored_position(&buffer_), 2u);
    EXPECT_EQ(first.sequence, 1u);
    EXPECT_EQ(second.sequence, 1u) << "each slot counts its own";
}

TEST_F(RecordBuffer, ProgressIsSignalledWhereItWasAskedFor) {
    Open(4);
    for (bool is_asked : {false, true, false}) {
        PushAll({"1"});
        if (is_asked) {
            EXPECT_FALSE(
                record_buffer_await_progress(&buffer_, record_buffer_stored_position(&buffer_)));
        }
        const record_batch batch = Take(1);
        record_buffer_finish(&buffer_, &batch);
        EXPECT_EQ(IsProgressSignalled(), is_asked);
    }
}

TEST_F(RecordBuffer, OnlyTheOldestBatchIsProgress) {
    Open(4);
    PushAll({"1", "2"});
    const record_batch first = Take(1);
    const record_batch second = Take(1);
    EXPECT_FALSE(record_buffer_await_progress(&buffer_, 0));
    record_buffer_finish(&buffer_, &second);
    EXPECT_FALSE(IsProgressSignalled());
    record_buffer_finish(&buffer_, &first);
    EXPECT_TRUE(IsProgressSignalled());
    EXPECT_TRUE(record_buffer_await_progress(&buffer_, 0));
}

TEST_F(RecordBuffer, ProgressThatWasMadeMeanwhileNeedsNoSignal) {
    Open(4);
    PushAll({"1"});
    uint64_t seen = record_buffer_stored_position(&buffer_);
    const record_batch batch = Take(1);
    record_buffer_finish(&buffer_, &batch);
    EXPECT_TRUE(record_buffer_await_progress(&buffer_, seen));
    EXPECT_FALSE(IsProgressSignalled());
}

TEST_F(RecordBuffer, CloseHandsOutWhatIsLeft) {
    Open(4);
    ASSERT_TRUE(Push("1"));
    record_buffer_close(&buffer_);
    record_batch batch;
    EXPECT_TRUE(record_buffer_take(&buffer_, 10, &batch));
    EXPECT_FALSE(record_buffer_take(&buffer_, 10, &batch));
    EXPECT_FALSE(record_buffer_await_records(&buffer_));
}

// It keeps its slot and its sequence, whoever takes it; whatever was taken after it has others.
TEST_F(RecordBuffer, ABatchThatIsGivenBackIsTheNext) {
    Open(4);
    ASSERT_TRUE(Push("1"));
    ASSERT_TRUE(Push("2"));
    ASSERT_TRUE(Push("3"));
    record_buffer_close(&buffer_);
    const record_batch first = Take(1);
    const record_batch second = Take(1);
    record_buffer_give_back(&buffer_, &first);
    EXPECT_TRUE(record_buffer_await_records(&buffer_));
    record_batch again = Take(10);
    EXPECT_EQ(Id(again.lines[0]), "1");
    EXPECT_EQ(again.count, 1u);
    EXPECT_EQ(again.slot_index, first.slot_index);
    EXPECT_EQ(again.sequence, first.sequence);
    EXPECT_NE(again.slot_index, second.slot_index);
    record_buffer_finish(&buffer_, &again);
    again = Take(10);
    EXPECT_EQ(Id(again.lines[0]), "3");
    EXPECT_EQ(again.slot_index, first.slot_index);
    EXPECT_EQ(again.sequence, first.sequence + 1);
    record_buffer_finish(&buffer_, &again);
    record_buffer_finish(&buffer_, &second);
    EXPECT_EQ(record_buffer_stored_position(&buffer_), 3u);
    EXPECT_FALSE(record_buffer_await_records(&buffer_));
}

TEST_F(RecordBuffer, LargeRecordsAreLimitedByTheirBytes) {
    Open(1000);
    std::string large(RECORDS_RECORD_SIZE_MAX, 'x');
    size_t pushed_count = 0;
    while (Push("1", large)) {
        pushed_count++;
    }
    EXPECT_GE(pushed_count, 2u);
    EXPECT_LT(pushed_count, 1000u);
    record_buffer_publish(&buffer_);
    EXPECT_EQ(CopyIds().size(), pushed_count);
}

// Sizes that never fit the circle evenly: every way around its end comes up.
TEST_F(RecordBuffer, TextsSurviveAnyNumberOfRounds) {
    Open(7);
    size_t taken_count = 0;
    size_t pushed_count = 0;
    auto name = [](size_t index) {
        return std::string((index * 7919) % RECORDS_RECORD_SIZE_MAX,
                           static_cast<char>('a' + index % 26));
    };
    while (taken_count < 500) {
        while (pushed_count < 500 && Push(std::to_string(pushed_count), name(pushed_count))) {
            pushed_count++;
        }
        record_buffer_publish(&buffer_);
        record_batch batch;
        ASSERT_TRUE(record_buffer_take(&buffer_, 2, &batch));
        for (size_t i = 0; i < batch.count; i++) {
            ASSERT_EQ(Id(batch.lines[i]), std::to_string(taken_count));
            ASSERT_EQ(Name(batch.lines[i]), name(taken_count));
            taken_count++;
        }
        record_buffer_finish(&buffer_, &batch);
    }
}

TEST_F(RecordBuffer, ManyWritersTakeEveryRecordOnce) {
    for (size_t capacity : {1u, 2u, 13u, 1000u}) {
        SCOPED_TRACE(capacity);
        Open(capacity);
        constexpr int kRecordCount = 20000;
        constexpr int kWriterCount = 4;
        std::vector<std::vector<std::string>> taken(kWriterCount);
        std::vector<std::thread> writers;
        for (size_t index = 0; index < kWriterCount; index++) {
            writers.emplace_back([this, index, &taken] {
                record_batch batch;
                while (record_buffer_await_records(&buffer_)) {
                    if (!record_buffer_take(&buffer_, 5, &batch)) {
                        continue;
                    }
                    for (size_t i = 0; i < batch.count; i++) {
                        taken[index].push_back(Id(batch.lines[i]));
                    }
                    record_buffer_finish(&buffer_, &batch);
                }
            });
        }
        std::atomic<bool> is_over{false};
        std::thread reader([&] {
            while (!is_over) {
                EXPECT_LE(CopyIds().size(), capacity);
                // A mutex is no queue: without a pause this thread could keep the others out.
                std::this_thread::yield();
            }
        });
        for (int number = 0; number < kRecordCount; number++) {
            uint64_t seen = record_buffer_stored_position(&buffer_);
            while (!Push(std::to_string(number))) {
                if (!record_buffer_await_progress(&buffer_, seen)) {
                    pollfd polled = {progress_.fd, POLLIN, 0};
                    ASSERT_EQ(poll(&polled, 1, 10000), 1) << "no progress was signalled";
                    wakeup_clear(&progress_);
                }
                seen = record_buffer_stored_position(&buffer_);
            }
        }
        record_buffer_close(&buffer_);
        for (std::thread &writer : writers) {
            writer.join();
        }
        is_over = true;
        reader.join();
        std::set<std::string> all;
        size_t count = 0;
        for (const auto &ids : taken) {
            count += ids.size();
            all.insert(ids.begin(), ids.end());
        }
        EXPECT_EQ(count, size_t{kRecordCount});
        EXPECT_EQ(all.size(), size_t{kRecordCount});
        EXPECT_EQ(record_buffer_stored_position(&buffer_), uint64_t{kRecordCount});
        TearDown();
        is_open_ = false;
    }
}

} // namespace
