// The ingest port of the records server as its users meet it.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/records/records_process.h"
#include "testing/patience.h"

namespace harness {
namespace {

using RecordsSenders = SqliteTest;

TEST_F(RecordsSenders, BadInputsAreAnsweredAndTheOthersAreKept) {
    RecordsServer server({location_, "--ack"});
    const std::string answer = server.Ingest(
        RecordLine("1") + "{\"id\": \"x\", \"name\": \"trunc\n" + RecordLine("2") +
        "{\"id\": {\"nested\": 1}, \"name\": \"n\", \"age\": \"a\"}\n" + RecordLine("3") +
        "{\"id\": \"x\", \"name\": 5, \"age\": \"a\"}\n" + "{\"id\": \"" + std::string(70000, 'x') +
        "\"}\n" + "{\"id\": \"\xC3\x28\", \"name\": \"\", \"age\": \"\"}\n" +
        "{\"id\": \"x\", \"id\": \"y\", \"name\": \"\", \"age\": \"\"}\n" + "x\n" +
        RecordLine("4").substr(0, RecordLine("4").size() - 1) + RecordLine("5") + "{\"id\": \"6");
    EXPECT_EQ(SplitLines(answer),
              (Ids{"{\"error\": \"bad JSON: newline inside a string\"}",
                   "{\"error\": \"\\\"id\\\" is not a string\"}",
                   "{\"error\": \"\\\"name\\\" is not a string\"}",
                   "{\"error\": \"record larger than 65536 bytes\"}",
                   "{\"error\": \"bad JSON: unable to decode byte 0xc3 near '\\\"'\"}",
                   "{\"error\": \"bad JSON: duplicate object key near '\\\"id\\\"'\"}",
                   "{\"error\": \"not a JSON object\"}",
                   "{\"error\": \"end of stream inside a record\"}", "{\"stored\": 5}"}));
    ExpectEachOnce(IdsOf(server.Query("all\n")), {"1", "2", "3", "4", "5"});
}

TEST_F(RecordsSenders, AStreamWithoutRecordsIsGivenUp) {
    RecordsServer server({location_});
    TcpClient client(server.ingest_port());
    const std::string noise(3 << 20, 'x');
    client.Send(RecordLine("1") + noise);
    client.HalfClose();
    client.WaitForEnding();
    EXPECT_EQ(client.received(), "{\"error\": \"not a JSON object\"}\n"
                                 "{\"error\": \"no next record found in 1048576 bytes\"}\n");
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_F(RecordsSenders, AnArrayIsSoManyRecordsAndHttpIsNone) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest("\xEF\xBB\xBF[" + RecordLine("1") + "," + RecordLine("2") + "]\n"),
              "{\"stored\": 2}\n");
    EXPECT_EQ(server.Ingest("POST / HTTP/1.1\r\nHost: x\r\n\r\n" + RecordLine("3")),
              "{\"error\": \"this is no HTTP server\"}\n{\"stored\": 0}\n");
    ExpectEachOnce(IdsOf(server.Query("all\n")), {"1", "2"});
}

// A sender that reads no answers is not read from any more, and holds up nobody else.
TEST_F(RecordsSenders, ASenderThatReadsNothing) {
    RecordsServer server({location_, "--ack"});
    TcpClient deaf(server.ingest_port());
    std::string noise;
    for (int count = 0; count < 16 << 20; count++) {
        noise += "x\n";
    }
    EXPECT_FALSE(deaf.Send(noise, std::chrono::milliseconds(1000)));
    EXPECT_EQ(server.Ingest(RecordLine("1")), "{\"stored\": 1}\n");
    deaf.Reset();
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_F(RecordsSenders, OneByteAtATime) {
    RecordsServer server({location_, "--ack"});
    TcpClient client(server.ingest_port());
    for (char byte : RecordLine("1") + RecordLine("2")) {
        ASSERT_TRUE(client.Send(std::string(1, byte)));
    }
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), "{\"stored\": 2}\n");
    ExpectEachOnce(IdsOf(server.Query("all\n")), {"1", "2"});
}

TEST_F(RecordsSenders, MoreClientsThanPlacesWaitTheirTurn) {
    RecordsServer server({location_, "--ack", "--max-clients=2"});
    std::vector<std::unique_ptr<TcpClient>> clients;
    Ids ids = MakeIds("", 20);
    for (const std::string &id : ids) {
        clients.push_back(std::make_unique<TcpClient>(server.ingest_port()));
        ASSERT_TRUE(clients.back()->Send(RecordLine(id)));
    }
    for (auto &client : clients) {
        client->HalfClose();
        EXPECT_EQ(client->WaitForEnding(), Ending::kFin);
        EXPECT_EQ(client->received(), "{\"stored\": 1}\n");
    }
    ExpectEachOnce(IdsOf(server.Query("all\n")), ids);
}

// As nc does without -N.
TEST_F(RecordsSenders, SendersThatNeverEndTheirStreamMakeRoom) {
    RecordsServer server({location_, "--ack", "--max-clients=2"});
    TcpClient first(server.ingest_port());
    TcpClient second(server.ingest_port());
    ASSERT_TRUE(first.Send(RecordLine("1")));
    ASSERT_TRUE(second.Send(RecordLine("2") + "{\"id\""));
    ASSERT_TRUE(first.WaitUntilRead());
    ASSERT_TRUE(second.WaitUntilRead());
    EXPECT_EQ(server.Ingest(RecordLine("3")), "{\"stored\": 1}\n");
    EXPECT_EQ(first.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(first.received(), "{\"stored\": 1}\n");
    EXPECT_EQ(second.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(second.received(),
              "{\"error\": \"end of stream inside a record\"}\n{\"stored\": 1}\n");
    ExpectEachOnce(IdsOf(server.Query("all\n")), {"1", "2", "3"});
}

// Every place that becomes free could be filled by the greedy one.
TEST_F(RecordsSenders, ASenderThatAlwaysHasMoreKeepsNobodyOut) {
    RecordsServer server({location_, "--ack", "--queue-size=1"});
    std::atomic<bool> is_over{false};
    std::thread greedy([&] {
        const std::string lines = RecordLines(MakeIds("greedy", 1000));
        TcpClient client(server.ingest_port());
        while (!is_over) {
            EXPECT_TRUE(client.Send(lines));
        }
    });
    const Ids ids = MakeIds("modest", 100);
    EXPECT_TRUE(Await([&] { return !server.Query("greedy0").empty(); })) << "it has not begun";
    EXPECT_EQ(server.Ingest(RecordLines(ids)), "{\"stored\": 100}\n");
    is_over = true;
    greedy.join();
}

TEST_F(RecordsSenders, AnIdleSenderIsReset) {
    RecordsServer server({location_, "--idle-timeout=0.2"});
    TcpClient client(server.ingest_port());
    ASSERT_TRUE(client.Send(RecordLine("1") + "{"));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
    ASSERT_TRUE(Await([&] { return server.Query("1") == ShownLine("1"); }));
}

TEST_F(RecordsSenders, TheRecordsOfAClientThatIsResetAreKept) {
    RecordsServer server({location_});
    TcpClient client(server.ingest_port());
    ASSERT_TRUE(client.Send(RecordLine("1") + "{\"id\":"));
    ASSERT_TRUE(client.WaitUntilRead());
    client.Reset();
    ASSERT_TRUE(Await([&] { return server.Query("1") == ShownLine("1"); }));
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_F(RecordsSenders, OnIpv6) {
    RecordsServer server({location_, "--ack", "--bind=::1"});
    TcpClient client(server.ingest_port(), "::1");
    ASSERT_TRUE(client.Send(RecordLine("1")));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), "{\"stored\": 1}\n");
}

} // namespace
} // namespace harness
