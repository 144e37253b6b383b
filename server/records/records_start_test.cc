// How the records server starts, and the files that it finds and leaves.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "server/records/records_process.h"
#include "server/records/store/sqlite_database.h"

namespace harness {
namespace {

using RecordsStart = SqliteTest;

TEST_F(RecordsStart, AFileThatSomebodyEmptiesGoesOn) {
    const std::string path = directory_.File("records.jsonl");
    RecordsServer server({"--store=file:" + path, "--ack"});
    EXPECT_EQ(server.Ingest(RecordLine("1") + RecordLine("2")), "{\"stored\": 2}\n");
    ASSERT_EQ(truncate(path.c_str(), 0), 0);
    EXPECT_EQ(server.Query("all\n"), "");
    EXPECT_EQ(server.Ingest(RecordLine("3")), "{\"stored\": 1}\n");
    EXPECT_EQ(server.Query("all\n"), ShownLine("3"));
    EXPECT_EQ(ReadFile(path), ShownLine("3"));
}

TEST_F(RecordsStart, ATornLastLineIsCutOffWithAWarning) {
    const std::string path = directory_.File("records.jsonl");
    WriteFile(path, ShownLine("1") + ShownLine("2").substr(0, 20));
    RecordsServer server({"--store=file:" + path});
    EXPECT_EQ(server.CountMessages(" warning cut a torn last line off file:" + path), 1u);
    EXPECT_EQ(server.Query("all\n"), ShownLine("1"));
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(ReadFile(path), ShownLine("1"));
}

TEST_F(RecordsStart, AFileThatIsNotOursIsRefused) {
    const std::string path = directory_.File("notes.txt");
    const std::string notes = "first line\nmy precious notes without newline";
    WriteFile(path, notes);
    ProcessResult result = RunToEnd(
        RecordsServerCommand({"--ingest-port=0", "--query-port=0", "--store=file:" + path}));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.errors.find("the file was left alone"), std::string::npos) << result.errors;
    EXPECT_EQ(ReadFile(path), notes);
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
TEST_F(RecordsStart, APasswordFileThatIsNoSecretIsRefused) {
    const std::string path = directory_.File("password");
    for (const auto &[content, mode] : std::vector<std::pair<std::string, mode_t>>{
             {"secret\n", 0604}, {"secret\n", 0602}, {"", 0600}, {"\nsecret\n", 0600}}) {
        WriteFile(path, content);
        ASSERT_EQ(chmod(path.c_str(), mode), 0);
        ProcessResult result = RunToEnd(RecordsServerCommand(
            {"--ingest-port=0", "--query-port=0", location_, "--password-file=" + path}));
        EXPECT_EQ(result.status, Exited(1)) << mode;
        EXPECT_NE(result.errors.find("cannot read the password from " + path), std::string::npos)
            << result.errors;
    }
    WriteFile(path, "secret\n");
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    RecordsServer server({location_, "--password-file=" + path});
    EXPECT_EQ(server.Stop(), Exited(0));
}

TEST_F(RecordsStart, NewStoresAreNotForEverybodyToRead) {
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
TEST_F(RecordsStart, AStoreThatIsMovedAwayMeanwhile) {
    for (const char *kind : {"sqlite:", "file:"}) {
        const std::string path = directory_.File(std::string("store-") + kind[0]);
        RecordsServer server({"--store=" + (kind + path), "--ack"});
        EXPECT_EQ(server.Ingest(RecordLine("1")), "{\"stored\": 1}\n");
        ASSERT_EQ(rename(path.c_str(), (path + ".old").c_str()), 0);
        EXPECT_EQ(server.Ingest(RecordLine("2")), "{\"stored\": 1}\n");
        EXPECT_EQ(server.Query("all\n"), ShownLine("2"));
        EXPECT_TRUE(server.process().WaitForErrors(
            HasLineWith("was moved, removed or replaced; it is opened anew")));
        EXPECT_EQ(server.Stop(), Exited(0));
        RecordsServer successor({"--store=" + (kind + path)});
        EXPECT_EQ(successor.Query("all\n"), ShownLine("2"));
        RecordsServer other({"--store=" + (kind + path) + ".old"});
        EXPECT_EQ(other.Query("all\n"), ShownLine("1"));
    }
}

// The log alone: what was acknowledged is in the file, and the next in a log that has a name.
TEST_F(RecordsStart, ALogThatIsRemovedMeanwhile) {
    for (const bool is_replaced : {false, true}) {
        const std::string path = directory_.File(is_replaced ? "replaced" : "removed");
        RecordsServer server({"--store=sqlite:" + path, "--ack"});
        const Ids first = MakeIds("first", 100);
        const Ids second = MakeIds("second", 100);
        EXPECT_EQ(server.Ingest(RecordLines(first)), "{\"stored\": 100}\n");
        ASSERT_EQ(server.Query("id first7\n"), ShownLine("first7"));
        ASSERT_EQ(unlink((path + "-wal").c_str()), 0);
        if (is_replaced) {
            WriteFile(path + "-wal", "");
        }
        EXPECT_EQ(server.Ingest(RecordLines(second)), "{\"stored\": 100}\n");
        const std::string warning = "the log of the store sqlite:" + path + " was removed";
        EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(warning)));
        EXPECT_EQ(server.CountMessages(warning), 1u);
        EXPECT_EQ(server.Query("id first7\n"), ShownLine("first7"));
        EXPECT_EQ(server.Query("id second7\n"), ShownLine("second7"));
        Ids all = first;
        all.insert(all.end(), second.begin(), second.end());
        ExpectEachOnce(IdsOf(server.Query("all\n")), all);
        server.process().Signal(SIGKILL);
        EXPECT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
        const RecordsServer successor({"--store=sqlite:" + path});
        ExpectEachOnce(IdsOf(successor.Query("all\n")), all);
    }
}

// The index of the log (-shm) is where its users agree on what is in it: without it ours and
// others' would write over each other.
TEST_F(RecordsStart, AnIndexOfTheLogThatIsRemovedMeanwhile) {
    const std::string insert = "INSERT INTO user_data VALUES ('theirs', 'John Doe', '25');";
    const std::string checkpoint = "PRAGMA wal_checkpoint(TRUNCATE);";
    int round = 0;
    for (const std::string &statements :
         Ids{"", insert, insert + checkpoint, checkpoint + insert}) {
        SCOPED_TRACE(statements);
        const std::string path = directory_.File("store" + std::to_string(round++));
        Ids expected = MakeIds("first", 100);
        RecordsServer server({"--store=sqlite:" + path, "--ack"});
        EXPECT_EQ(server.Ingest(RecordLines(expected)), "{\"stored\": 100}\n");
        // Both readers have connected: the one of lookups, and one of the others.
        EXPECT_EQ(server.Query("id first7\n"), ShownLine("first7"));
        ExpectEachOnce(IdsOf(server.Query("all\n")), expected);
        ASSERT_EQ(unlink((path + "-shm").c_str()), 0);
        RunSqlite(path, statements);
        if (!statements.empty()) {
            expected.push_back("theirs");
        }
        const Ids second = MakeIds("second", 100);
        EXPECT_EQ(server.Ingest(RecordLines(second)), "{\"stored\": 100}\n");
        const std::string warning = "the log of the store sqlite:" + path + " was removed";
        EXPECT_TRUE(server.process().WaitForErrors(HasLineWith(warning)));
        EXPECT_EQ(server.CountMessages(warning), 1u);
        expected.insert(expected.end(), second.begin(), second.end());
        EXPECT_EQ(server.Query("id second7\n"), ShownLine("second7"));
        ExpectEachOnce(IdsOf(server.Query("all\n")), expected);
        // Whoever shares it goes on.
        RunSqlite(path, "INSERT INTO user_data VALUES ('late', 'John Doe', '25')");
        expected.push_back("late");
        EXPECT_EQ(server.Ingest(RecordLine("last")), "{\"stored\": 1}\n");
        expected.push_back("last");
        ExpectEachOnce(IdsOf(server.Query("all\n")), expected);
        server.process().Signal(SIGKILL);
        EXPECT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
        const RecordsServer successor({"--store=sqlite:" + path});
        ExpectEachOnce(IdsOf(successor.Query("all\n")), expected);
    }
}

TEST_F(RecordsStart, StartFailures) {
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
} // namespace harness
