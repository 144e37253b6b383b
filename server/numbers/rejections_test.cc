// How those who are turned away show in the server's messages.

#include "server/numbers/rejections.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <string>

#include "server/numbers/limits.h"
#include "server/runtime/captured_logger.h"
#include "gtest/gtest.h"

namespace {

sockaddr_storage Peer(uint16_t port) {
    sockaddr_storage address{};
    auto *ipv4 = reinterpret_cast<sockaddr_in *>(&address);
    ipv4->sin_family = AF_INET;
    ipv4->sin_port = htons(port);
    EXPECT_EQ(inet_pton(AF_INET, "192.0.2.7", &ipv4->sin_addr), 1);
    return address;
}

class RejectionsTest : public testing::Test {
  protected:
    RejectionsTest() {
        rejections_init(&rejections_, logger_.get());
    }

    void Add(rejection reason, const std::string &bytes = "", int error = 0) {
        const sockaddr_storage peer = Peer(++port_);
        rejections_add(&rejections_, reason, &peer, bytes.data(), bytes.size(), error);
    }

    CapturedLogger logger_;
    rejections rejections_{};
    uint16_t port_ = 0;
};

TEST_F(RejectionsTest, EachOneIsALineWithItsReason) {
    Add(REJECTION_FULL);
    Add(REJECTION_BAD_LINE, "12\x1b[2J\n\"x\xc2\x9b");
    Add(REJECTION_TERMINATE);
    Add(REJECTION_IDLE);
    Add(REJECTION_LOST, "123", ECONNRESET);
    for (const char *line :
         {"debug refused 192.0.2.7:1: all places taken\n",
          "debug reset 192.0.2.7:2: a bad line: \"12\\x1b[2J\\n\\\"x\\xc2\\x9b\"\n",
          "debug reset 192.0.2.7:3: `terminate` does not count from there\n",
          "debug reset 192.0.2.7:4: silent for too long\n",
          "debug lost 192.0.2.7:5: Connection reset by peer\n"}) {
        EXPECT_EQ(logger_.Count(line), 1u) << line << logger_.Text();
    }
    EXPECT_EQ(logger_.Count("warning"), 0u);
}

TEST_F(RejectionsTest, AWarningCountsThemByReason) {
    EXPECT_EQ(rejections_deadline_ms(&rejections_), INT64_MAX);
    Add(REJECTION_IDLE);
    EXPECT_LE(rejections_deadline_ms(&rejections_), 5);
    rejections_run(&rejections_, 5);
    EXPECT_EQ(logger_.Count("warning 1 client turned away or lost: 1 silent for too long; "
                            "the last one: 192.0.2.7:1\n"),
              1u)
        << logger_.Text();

    // Nothing new, however late it is; then something, but too early.
    rejections_run(&rejections_, 5 + 2 * REJECTION_WARNING_PERIOD_MS);
    EXPECT_EQ(rejections_deadline_ms(&rejections_), INT64_MAX);
    EXPECT_EQ(logger_.Count("warning"), 1u);
    Add(REJECTION_FULL);
    rejections_run(&rejections_, 5 + 2 * REJECTION_WARNING_PERIOD_MS);
    Add(REJECTION_FULL);
    Add(REJECTION_BAD_LINE, "x");
    const int64_t due_ms = 5 + 3 * REJECTION_WARNING_PERIOD_MS;
    EXPECT_EQ(rejections_deadline_ms(&rejections_), due_ms);
    rejections_run(&rejections_, due_ms - 1);
    EXPECT_EQ(logger_.Count("warning"), 2u);
    rejections_run(&rejections_, due_ms);
    EXPECT_EQ(logger_.Count("warning 2 clients turned away or lost: 1 refused for want of a place, "
                            "1 for a bad line; the last one: 192.0.2.7:4\n"),
              1u)
        << logger_.Text();
}

TEST_F(RejectionsTest, TheEndSaysWhatNoWarningHas) {
    rejections_finish(&rejections_);
    EXPECT_EQ(logger_.Text(), "");
    Add(REJECTION_FULL);
    rejections_run(&rejections_, 5);
    Add(REJECTION_FULL);
    rejections_run(&rejections_, 6);
    rejections_finish(&rejections_);
    EXPECT_EQ(logger_.Count("warning"), 1u);
    EXPECT_EQ(logger_.Count("info 1 client turned away or lost: 1 refused for want of a place; "
                            "the last one: 192.0.2.7:2\n"),
              1u)
        << logger_.Text();
}

TEST_F(RejectionsTest, AllReasonsHaveRoomInOneLine) {
    for (int reason = 0; reason < REJECTION_COUNT; ++reason) {
        rejections_.counts[reason] = UINT64_MAX / (2 * REJECTION_COUNT);
    }
    Add(REJECTION_LOST, "", ETIMEDOUT);
    rejections_run(&rejections_, 0);
    EXPECT_EQ(logger_.Count("the last one: 192.0.2.7:1\n"), 1u) << logger_.Text();
    EXPECT_EQ(logger_.Count("lost or reset by the other end;"), 1u) << logger_.Text();
}

} // namespace
