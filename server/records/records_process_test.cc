// The records server as its users meet it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/records/limits.h"
#include "server/records/records_process.h"
#include "testing/http_client.h"
#include "testing/patience.h"

namespace {

using harness::Await;
using harness::Ending;
using harness::Exited;
using harness::ExitStatus;
using harness::ExpectEachOnce;
using harness::HasLineWith;
using harness::HttpGet;
using harness::IdsOf;
using harness::MakeIds;
using harness::MakeTestedStore;
using harness::MetricValue;
using harness::ProcessOptions;
using harness::ProcessResult;
using harness::RecordLine;
using harness::RecordLines;
using harness::RecordsServer;
using harness::RecordsServerCommand;
using harness::RunToEnd;
using harness::ShownLine;
using harness::SplitLines;
using harness::TcpClient;
using harness::TemporaryDirectory;
using harness::TestedStore;
using harness::WaitForHttpCode;
using harness::WaitForHttpPort;
using Ids = std::vector<std::string>;

constexpr char kNetcat[] = "/usr/bin/nc.openbsd";

class RecordsProcess : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override {
        if (!harness::WhyNoStore(GetParam()).empty()) {
            GTEST_SKIP() << harness::WhyNoStore(GetParam());
        }
        store_ = MakeTestedStore(GetParam());
    }
    std::vector<std::string> Arguments(const std::vector<std::string> &more = {}) const {
        std::vector<std::string> arguments = {"--store=" + store_->Location()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }
    std::unique_ptr<TestedStore> store_;
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
                         [](const auto &param_info) { return std::string(param_info.param); });

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

INSTANTIATE_TEST_SUITE_P(Stores, RecordsBuffer, testing::Values("sqlite", "mysql"),
                         [](const auto &param_info) { return std::string(param_info.param); });

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

INSTANTIATE_TEST_SUITE_P(Stores, RecordsHang, testing::Values("mysql"),
                         [](const auto &param_info) { return std::string(param_info.param); });

class Records : public testing::Test {
  protected:
    TemporaryDirectory directory_;
    std::string location_ = "--store=sqlite:" + directory_.File("records.db");
};

TEST_F(Records, BadInputsAreAnsweredAndTheOthersAreKept) {
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

TEST_F(Records, AStreamWithoutRecordsIsGivenUp) {
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

// A sender that reads no answers is not read from any more, and holds up nobody else.
TEST_F(Records, ASenderThatReadsNothing) {
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

TEST_F(Records, OneByteAtATime) {
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

TEST_F(Records, ARequestNeedsNoNewlineAndNoEndOfStream) {
    RecordsServer server({location_, "--ack"});
    server.Ingest(RecordLine("1"));
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("get data"));
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), ShownLine("1"));
}

TEST_F(Records, MoreClientsThanPlacesWaitTheirTurn) {
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
TEST_F(Records, SendersThatNeverEndTheirStreamMakeRoom) {
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
TEST_F(Records, ASenderThatAlwaysHasMoreKeepsNobodyOut) {
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

// More of them than there are threads to answer: whoever reads nothing is in nobody's way but
// that of other queries.
TEST_F(Records, SlowReadersDoNotHoldUpTheSenders) {
    RecordsServer server({location_, "--ack"});
    const Ids ids = MakeIds("", 100000);
    EXPECT_EQ(server.Ingest(RecordLines(ids)), "{\"stored\": 100000}\n");
    std::vector<std::unique_ptr<TcpClient>> readers;
    for (int count = 0; count < 20; count++) {
        readers.push_back(std::make_unique<TcpClient>(server.query_port()));
        ASSERT_TRUE(readers.back()->Send("all\n"));
    }
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("more", 20000))), "{\"stored\": 20000}\n");
    EXPECT_EQ(server.Stop(), Exited(0));
    // Nobody takes half an answer for a whole one.
    EXPECT_EQ(readers[0]->WaitForEnding(), Ending::kReset);
}

// As many of them as there are threads, and nothing but a lookup is answered beside them.
TEST_F(Records, SlowReadersDoNotHoldUpLookups) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("", 200000))), "{\"stored\": 200000}\n");
    std::vector<std::unique_ptr<TcpClient>> readers;
    for (int count = 0; count < RECORDS_QUERY_THREADS; count++) {
        readers.push_back(std::make_unique<TcpClient>(server.query_port()));
        ASSERT_TRUE(readers.back()->Send("all\n"));
        ASSERT_TRUE(readers.back()->WaitUntilRead());
    }
    for (const char *request : {"id 5\n", "5\n"}) {
        TcpClient client(server.query_port());
        ASSERT_TRUE(client.Send(request));
        // Readers that take nothing are cut off later than this.
        EXPECT_EQ(client.WaitForEnding(std::chrono::seconds(15)), Ending::kFin) << request;
        EXPECT_EQ(client.received(), ShownLine("5"));
    }
    // Once one of them has its answer, the others have their turn.
    for (auto &reader : readers) {
        EXPECT_EQ(reader->WaitForEnding(), Ending::kFin);
        EXPECT_EQ(reader->received().size(), readers[0]->received().size());
    }
}

TEST_F(Records, AnAnswerThatIsCutOffByKillNineIsReset) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLines(MakeIds("", 200000))), "{\"stored\": 200000}\n");
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("all\n"));
    client.HalfClose();
    EXPECT_EQ(client.ReceiveUntil([](const std::string &received) { return !received.empty(); }),
              Ending::kNone);
    server.process().Signal(SIGKILL);
    EXPECT_EQ(server.process().WaitForExit(), harness::Killed(SIGKILL));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
}

// As many as there are threads to answer; each has its answer and goes on sending.
TEST_F(Records, WhoNeverEndsItsSideDoesNotHoldUpTheQueries) {
    RecordsServer server({location_, "--ack"});
    server.Ingest(RecordLine("1"));
    std::vector<std::unique_ptr<TcpClient>> talkers;
    for (int count = 0; count < RECORDS_QUERY_THREADS; count++) {
        talkers.push_back(std::make_unique<TcpClient>(server.query_port()));
        ASSERT_TRUE(talkers.back()->Send("all\n"));
    }
    for (auto &talker : talkers) {
        EXPECT_EQ(talker->WaitForEnding(), Ending::kFin);
        EXPECT_EQ(talker->received(), ShownLine("1"));
    }
    TcpClient client(server.query_port());
    ASSERT_TRUE(client.Send("all\n"));
    EXPECT_TRUE(Await([&] {
        for (auto &talker : talkers) {
            talker->Send("x");
        }
        return client.WaitForEnding(std::chrono::milliseconds(50)) != Ending::kNone;
    }));
    EXPECT_EQ(client.received(), ShownLine("1"));
}

TEST_F(Records, ARequestThatNeverEndsIsReset) {
    RecordsServer server({location_});
    TcpClient client(server.query_port());
    EXPECT_TRUE(Await([&] {
        client.Send("x");
        return client.WaitForEnding(std::chrono::milliseconds(50)) != Ending::kNone;
    }));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
}

// The places are for those who ask for something.
TEST_F(Records, SilentClientsMakeRoomAtTheQueryPort) {
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

TEST_F(Records, AFileThatSomebodyEmptiesGoesOn) {
    const std::string path = directory_.File("records.jsonl");
    RecordsServer server({"--store=file:" + path, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLine("1") + RecordLine("2")), "{\"stored\": 2}\n");
    ASSERT_EQ(truncate(path.c_str(), 0), 0);
    EXPECT_EQ(server.Query("all\n"), "");
    EXPECT_EQ(server.Ingest(RecordLine("3")), "{\"stored\": 1}\n");
    EXPECT_EQ(server.Query("all\n"), ShownLine("3"));
    EXPECT_EQ(harness::ReadFile(path), ShownLine("3"));
}

TEST_F(Records, ATornLastLineIsCutOffWithAWarning) {
    const std::string path = directory_.File("records.jsonl");
    harness::WriteFile(path, ShownLine("1") + ShownLine("2").substr(0, 20));
    RecordsServer server({"--store=file:" + path});
    EXPECT_EQ(server.CountMessages(" warning cut a torn last line off file:" + path), 1u);
    EXPECT_EQ(server.Query("all\n"), ShownLine("1"));
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(harness::ReadFile(path), ShownLine("1"));
}

TEST_F(Records, AFileThatIsNotOursIsRefused) {
    const std::string path = directory_.File("notes.txt");
    const std::string notes = "first line\nmy precious notes without newline";
    harness::WriteFile(path, notes);
    ProcessResult result = RunToEnd(
        RecordsServerCommand({"--ingest-port=0", "--query-port=0", "--store=file:" + path}));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.errors.find("the file was left alone"), std::string::npos) << result.errors;
    EXPECT_EQ(harness::ReadFile(path), notes);
}

TEST_F(Records, AnIdleSenderIsReset) {
    RecordsServer server({location_, "--idle-timeout=0.2"});
    TcpClient client(server.ingest_port());
    ASSERT_TRUE(client.Send(RecordLine("1") + "{"));
    EXPECT_EQ(client.WaitForEnding(), Ending::kReset);
    ASSERT_TRUE(Await([&] { return server.Query("1") == ShownLine("1"); }));
}

TEST_F(Records, TheRecordsOfAClientThatIsResetAreKept) {
    RecordsServer server({location_});
    TcpClient client(server.ingest_port());
    ASSERT_TRUE(client.Send(RecordLine("1") + "{\"id\":"));
    ASSERT_TRUE(client.WaitUntilRead());
    client.Reset();
    ASSERT_TRUE(Await([&] { return server.Query("1") == ShownLine("1"); }));
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_F(Records, OnIpv6) {
    RecordsServer server({location_, "--ack", "--bind=::1"});
    TcpClient client(server.ingest_port(), "::1");
    ASSERT_TRUE(client.Send(RecordLine("1")));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(client.received(), "{\"stored\": 1}\n");
}

TEST(RecordsCommandLine, UsageErrors) {
    for (const char *argument : {"--port=1", "--queue-size=0", "--workers=0", "--workers=65",
                                 "--store=records.db", "--store=mysql://u:secret@h/d",
                                 "--store=sqlite:", "--store=sqlite::memory:", "--fsync=interval",
                                 "--ingest-port=65536", "extra"}) {
        ProcessResult result =
            RunToEnd(RecordsServerCommand({argument, "--ingest-port=0", "--query-port=0"}));
        if (std::string(argument) == "--ingest-port=65536") {
            result = RunToEnd(RecordsServerCommand({argument}));
        }
        EXPECT_EQ(result.status, Exited(2)) << argument;
        EXPECT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
        EXPECT_EQ(result.errors.rfind("records-server: ", 0), 0u) << result.errors;
        EXPECT_NE(result.errors.find(" (see --help)\n"), std::string::npos) << result.errors;
    }
}

TEST(RecordsCommandLine, OnePortForBoth) {
    ProcessResult result =
        RunToEnd(RecordsServerCommand({"--ingest-port=3001", "--query-port=3001"}));
    EXPECT_EQ(result.status, Exited(2));
    EXPECT_EQ(result.errors,
              "records-server: --ingest-port and --query-port are both 3001 (see --help)\n");
}

TEST(RecordsCommandLine, HelpAndVersion) {
    ProcessResult help = RunToEnd(RecordsServerCommand({"--help"}));
    EXPECT_EQ(help.status, Exited(0));
    for (const char *option :
         {"--ingest-port", "--query-port", "--queue-size", "--workers", "--store", "--ack",
          "--password-file", "1 to 1000000", "Exit codes:\n  0 "}) {
        EXPECT_NE(help.output.find(option), std::string::npos) << option;
    }
    EXPECT_EQ(RunToEnd(RecordsServerCommand({"--version"})).status, Exited(0));
}

// What others could read or write is no secret, and an empty one is none.
TEST_F(Records, APasswordFileThatIsNoSecretIsRefused) {
    const std::string path = directory_.File("password");
    for (const auto &[content, mode] : std::vector<std::pair<std::string, mode_t>>{
             {"secret\n", 0604}, {"secret\n", 0602}, {"", 0600}, {"\nsecret\n", 0600}}) {
        harness::WriteFile(path, content);
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
        ProcessResult result = RunToEnd(RecordsServerCommand(
            {"--ingest-port=0", "--query-port=0", location_, "--password-file=" + path}));
        EXPECT_EQ(result.status, Exited(1)) << mode;
        EXPECT_NE(result.errors.find("cannot read the password from " + path), std::string::npos)
            << result.errors;
    }
    harness::WriteFile(path, "secret\n");
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    RecordsServer server({location_, "--password-file=" + path});
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_F(Records, NewStoresAreNotForEverybodyToRead) {
    for (const char *kind : {"sqlite:", "file:"}) {
        const std::string path = directory_.File(std::string("store-") + kind[0]);
        RecordsServer server({"--store=" + (kind + path), "--ack"});
        EXPECT_EQ(server.Ingest(RecordLine("1")), "{\"stored\": 1}\n");
        struct stat status = {};
        ASSERT_EQ(stat(path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0007, 0u) << kind;
    }
}

// Nothing is acknowledged that whoever looks under the store's name does not find.
TEST_F(Records, AStoreThatIsMovedAwayMeanwhile) {
    for (const char *kind : {"sqlite:", "file:"}) {
        const std::string path = directory_.File(std::string("store-") + kind[0]);
        RecordsServer server({"--store=" + (kind + path), "--ack"});
        EXPECT_EQ(server.Ingest(RecordLine("1")), "{\"stored\": 1}\n");
        ASSERT_EQ(rename(path.c_str(), (path + ".old").c_str()), 0);
        EXPECT_EQ(server.Ingest(RecordLine("2")), "{\"stored\": 1}\n");
        EXPECT_EQ(server.Query("all\n"), ShownLine("2"));
        EXPECT_GE(server.CountMessages("was moved, removed or replaced; it is opened anew"), 1u);
        EXPECT_EQ(server.Stop(), Exited(0));
        RecordsServer successor({"--store=" + (kind + path)});
        EXPECT_EQ(successor.Query("all\n"), ShownLine("2"));
        RecordsServer other({"--store=" + (kind + path) + ".old"});
        EXPECT_EQ(other.Query("all\n"), ShownLine("1"));
    }
}

TEST_F(Records, AnArrayIsSoManyRecordsAndHttpIsNone) {
    RecordsServer server({location_, "--ack"});
    EXPECT_EQ(server.Ingest("\xEF\xBB\xBF[" + RecordLine("1") + "," + RecordLine("2") + "]\n"),
              "{\"stored\": 2}\n");
    EXPECT_EQ(server.Ingest("POST / HTTP/1.1\r\nHost: x\r\n\r\n" + RecordLine("3")),
              "{\"error\": \"this is no HTTP server\"}\n{\"stored\": 0}\n");
    ExpectEachOnce(IdsOf(server.Query("all\n")), {"1", "2"});
}

TEST_F(Records, StartFailures) {
    RecordsServer server({location_});
    const std::string taken = std::to_string(server.ingest_port());
    for (const auto &arguments : std::vector<std::vector<std::string>>{
             {"--ingest-port=" + taken, "--query-port=0", location_},
             {"--ingest-port=0", "--query-port=" + taken, location_},
             {"--ingest-port=0", "--query-port=0", "--store=sqlite:/no/such/records.db"},
             {"--ingest-port=0", "--query-port=0", "--store=file:/no/such/file"},
             {"--ingest-port=0", "--query-port=0", "--store=mysql://u@127.0.0.1:1/d"},
             {"--ingest-port=0", "--query-port=0", location_, "--password-file=/no/such"}}) {
        ProcessResult result = RunToEnd(RecordsServerCommand(arguments));
        EXPECT_EQ(result.status, Exited(1)) << arguments[0] << arguments[1] << arguments[2];
        EXPECT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
    }
}

} // namespace
