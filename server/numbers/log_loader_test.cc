#include "server/numbers/log_loader.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "server/numbers/limits.h"
#include "server/numbers/number_log.h"
#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

using harness::NumberLine;
using harness::NumberLines;

class LogLoaderTest : public testing::Test {
  protected:
    LogLoaderTest() : path_(directory_.File("numbers.log")) {
        os_faulty_plan("");
        EXPECT_EQ(line_parser_select(&parser_, nullptr), LINE_PARSER_SELECTED);
        map_memory_ = os_map_memory(dedup_map_size());
        EXPECT_NE(map_memory_, nullptr);
        dedup_map_init(&map_, map_memory_);
    }
    ~LogLoaderTest() override {
        os_faulty_plan("");
        if (is_open_) {
            log_file_close(&log_);
        }
        os_unmap_memory(map_memory_, dedup_map_size());
    }

    log_file_status Open(const std::string &path) {
        const log_file_status status = log_file_open(&log_, path.c_str(), logger_.get());
        is_open_ = status == LOG_FILE_OK;
        return status;
    }

    // Opens and loads a file with this content, and cuts it to what is kept.
    log_file_status Load(const std::string &content) {
        harness::WriteFile(path_, content);
        EXPECT_EQ(Open(path_), LOG_FILE_OK);
        return LoadAgain();
    }
    log_file_status LoadAgain() {
        const log_loader_configuration configuration{&log_, &map_,    &parser_,
                                                     0,     stop_fd_, logger_.get()};
        off_t kept_size = 0;
        const log_file_status status = log_loader_load(&configuration, &kept_size);
        return status == LOG_FILE_OK ? log_file_cut(&log_, kept_size, logger_.get()) : status;
    }

    // Loads a file that must be refused for what line line_number is, and left as it is.
    void ExpectRefused(const std::string &content, size_t line_number, const std::string &reason) {
        const size_t size_before = logger_.Text().size();
        EXPECT_EQ(Load(content), LOG_FILE_FAILED);
        const std::string offset = std::to_string((line_number - 1) * LINE_SIZE);
        const std::string expected = " error cannot resume from " + path_ + ": line " +
                                     std::to_string(line_number) + ", at byte " + offset + ", " +
                                     reason +
                                     "; the file was left alone, and truncate --size=" + offset +
                                     " would keep the lines before that\n";
        EXPECT_NE(logger_.Text().find(expected, size_before), std::string::npos) << logger_.Text();
        EXPECT_EQ(harness::ReadFile(path_), content);
        log_file_close(&log_);
        is_open_ = false;
    }

    harness::TemporaryDirectory directory_;
    std::string path_;
    CapturedLogger logger_;
    line_parser parser_{};
    void *map_memory_ = nullptr;
    dedup_map map_{};
    log_file log_{};
    int stop_fd_ = -1;
    bool is_open_ = false;
};

TEST_F(LogLoaderTest, LoadsWhatIsThere) {
    const std::string content = NumberLines(999999990, 10) + NumberLines(0, 5);
    ASSERT_EQ(Load(content), LOG_FILE_OK) << logger_.Text();
    for (const uint32_t number : {0u, 4u, 999999990u, 999999999u}) {
        EXPECT_TRUE(dedup_map_contains(&map_, number)) << number;
    }
    EXPECT_FALSE(dedup_map_contains(&map_, 5));
    EXPECT_EQ(logger_.Count(" with 15 numbers\n"), 1u);
    EXPECT_EQ(harness::ReadFile(path_), content);
}

TEST_F(LogLoaderTest, LoadsAnEmptyFile) {
    ASSERT_EQ(Load(""), LOG_FILE_OK);
}

TEST_F(LogLoaderTest, LoadsMoreThanOneReadTakes) {
    constexpr size_t kCount = 3 * RECEIVE_SIZE / LINE_SIZE + 7;
    const std::string content = NumberLines(1000, kCount);
    ASSERT_EQ(Load(content), LOG_FILE_OK) << logger_.Text();
    for (uint32_t index = 0; index < kCount; ++index) {
        ASSERT_TRUE(dedup_map_contains(&map_, 1000 + index));
    }
}

TEST_F(LogLoaderTest, LoadingStopsWhenAskedTo) {
    const std::string content = NumberLines(0, 100) + "0000";
    harness::WriteFile(path_, content);
    ASSERT_EQ(Open(path_), LOG_FILE_OK);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    stop_fd_ = ends[0];
    EXPECT_EQ(LoadAgain(), LOG_FILE_OK);
    harness::WriteFile(path_, content);
    ASSERT_EQ(os_write(ends[1], "x", 1), 1);
    EXPECT_EQ(LoadAgain(), LOG_FILE_STOPPED);
    EXPECT_EQ(harness::ReadFile(path_), content);
    os_close(ends[0]);
    os_close(ends[1]);
}

TEST_F(LogLoaderTest, ShortReadsLoadTheSame) {
    ASSERT_TRUE(os_faulty_plan("pread:*:short=7"));
    ASSERT_EQ(Load(NumberLines(0, 100) + "0000"), LOG_FILE_OK) << logger_.Text();
    EXPECT_EQ(harness::ReadFile(path_), NumberLines(0, 100));
}

TEST_F(LogLoaderTest, CutsATornLastLineOff) {
    const std::string line = "123456789";
    for (size_t size = 1; size <= line.size(); ++size) {
        ASSERT_EQ(Load(NumberLines(static_cast<uint32_t>(size) * 10, 3) + line.substr(0, size)),
                  LOG_FILE_OK)
            << logger_.Text();
        EXPECT_EQ(harness::ReadFile(path_), NumberLines(static_cast<uint32_t>(size) * 10, 3));
        EXPECT_EQ(logger_.Count(" warning the end of " + path_ + " is cut off: a torn line of " +
                                std::to_string(size) + " byte" + (size == 1 ? "" : "s") +
                                " and 0 NUL bytes\n"),
                  1u);
        log_file_close(&log_);
        is_open_ = false;
    }
    EXPECT_FALSE(dedup_map_contains(&map_, 123456789)) << "a torn line is no number";
}

TEST_F(LogLoaderTest, NamesTheLineThatIsNoNumber) {
    ExpectRefused(NumberLines(0, 3) + "12345678x\n", 4, "is not nine digits");
}

TEST_F(LogLoaderTest, RefusesAnyOtherFile) {
    ExpectRefused("hello, world\n", 1, "is not nine digits");
}

TEST_F(LogLoaderTest, RefusesCarriageReturns) {
    ExpectRefused("123456789\r\n", 1, "is not nine digits");
}

TEST_F(LogLoaderTest, RefusesTheWordTerminate) {
    ExpectRefused(NumberLines(0, 2) + "terminate\n" + NumberLine(5), 3, "is not nine digits");
}

TEST_F(LogLoaderTest, RefusesTheTornWordTerminate) {
    ExpectRefused(NumberLines(0, 2) + "term", 3, "is not nine digits");
}

TEST_F(LogLoaderTest, NamesTheLineThatWasThereBefore) {
    ExpectRefused(NumberLines(0, 5) + NumberLine(2) + NumberLines(10, 5), 6,
                  "has a number that was there before");
}

TEST_F(LogLoaderTest, NamesTheFirstOfTwoFaults) {
    ExpectRefused(NumberLine(7) + NumberLine(7) + "x\n", 2, "has a number that was there before");
}

TEST_F(LogLoaderTest, NamesALineFarBehind) {
    constexpr size_t kCount = 2 * RECEIVE_SIZE / LINE_SIZE + 3;
    ExpectRefused(NumberLines(0, kCount) + "bad\n", kCount + 1, "is not nine digits");
}

TEST_F(LogLoaderTest, SaysWhyItCannotBeLoaded) {
    ASSERT_TRUE(os_faulty_plan("pread:1:EIO"));
    EXPECT_EQ(Load(NumberLines(0, 3)), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot read " + path_), 1u) << logger_.Text();
    log_file_close(&log_);
    ASSERT_TRUE(os_faulty_plan("map_memory:1:ENOMEM"));
    EXPECT_EQ(Load(NumberLines(0, 3)), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot load " + path_), 1u) << logger_.Text();
    log_file_close(&log_);
    ASSERT_TRUE(os_faulty_plan("ftruncate:1:EIO"));
    EXPECT_EQ(Load(NumberLines(0, 3) + "1"), LOG_FILE_FAILED);
    EXPECT_EQ(logger_.Count(" error cannot cut the torn last line of " + path_), 1u)
        << logger_.Text();
}

// As a power loss leaves a file that was made longer before its bytes were on the disk.
TEST_F(LogLoaderTest, CutsATailOfNulsOff) {
    constexpr size_t kMany = 3 * RECEIVE_SIZE + 11;
    for (const size_t digit_count : {0, 1, 5, 9}) {
        for (const size_t nul_count : {size_t{1}, size_t{10}, size_t{4096}, kMany}) {
            const auto first = static_cast<uint32_t>(nul_count * 10 + digit_count * 1000000);
            const std::string lines = NumberLines(first, 3);
            ASSERT_EQ(Load(lines + std::string("123456789").substr(0, digit_count) +
                           std::string(nul_count, '\0')),
                      LOG_FILE_OK)
                << logger_.Text();
            EXPECT_EQ(harness::ReadFile(path_), lines);
            EXPECT_EQ(logger_.Count(" a torn line of " + std::to_string(digit_count) + " byte" +
                                    (digit_count == 1 ? "" : "s") + " and " +
                                    std::to_string(nul_count) + " NUL byte"),
                      1u)
                << logger_.Text();
            log_file_close(&log_);
            is_open_ = false;
        }
    }
}

TEST_F(LogLoaderTest, AFileOfNothingButNulsIsALogThatLostEverything) {
    ASSERT_EQ(Load(std::string(8192, '\0')), LOG_FILE_OK);
    EXPECT_EQ(harness::ReadFile(path_), "");
}

TEST_F(LogLoaderTest, RefusesNulsBeforeTheEnd) {
    const std::string nuls(10, '\0');
    uint32_t first = 1000; // numbers that were loaded stay in the map
    for (const std::string &behind : {NumberLine(5), std::string("5"), std::string("\n")}) {
        ExpectRefused(NumberLines(first += 3, 3) + nuls + behind, 4, "is not nine digits");
        ExpectRefused(NumberLines(first += 3, 3) + "00" + nuls + behind, 4, "is not nine digits");
    }
}

// The writer does it later, when there is room (log_appender.h).
TEST_F(LogLoaderTest, ATornLineThatCannotBeCutForWantOfRoomIsNoFailure) {
    for (const char *error : {"ENOSPC", "EDQUOT"}) {
        ASSERT_TRUE(os_faulty_plan((std::string("ftruncate:1:") + error).c_str()));
        EXPECT_EQ(Load(std::string(error) == "ENOSPC" ? "000000001\n0" : "000000002\n0"),
                  LOG_FILE_OK);
        log_file_close(&log_);
        is_open_ = false;
    }
}

} // namespace
