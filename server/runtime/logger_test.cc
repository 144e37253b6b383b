#include "server/runtime/logger.h"

#include <fcntl.h>
#include <regex.h>
#include <unistd.h>

#include <string>

#include "server/runtime/captured_logger.h"
#include "gtest/gtest.h"

namespace {

bool Matches(const std::string &text, const char *pattern) {
    regex_t compiled;
    if (regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return false;
    }
    const bool matches = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
    regfree(&compiled);
    return matches;
}

TEST(LoggerTest, PrintsTimeLevelAndMessageOnOneLine) {
    CapturedLogger logger;
    logger_print(logger.get(), LOG_LEVEL_INFO, "listening on %s:%d", "127.0.0.1", 4000);
    EXPECT_TRUE(Matches(logger.Text(), "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                                       "\\.[0-9]{3}Z info listening on 127\\.0\\.0\\.1:4000\n$"))
        << logger.Text();
}

TEST(LoggerTest, NamesEveryLevel) {
    CapturedLogger logger;
    for (const log_level level :
         {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR}) {
        logger_print(logger.get(), level, "x");
    }
    EXPECT_TRUE(Matches(logger.Text(), "^[^ ]+ debug x\n[^ ]+ info x\n[^ ]+ warning x\n"
                                       "[^ ]+ error x\n$"))
        << logger.Text();
    EXPECT_EQ(log_level_names[LOG_LEVEL_ERROR + 1], nullptr);
}

TEST(LoggerTest, LeavesOutWhatIsBelowTheLevel) {
    CapturedLogger logger(LOG_LEVEL_WARNING);
    logger_print(logger.get(), LOG_LEVEL_DEBUG, "a");
    logger_print(logger.get(), LOG_LEVEL_INFO, "b");
    EXPECT_EQ(logger.Text(), "");
    logger_print(logger.get(), LOG_LEVEL_WARNING, "c");
    logger_print(logger.get(), LOG_LEVEL_ERROR, "d");
    EXPECT_EQ(logger.Count("\n"), 2u);
}

TEST(LoggerTest, AnnouncesAtEveryLevel) {
    CapturedLogger logger(LOG_LEVEL_ERROR);
    logger_announce(logger.get(), "listening on %s:%d", "127.0.0.1", 4000);
    EXPECT_EQ(logger.Count(" info listening on 127.0.0.1:4000\n"), 1u);
}

TEST(LoggerTest, AMessageOfAnyLengthIsOneLine) {
    for (size_t size = 900; size < 1100; ++size) {
        CapturedLogger logger;
        logger_print(logger.get(), LOG_LEVEL_INFO, "%s", std::string(size, 'x').c_str());
        const std::string text = logger.Text();
        ASSERT_LE(text.size(), 1024u);
        ASSERT_EQ(logger.Count("\n"), 1u) << size;
        ASSERT_EQ(text.back(), '\n') << size;
        ASSERT_EQ(text.find('\0'), std::string::npos) << size;
    }
}

TEST(LoggerTest, ALongMessageKeepsItsReason) {
    CapturedLogger logger;
    logger_print(logger.get(), LOG_LEVEL_ERROR, "cannot open %s: %s",
                 std::string(4095, 'x').c_str(), "File name too long");
    EXPECT_EQ(logger.Count("xxx: File name too long\n"), 1u) << logger.Text();
    EXPECT_EQ(logger.Count("error cannot open xxx"), 1u) << logger.Text();
}

TEST(LoggerTest, NothingInAMessageMovesTheCursor) {
    CapturedLogger logger;
    logger_print(logger.get(), LOG_LEVEL_ERROR, "cannot open %s", "a\nb\x1b[2J\x9b\x7f");
    EXPECT_EQ(logger.Count("cannot open a\\nb\\x1b[2J\\x9b\\x7f\n"), 1u) << logger.Text();
}

TEST(LoggerTest, OutlivesAnOutputThatFails) {
    logger logger;
    logger_init(&logger, LOG_LEVEL_INFO);
    EXPECT_EQ(logger.fd, 2);
    logger.fd = -1;
    logger_print(&logger, LOG_LEVEL_ERROR, "nobody hears this");
}

TEST(LoggerTest, DoesNotWaitForAReaderThatHasStoppedReading) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    while (write(ends[1], "x", 1) == 1) {
    }
    ASSERT_EQ(fcntl(ends[1], F_SETFL, 0), 0); // a write would block now
    logger logger;
    logger_init(&logger, LOG_LEVEL_INFO);
    logger.fd = ends[1];
    logger_print(&logger, LOG_LEVEL_ERROR, "there is no room for this");
    char letter = 'x';
    while (read(ends[0], &letter, 1) == 1) {
        ASSERT_EQ(letter, 'x');
    }
    logger_print(&logger, LOG_LEVEL_ERROR, "there is room for this");
    char line[100];
    EXPECT_GT(read(ends[0], line, sizeof line), 0);
    close(ends[0]);
    close(ends[1]);
}

TEST(WarningLimiterTest, LetsOneThroughEachPeriod) {
    warning_limiter limiter{};
    EXPECT_TRUE(warning_limiter_allows(&limiter, 5000));
    EXPECT_FALSE(warning_limiter_allows(&limiter, 5000));
    EXPECT_FALSE(warning_limiter_allows(&limiter, 5000 + WARNING_PERIOD_MS - 1));
    EXPECT_TRUE(warning_limiter_allows(&limiter, 5000 + WARNING_PERIOD_MS));
    EXPECT_FALSE(warning_limiter_allows(&limiter, 5000 + WARNING_PERIOD_MS + 1));
}

} // namespace
