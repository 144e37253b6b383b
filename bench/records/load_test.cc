// The load generator of the records server, against the server.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "server/records/records_process.h"
#include "testing/files.h"
#include "testing/process.h"

namespace {

using harness::Exited;
using harness::ProcessOptions;
using harness::ProcessResult;
using harness::RecordsServer;
using harness::RunToEnd;
using harness::SplitLines;
using harness::TemporaryDirectory;

ProcessResult RunLoad(const std::vector<std::string> &arguments) {
    ProcessOptions options;
    options.arguments = {std::getenv("RECORDS_LOAD")};
    options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
    return RunToEnd(options);
}

class RecordsLoad : public testing::Test {
  protected:
    // Runs the load with these arguments more, and returns how many records the server has then.
    size_t CountAfter(const std::vector<std::string> &more) {
        RecordsServer server({"--store=sqlite:" + directory_.File("records.db"), "--ack"});
        std::vector<std::string> arguments = {"--port=" + std::to_string(server.ingest_port()),
                                              "--concurrent-users=20", "--requests-per-user=10"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        result_ = RunLoad(arguments);
        return SplitLines(server.Query("all\n")).size();
    }
    TemporaryDirectory directory_;
    ProcessResult result_;
};

TEST_F(RecordsLoad, AConnectionForEachRecord) {
    EXPECT_EQ(CountAfter({}), 200u);
    EXPECT_EQ(result_.status, Exited(0)) << result_.errors;
    EXPECT_EQ(result_.output.rfind("200 records in ", 0), 0u) << result_.output;
    EXPECT_NE(result_.output.find(" 0 failed, 0 refused"), std::string::npos) << result_.output;
    EXPECT_NE(result_.output.find("latency of a request"), std::string::npos) << result_.output;
    EXPECT_NE(result_.output.find("99.9 %"), std::string::npos) << result_.output;
}

TEST_F(RecordsLoad, WithADelay) {
    EXPECT_EQ(CountAfter({"--delay=0.001"}), 200u);
    EXPECT_EQ(result_.status, Exited(0)) << result_.errors;
}

TEST_F(RecordsLoad, NoServer) {
    ProcessResult result = RunLoad({"--port=1", "--concurrent-users=2", "--requests-per-user=3"});
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.output.find(" 6 failed"), std::string::npos) << result.output;
    EXPECT_EQ(result.output.find("latency"), std::string::npos) << result.output;
    EXPECT_EQ(result.errors, "records_load: 127.0.0.1 port 1: not all requests were confirmed "
                             "(Connection refused)\n");
    EXPECT_EQ(RunLoad({"--port=1", "--concurrent-users=1", "--quiet"}).errors, result.errors);
}

TEST_F(RecordsLoad, Usage) {
    EXPECT_EQ(RunLoad({"--concurrent-users=0"}).status, Exited(2));
    EXPECT_EQ(RunLoad({"--concurrent-users=10000", "--requests-per-user=100000"}).status,
              Exited(2));
    EXPECT_EQ(RunLoad({"--help"}).status, Exited(0));
}

} // namespace
