// The records server as its users meet it, with each store.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "server/records/records_process.h"
#include "testing/http_client.h"
#include "testing/patience.h"

namespace harness {
namespace {

constexpr char kNetcat[] = "/usr/bin/nc.openbsd";

class RecordsProcess : public StoresTest {
  protected:
    std::vector<std::string> Arguments(const std::vector<std::string> &more = {}) const {
        std::vector<std::string> arguments = {"--store=" + store_->Location()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
};

// What a shell loop of a thousand clients at a time sends.
TEST_P(RecordsProcess, AThousandNetcatsAtATime) {
    if (access(kNetcat, X_OK) != 0) {
        GTEST_SKIP() << "no " << kNetcat << " (package netcat-openbsd)";
    }
    RecordsServer server(Arguments());
    ProcessOptions loop;
    loop.arguments = {"/bin/bash", "-c",
                      "nc() { nc.openbsd \"$@\"; }; for i in {1..1000}; do echo {\\\"Id\\\": "
                      "\\\"$i\\\", \\\"Name\\\": \\\"John "
                      "Doe\\\", \\\"Age\\\": \\\"25\\\"} | nc -N 127.0.0.1 " +
                          std::to_string(server.ingest_port()) + " & done; wait"};
    ProcessResult result = RunToEnd(loop);
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, "");

    Ids expected = MakeIds("", 1001);
    expected.erase(expected.begin());
    EXPECT_TRUE(Await([&] { return store_->ReadIds().size() == expected.size(); }));
    ExpectEachOnce(store_->ReadIds(), expected);

    ProcessOptions query;
    query.arguments = {"/bin/bash", "-c",
                       "echo 'get data' | nc.openbsd 127.0.0.1 " +
                           std::to_string(server.query_port())};
    ProcessResult answer = RunToEnd(query);
    EXPECT_EQ(answer.status, Exited(0));
    ExpectEachOnce(IdsOf(answer.output), expected);
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_P(RecordsProcess, AcknowledgedRecordsAreInTheStore) {
    RecordsServer server(Arguments({"--ack"}));
    EXPECT_EQ(server.Ingest(""), "{\"stored\": 0}\n");
    EXPECT_EQ(server.Ingest(RecordLine("1") + RecordLine("2")), "{\"stored\": 2}\n");
    ExpectEachOnce(store_->ReadIds(), {"1", "2"});
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_P(RecordsProcess, LookingUpRecords) {
    RecordsServer server(Arguments({"--ack"}));
    server.Ingest(RecordLine("1") + RecordLine("2") + RecordLine("x y") + RecordLine("1"));
    EXPECT_EQ(server.Query("id 2\n"), ShownLine("2"));
    EXPECT_EQ(server.Query("2"), ShownLine("2"));
    EXPECT_EQ(server.Query("id x y\r\n"), ShownLine("x y"));
    EXPECT_EQ(server.Query("x y\n"), ShownLine("x y"));
    EXPECT_EQ(server.Query("1\n"), ShownLine("1") + ShownLine("1"));
    EXPECT_EQ(server.Query("3\n"), "") << "a number that is no record's id";
    EXPECT_EQ(server.Query("id get data\n"), "");
    for (const char *request : {"", "\n", "get data\n", "all\n", "GET / HTTP/1.1\r\n\r\n"}) {
        ExpectEachOnce(IdsOf(server.Query(request)).size() == 4 ? Ids{"4"} : Ids{request}, {"4"});
    }
}

TEST_P(RecordsProcess, TheRecordsStayWhenTheServerIsStartedAgain) {
    {
        RecordsServer server(Arguments());
        server.Ingest(RecordLine("1"));
        EXPECT_EQ(server.Stop(), Exited(0));
    }
    RecordsServer server(Arguments({"--ack"}));
    server.Ingest(RecordLine("2"));
    ExpectEachOnce(IdsOf(server.Query("all\n")), {"1", "2"});
}

// 64 KiB records, which leave the buffer and the batches at their limits.
TEST_P(RecordsProcess, LargeRecords) {
    RecordsServer server(Arguments({"--ack", "--queue-size=3"}));
    Ids ids;
    for (int index = 0; index < 50; index++) {
        ids.push_back(std::string(static_cast<size_t>(60000 + index), '\'') +
                      std::to_string(index));
    }
    EXPECT_EQ(server.Ingest(RecordLines(ids)), "{\"stored\": 50}\n");
    ExpectEachOnce(IdsOf(server.Query("all\n")), ids);
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordsProcess, testing::Values("sqlite", "file", "mysql"),
                         KindOf);

class RecordsBuffer : public RecordsProcess {};

// What is not in the store yet is shown from the buffer, and never twice.
TEST_P(RecordsBuffer, QueriesWhileTheStoreIsDown) {
    RecordsServer server(Arguments({"--ack", "--http-port=0"}));
    const std::uint16_t http_port = WaitForHttpPort(&server.process());
    server.Ingest(RecordLine("old"));
    EXPECT_EQ(HttpGet(http_port, "/readyz").code, 200);
    store_->GoDown();
    TcpClient sender(server.ingest_port());
    ASSERT_TRUE(sender.Send(RecordLine("new") + RecordLine("7")));
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith("the store takes no records")));
    ASSERT_TRUE(Await([&] { return SplitLines(server.Query("any\n")).size() == 2; }));
    EXPECT_TRUE(WaitForHttpCode(http_port, "/readyz", 503));
    const std::string metrics = HttpGet(http_port, "/metrics").body;
    EXPECT_EQ(MetricValue(metrics, "records_ready"), 0);
    EXPECT_EQ(MetricValue(metrics, "records_received_total"), 3);
    EXPECT_EQ(MetricValue(metrics, "records_stored_total"), 1);
    EXPECT_EQ(MetricValue(metrics, "records_queue_length"), 2);
    EXPECT_EQ(MetricValue(metrics, "records_senders"), 1);
    EXPECT_EQ(server.Query("get data\n"), ShownLine("new") + ShownLine("7"));
    EXPECT_EQ(server.Query("id new\n"), ShownLine("new"));
    EXPECT_EQ(server.Query("7\n"), ShownLine("7"));
    store_->ComeBack();
    sender.HalfClose();
    EXPECT_EQ(sender.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(sender.received(), "{\"stored\": 2}\n");
    EXPECT_TRUE(WaitForHttpCode(http_port, "/readyz", 200));
    ExpectEachOnce(IdsOf(server.Query("all\n")), {"old", "new", "7"});
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_P(RecordsBuffer, AStoreThatIsDownTooLong) {
    RecordsServer server(Arguments({"--ack"}));
    EXPECT_EQ(server.Ingest(RecordLine("old")), "{\"stored\": 1}\n");
    store_->GoDown();
    TcpClient sender(server.ingest_port());
    ASSERT_TRUE(sender.Send(RecordLine("new")));
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith("the store takes no records")));
    server.process().Signal(SIGTERM);
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith("shutting down")));
    server.process().Signal(SIGTERM);
    EXPECT_EQ(server.process().WaitForExit(), Exited(74));
    EXPECT_EQ(server.CountMessages("1 records are not known to be stored, 1 senders were cut"), 1u);
    EXPECT_NE(sender.WaitForEnding(), Ending::kNone);
    EXPECT_EQ(sender.received(), "") << "nothing was acknowledged";
    store_->ComeBack();
    ExpectEachOnce(store_->ReadIds(), {"old"});
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordsBuffer, testing::Values("sqlite", "mysql"), KindOf);

class RecordsHang : public RecordsProcess {
  protected:
    // Far less than the store's limit of time for an answer.
    static constexpr std::chrono::seconds kSoon{10};

    // Writes more than the kernel holds between store and client, so that an answer takes a while.
    void Fill(const RecordsServer &server) {
        for (int index = 0; index < 400; index++) {
            ids_.push_back(std::string(60000, 'x') + std::to_string(index));
        }
        EXPECT_EQ(server.Ingest(RecordLines(ids_)), "{\"stored\": 400}\n");
    }
    // A client in the middle of its answer, of a store that hangs from then on.
    TcpClient HangInTheMiddleOfAnAnswer(const RecordsServer &server) {
        TcpClient client(server.query_port());
        EXPECT_TRUE(client.Send("all\n"));
        EXPECT_EQ(client.ReceiveUntil([](const std::string &text) { return !text.empty(); }),
                  Ending::kNone);
        store_->Hang();
        EXPECT_EQ(client.WaitForEnding(std::chrono::milliseconds(500)), Ending::kNone);
        return client;
    }
    // Half an answer is not to be taken for a whole one.
    static void ExpectCutOff(TcpClient *client) {
        if (client->WaitForEnding() != Ending::kReset) {
            EXPECT_TRUE(HasLineWith("{\"error\": ")(client->received()));
        }
    }
    Ids ids_;
};

TEST_P(RecordsHang, ASecondSignalEndsTheServer) {
    RecordsServer server(Arguments({"--ack", "--workers=2"}));
    Fill(server);
    TcpClient reader = HangInTheMiddleOfAnAnswer(server);
    TcpClient sender(server.ingest_port());
    ASSERT_TRUE(sender.Send(RecordLine("new")));
    ASSERT_TRUE(sender.WaitUntilRead());
    server.process().Signal(SIGTERM);
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith("shutting down")));
    server.process().Signal(SIGTERM);
    EXPECT_EQ(server.process().WaitForExit(kSoon), Exited(74));
    EXPECT_EQ(server.CountMessages("1 records are not known to be stored, 1 senders were cut"), 1u);
    EXPECT_NE(sender.WaitForEnding(), Ending::kNone);
    EXPECT_EQ(sender.received(), "") << "nothing was acknowledged";
    ExpectCutOff(&reader);
    store_->GoDown();
    store_->ComeBack();
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordsHang, testing::Values("mysql"), KindOf);

} // namespace
} // namespace harness
