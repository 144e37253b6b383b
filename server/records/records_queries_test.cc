// The query port of the records server as its users meet it.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "server/records/limits.h"
#include "server/records/records_process.h"
#include "testing/patience.h"

namespace harness {
namespace {

using RecordsQueries = SqliteTest;

// Clients that ask for the same, and whose requests have all been read.
std::vector<TcpClient> Ask(const RecordsServer &server, int count, const std::string &request) {
    std::vector<TcpClient> clients;
    for (int index = 0; index < count; index++) {
        clients.emplace_back(server.query_port());
        EXPECT_TRUE(clients.back().Send(request));
        EXPECT_TRUE(clients.back().WaitUntilRead());
    }
    return clients;
}

TEST_F(RecordsQueries, ARequestNeedsNoNewlineAndNoEndOfStream) {
    RecordsServer server({location_, "--ack"});
    server.Ingest(RecordLine("1"));
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("get data"));
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), ShownLine("1"));
}

// More of them than there are threads to answer: whoever reads nothing is in nobody's way but
// that of other queries.
TEST_F(RecordsQueries, SlowReadersDoNotHoldUpTheSenders) {
    RecordsServer server({location_, "--ack"});
    const Ids ids = MakeIds("", 100000);
    EXPECT_EQ(server.Ingest(RecordLines(ids)), "{\"stored\": 100000}\n");
    std::vector<TcpClient> readers = Ask(server, 20, "all\n");
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("more", 20000))), "{\"stored\": 20000}\n");
    EXPECT_EQ(server.Stop(), Exited(0));
    // Nobody takes half an answer for a whole one.
    EXPECT_EQ(readers[0].WaitForEnding(), Ending::kReset);
}

// As many as may wait for a long answer at a time: lookups are answered beside them.
TEST_F(RecordsQueries, SlowReadersDoNotHoldUpLookups) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("", 200000))), "{\"stored\": 200000}\n");
    const auto readers = Ask(server, RECORDS_LONG_QUERIES_MAX, "all\n");
    for (const char *request : {"id 5\n", "5\n"}) {
        TcpClient client(server.query_port());
        ASSERT_TRUE(client.Send(request));
        // Readers that take nothing are cut off later than this.
        EXPECT_EQ(client.WaitForEnding(std::chrono::seconds(15)), Ending::kFin) << request;
        EXPECT_EQ(client.received(), ShownLine("5"));
    }
    EXPECT_EQ(server.Query("all\n"),
              "{\"error\": \"too many long answers at a time; ask again later\"}\n");
}

// Once one of them has its answer, the next has its turn.
TEST_F(RecordsQueries, LongAnswersTakeTurns) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("", 100000))), "{\"stored\": 100000}\n");
    std::vector<TcpClient> readers = Ask(server, RECORDS_QUERY_THREADS, "all\n");
    for (auto &reader : readers) {
        EXPECT_EQ(reader.WaitForEnding(), Ending::kFin);
        EXPECT_EQ(reader.received().size(), readers[0].received().size());
    }
}

// Takes an answer in drops, through buffers that are small on both sides.
class Trickle {
  public:
    explicit Trickle(std::uint16_t port) {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int size = 4096;
        const int segment_size = 536;
        const char request[] = "all\n";
        if (setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) != 0 ||
            setsockopt(fd_, IPPROTO_TCP, TCP_MAXSEG, &segment_size, sizeof segment_size) != 0 ||
            connect(fd_, reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 ||
            send(fd_, request, strlen(request), MSG_NOSIGNAL) < 0) {
            ThrowErrno("trickle");
        }
    }
    ~Trickle() {
        close(fd_);
    }
    Trickle(const Trickle &) = delete;
    Trickle &operator=(const Trickle &) = delete;

    void TakeADrop() {
        char drop[256];
        const ssize_t size = recv(fd_, drop, sizeof drop, MSG_DONTWAIT);
        is_over_ = is_over_ || (size == 0 && !is_reset_); // after a reset it is 0, too
        is_reset_ = is_reset_ || (size < 0 && errno == ECONNRESET);
    }
    // It was cut off; it got the end of its answer.
    bool is_reset() const {
        return is_reset_;
    }
    bool is_over() const {
        return is_over_;
    }

  private:
    int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_over_ = false;
    bool is_reset_ = false;
};

// Each takes something again and again, and yet not for ever: the turn is another's after half a
// minute. This test waits for that.
TEST_F(RecordsQueries, ATrickleDoesNotKeepTheOthersFromTheirTurn) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("", 200000))), "{\"stored\": 200000}\n");
    std::vector<std::unique_ptr<Trickle>> trickles;
    for (int count = 0; count < RECORDS_QUERY_THREADS; count++) {
        trickles.push_back(std::make_unique<Trickle>(server.query_port()));
    }
    const auto take_drops = [&trickles] {
        bool is_one_reset = false;
        for (auto &trickle : trickles) {
            trickle->TakeADrop();
            EXPECT_FALSE(trickle->is_over()) << "faster than meant";
            is_one_reset = is_one_reset || trickle->is_reset();
        }
        return is_one_reset;
    };
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("all\n"));
    EXPECT_TRUE(Await(
        [&] {
            take_drops();
            return client.WaitForEnding(std::chrono::milliseconds(50)) != Ending::kNone;
        },
        4 * kPatience));
    EXPECT_EQ(client.WaitForEnding(std::chrono::milliseconds(0)), Ending::kFin);
    EXPECT_EQ(IdsOf(client.received()).size(), 200000u);
    EXPECT_TRUE(Await(take_drops)) << "nobody takes a part for the whole";
}

// A lookup may have a long answer, too, and nobody who takes it.
TEST_F(RecordsQueries, ALookupThatNobodyTakesDoesNotHoldUpTheOthers) {
    RecordsServer server({location_, "--ack"});
    std::string lines = RecordLine("other");
    for (int count = 0; count < 200000; count++) {
        lines += RecordLine("same");
    }
    EXPECT_EQ(server.Ingest(lines), "{\"stored\": 200001}\n");
    const auto readers = Ask(server, RECORDS_QUERY_THREADS, "id same\n");
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("id other\n"));
    EXPECT_EQ(client.WaitForEnding(std::chrono::seconds(15)), Ending::kFin);
    EXPECT_EQ(client.received(), ShownLine("other"));
}

using RecordsAnswers = StoresTest;

// More than all buffers between the server and a client hold, so that it waits in the middle.
TEST_P(RecordsAnswers, AnAnswerWhoseStoreFailsInTheMiddleEndsWithTheError) {
    constexpr size_t kCount = 60000;
    const std::string kind = GetParam();
    const std::string path = store_->Location().substr(kind.size() + 1);
    std::string lines;
    for (const std::string &id : MakeIds("", kCount)) {
        lines += "{\"id\": \"" + id + "\", \"name\": \"" + std::string(500, 'n') +
                 "\", \"age\": \"1\"}\n";
    }
    RecordsServer server({"--store=" + store_->Location(), "--ack"});
    EXPECT_EQ(server.Ingest(lines), "{\"stored\": " + std::to_string(kCount) + "}\n");
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("all\n"));
    EXPECT_EQ(client.ReceiveUntil([](const std::string &got) { return !got.empty(); }),
              Ending::kNone);
    if (kind == "file") {
        ASSERT_EQ(truncate(path.c_str(), 0), 0);
    } else if (kind == "sqlite") {
        ASSERT_EQ(rename(path.c_str(), (path + ".old").c_str()), 0);
    } else {
        store_->GoDown();
    }
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    const std::vector<std::string> answer = SplitLines(client.received());
    ASSERT_GT(answer.size(), 1u);
    EXPECT_LT(answer.size(), kCount);
    EXPECT_EQ(answer.back().rfind("{\"error\": \"", 0), 0u) << answer.back();
    const std::string &before = answer[answer.size() - 2];
    EXPECT_EQ(before.rfind("{\"id\": \"", 0), 0u) << before;
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordsAnswers, testing::Values("sqlite", "file", "mysql"),
                         KindOf);

TEST_F(RecordsQueries, AnAnswerThatIsCutOffByKillNineIsReset) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("", 200000))), "{\"stored\": 200000}\n");
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("all\n"));
    client.HalfClose();
    EXPECT_EQ(client.ReceiveUntil([](const std::string &received) { return !received.empty(); }),
              Ending::kNone);
    server.process().Signal(SIGKILL);
    EXPECT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
}

// As many as there are threads to answer; each has its answer and goes on sending.
TEST_F(RecordsQueries, WhoNeverEndsItsSideDoesNotHoldUpTheQueries) {
    RecordsServer server({location_, "--ack"});
    server.Ingest(RecordLine("1"));
    std::vector<TcpClient> talkers = Ask(server, RECORDS_QUERY_THREADS, "all\n");
    for (auto &talker : talkers) {
        EXPECT_EQ(talker.WaitForEnding(), Ending::kFin);
        EXPECT_EQ(talker.received(), ShownLine("1"));
    }
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("all\n"));
    EXPECT_TRUE(Await([&] {
        for (auto &talker : talkers) {
            talker.Send("x");
        }
        return client.WaitForEnding(std::chrono::milliseconds(50)) != Ending::kNone;
    }));
    EXPECT_EQ(client.received(), ShownLine("1"));
}

TEST_F(RecordsQueries, ARequestThatNeverEndsIsReset) {
    RecordsServer server({location_});
    TcpClient client(server.query_port());
    EXPECT_TRUE(Await([&] {
        client.Send("x");
        return client.WaitForEnding(std::chrono::milliseconds(50)) != Ending::kNone;
    }));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
}

// The places are for those who ask for something.
TEST_F(RecordsQueries, SilentClientsMakeRoomAtTheQueryPort) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLine("1")), "{\"stored\": 1}\n");
    std::vector<std::unique_ptr<TcpClient>> silent;
    for (int count = 0; count < RECORDS_QUERIES_MAX; count++) {
        silent.push_back(std::make_unique<TcpClient>(server.query_port()));
    }
    EXPECT_EQ(server.Query("id 1\n"), ShownLine("1"));
    EXPECT_EQ(silent.front()->WaitForEnding(std::chrono::milliseconds(0)), Ending::kReset);
    // Only as many as were needed.
    ASSERT_EQ(silent.back()->WaitForEnding(std::chrono::milliseconds(0)), Ending::kNone);
    ASSERT_TRUE(silent.back()->Send("id 1\n"));
    EXPECT_EQ(silent.back()->WaitForEnding(), Ending::kFin);
    EXPECT_EQ(silent.back()->received(), ShownLine("1"));
}

} // namespace
} // namespace harness
