// The records server on an operating system that fails to order: with the file store, whose every
// system call goes through the seam. Whatever fails, each acknowledged record is in the file once.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "server/records/records_process.h"
#include "testing/files.h"
#include "testing/patience.h"
#include "testing/tcp_client.h"

namespace harness {
namespace {

// Two listeners, the signals, the progress, the query port's wakeup.
constexpr int kWatchedAtStart = 5;

class RecordsFaults : public testing::TestWithParam<const char *> {};

TEST_P(RecordsFaults, NothingIsLostAndNothingIsThereTwice) {
    TemporaryDirectory directory;
    const std::string path = directory.File("records.jsonl");
    RecordsServer server({"--store=file:" + path, "--ack", "--fsync=always", "--queue-size=100"},
                         {{"OS_FAULT", GetParam()}, {"OS_FAULT_COUNTS", "1"}});
    Ids all;
    for (const char *prefix : {"a", "b", "c"}) {
        Ids ids = MakeIds(prefix, 1000);
        all.insert(all.end(), ids.begin(), ids.end());
        EXPECT_EQ(server.Ingest(RecordLines(ids)), "{\"stored\": 1000}\n");
        ExpectEachOnce(IdsOf(ReadFile(path)), all);
    }
    ExpectEachOnce(IdsOf(server.Query("all\n")), all);
    EXPECT_EQ(server.Query("id b7\n"), ShownLine("b7"));
    EXPECT_EQ(server.Stop(), Exited(0));
    ExpectEachOnce(IdsOf(ReadFile(path)), all);
    EXPECT_EQ(server.CountMessages("os_faulty: faults="), 1u);
    EXPECT_EQ(server.CountMessages("os_faulty: faults=0 "), 0u) << "the fault never happened";
}

INSTANTIATE_TEST_SUITE_P(
    Plans, RecordsFaults,
    testing::Values("append:3:ENOSPC:5", "append:1:EIO:2", "append:*:short=7",
                    "append:*:short=1000,append:5:EFBIG:3", "fdatasync:1:EIO:2",
                    "fdatasync:4:ENOSPC:1", "append:3:ENOSPC:1,ftruncate:1:EIO:3",
                    "append:2:short=100,append:3:EIO:1", "file_size:3:EIO:2",
                    "append:3:ENOSPC:1,file_size:4:EIO:3", "recv:*:short=1", "recv:*:short=61",
                    "send_before:*:short=3",
                    "recv:*:short=1000,send_before:*:short=1,append:*:short=99", "pread:*:short=50",
                    "accept:1:EMFILE:2", "accept:2:ECONNABORTED:1", "accept:1:ENOMEM:1",
                    "fdatasync:*:delay=20"));

// Nor is the same signal, when it can be read after all, a second one.
TEST(RecordsSignals, ASignalThatCannotBeReadStopsTheServerAsAnyOther) {
    TemporaryDirectory directory;
    const std::string path = directory.File("records.jsonl");
    RecordsServer server({"--store=file:" + path},
                         {{"OS_FAULT", "read:1:EIO,append:1:ENOSPC:5"}, {"OS_FAULT_COUNTS", "1"}});
    TcpClient client(server.ingest_port());
    ASSERT_TRUE(client.Send(RecordLines({"a"})));
    ASSERT_TRUE(server.process().WaitForErrors(HasLineWith("the store takes no records")));
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.CountMessages("shutting down: a signal came that cannot be read"), 1u);
    EXPECT_EQ(server.CountMessages("shutting down: "), 1u);
    EXPECT_EQ(server.CountMessages("os_faulty: faults=6 "), 1u);
    ExpectEachOnce(IdsOf(ReadFile(path)), {"a"});
}

// The system may have no room to watch a connection, at first or again after it had to wait for
// room in the buffer: that one is reset, and nobody else notices.
TEST(RecordsWatches, WhoCannotBeWatchedIsReset) {
    bool is_reached = true;
    size_t reset_count = 0;
    for (int call = kWatchedAtStart + 1; is_reached; call++) {
        auto store = MakeTestedStore("file");
        const std::string plan = "epoll_control:" + std::to_string(call) + ":ENOMEM";
        RecordsServer server({"--store=" + store->Location(), "--ack", "--queue-size=10"},
                             {{"OS_FAULT", plan}, {"OS_FAULT_COUNTS", "1"}});
        Ids sent;
        Ids acknowledged;
        for (const char *prefix : {"a", "b", "c"}) {
            const Ids ids = MakeIds(prefix, 200);
            TcpClient client(server.ingest_port());
            const size_t stored_count = store->CountStored();
            // Watched for the first time, unless there was more to read at once.
            client.Send("\n");
            client.WaitUntilRead();
            client.Send(RecordLines(ids));
            // Until it has had to wait and is watched again.
            EXPECT_TRUE(Await([&] {
                return store->CountStored() >= stored_count + ids.size() ||
                       client.WaitForEnding(std::chrono::milliseconds(0)) != Ending::kNone;
            })) << plan
                << " left a client hanging";
            client.HalfClose();
            const Ending ending = client.WaitForEnding();
            EXPECT_NE(ending, Ending::kNone) << plan << " left a client hanging";
            sent.insert(sent.end(), ids.begin(), ids.end());
            if (ending == Ending::kFin) {
                EXPECT_EQ(client.received(), "{\"stored\": 200}\n") << plan;
                acknowledged.insert(acknowledged.end(), ids.begin(), ids.end());
            }
        }
        EXPECT_GE(acknowledged.size(), 400u) << plan << " harmed more than one";
        reset_count += acknowledged.size() < 600 ? 1 : 0;
        EXPECT_EQ(server.Stop(), Exited(0)) << plan;
        is_reached = server.CountMessages("os_faulty: faults=0 ") == 0;
        Ids stored = store->ReadIds();
        std::sort(stored.begin(), stored.end());
        std::sort(sent.begin(), sent.end());
        std::sort(acknowledged.begin(), acknowledged.end());
        EXPECT_TRUE(std::includes(sent.begin(), sent.end(), stored.begin(), stored.end()))
            << plan << ": something is stored twice";
        EXPECT_TRUE(
            std::includes(stored.begin(), stored.end(), acknowledged.begin(), acknowledged.end()))
            << plan << ": something acknowledged is not stored";
    }
    EXPECT_GE(reset_count, 3u) << "each client is watched again after its wait";
}

// The same for the listening socket, which is watched again when the only place is free again.
TEST(RecordsWatches, WhoeverWaitsForAPlaceIsNotForgotten) {
    // The silent client comes, the listening socket is paused, the client goes: the next one.
    const std::string plan = "epoll_control:" + std::to_string(kWatchedAtStart + 4) + ":ENOMEM";
    const TemporaryDirectory directory;
    RecordsServer server({"--store=file:" + directory.File("records.jsonl"), "--ack",
                          "--max-clients=1", "--idle-timeout=0.3"},
                         {{"OS_FAULT", plan}, {"OS_FAULT_COUNTS", "1"}});
    const TcpClient silent(server.ingest_port());
    TcpClient client(server.ingest_port());
    client.Send(RecordLines({"a"}));
    client.HalfClose();
    EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.CountMessages("cannot accept a client"), 1u);
    EXPECT_EQ(server.CountMessages("os_faulty: faults=1 "), 1u);
}

ProcessOptions FaultyCommand(const TemporaryDirectory &directory, const std::string &plan) {
    ProcessOptions options = RecordsServerCommand(
        {"--store=file:" + directory.File("records.jsonl"), "--ingest-port=0", "--query-port=0"});
    options.environment["OS_FAULT"] = plan;
    options.environment["OS_FAULT_COUNTS"] = "1";
    return options;
}

// The server cannot start without these; it says so and leaves nothing running.
TEST(RecordsStart, EveryCallThatFails) {
    for (const char *function :
         {"open", "socket", "eventfd", "thread_create", "lock_exclusive", "epoll_create"}) {
        for (int call = 1; call <= 10; call++) {
            TemporaryDirectory directory;
            const std::string plan = std::string(function) + ":" + std::to_string(call) + ":EMFILE";
            Process process(FaultyCommand(directory, plan));
            // A fault that is not reached does not keep the server from serving: end it then.
            if (process.WaitForErrors(HasLineWith("ready: "))) {
                process.Signal(SIGTERM);
                EXPECT_EQ(process.WaitForExit(), Exited(0)) << plan;
                EXPECT_NE(process.errors().find("faults=0"), std::string::npos)
                    << plan << " went unnoticed: " << process.errors();
                break;
            }
            EXPECT_EQ(process.WaitForExit(), Exited(1)) << plan << process.errors();
            EXPECT_NE(process.errors().find(" error "), std::string::npos) << plan;
        }
    }
}

TEST(RecordsStart, WhatItCannotWatch) {
    for (int call = 1; call <= kWatchedAtStart; call++) {
        TemporaryDirectory directory;
        const std::string plan = "epoll_control:" + std::to_string(call) + ":ENOSPC";
        const ProcessResult result = RunToEnd(FaultyCommand(directory, plan));
        EXPECT_EQ(result.status, Exited(1)) << plan;
        EXPECT_NE(result.errors.find("cannot start the server: No space left"), std::string::npos)
            << plan << result.errors;
    }
}

// What is confirmed with --fsync=always must not be in a file that a power loss makes disappear.
TEST(RecordsStart, AFileThatCannotBeMadeDurable) {
    for (const char *plan : {"fsync:1:EIO", "fsync:2:EIO"}) {
        TemporaryDirectory directory;
        ProcessOptions options = FaultyCommand(directory, plan);
        options.arguments.push_back("--fsync=always");
        const ProcessResult result = RunToEnd(options);
        EXPECT_EQ(result.status, Exited(1)) << plan;
        EXPECT_NE(result.errors.find("records.jsonl: Input/output error"), std::string::npos)
            << plan << result.errors;
    }
}

} // namespace
} // namespace harness
