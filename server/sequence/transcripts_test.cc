// The five manual tests of the reference transcripts, on the real server and the real client, to
// the letter.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/sequence/sequence_harness.h"

namespace {

using harness::Exited;
using harness::ProcessResult;
using sequence::Client;
using sequence::ExpectDelivered;
using sequence::kClientId;
using sequence::Server;

const std::string kId = kClientId;

std::vector<std::string> New(int number_count, const Server &server) {
    return {
        "NEW",      std::to_string(number_count), std::to_string(server.port()), "--client_id", kId,
        "--verbose"};
}

std::vector<std::string> Continue(const Server &server) {
    return {"CONTINUE", std::to_string(server.port()), "--verbose"};
}

bool StartsWith(const std::string &text, const std::string &start) {
    return text.compare(0, start.size(), start) == 0;
}

bool EndsWith(const std::string &text, const std::string &end) {
    return text.size() >= end.size() &&
           text.compare(text.size() - end.size(), end.size(), end) == 0;
}

const std::string kTranscript5 = "Sending message: 'INIT," + kId +
                                 ",5,5;'\n"
                                 "Received: ACK;\n"
                                 "Requesting numbers\n"
                                 "Sending message: 'RECV,0;'\n"
                                 "Received: NUM,6:41:81:68:68;\n"
                                 "Sending message: 'FIN;'\n"
                                 "Received: FAC,f90b20dae8c9b7d7be2a5fb7cc856e8b;\n"
                                 "Closing the connection\n"
                                 "The SUM of numbers is: 264\n"
                                 "Checksum (f90b20dae8c9b7d7be2a5fb7cc856e8b) is valid!\n";

const std::string kTranscript10 = "Sending message: 'INIT," + kId +
                                  ",10,5;'\n"
                                  "Received: ACK;\n"
                                  "Requesting numbers\n"
                                  "Sending message: 'RECV,0;'\n"
                                  "Received: NUM,6:41:81:68:68;\n"
                                  "Sending message: 'RECV,1;'\n"
                                  "Received: NUM,41:10:40:78:98;\n"
                                  "Sending message: 'FIN;'\n"
                                  "Received: FAC,9b14501c5359fb4eac96df9e874348b2;\n"
                                  "Closing the connection\n"
                                  "The SUM of numbers is: 531\n"
                                  "Checksum (9b14501c5359fb4eac96df9e874348b2) is valid!\n";

TEST(Transcripts, Test1NewSequence) {
    Server server({"--test-mode"});
    Client client;
    const ProcessResult result = client.Run(New(5, server));
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, kTranscript5);
}

TEST(Transcripts, Test2SameClientIdAgain) {
    Server server({"--test-mode"});
    Client client;
    ExpectDelivered(client.Run(New(5, server)));
    const ProcessResult result = client.Run(New(5, server));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_EQ(result.output, "Sending message: 'INIT," + kId +
                                 ",5,5;'\n"
                                 "Received: ERR," +
                                 kId + " already exist;\n");
}

// The reference lets its session timeout cut the connection off somewhere; here fault injection
// does so at the place that its transcript shows, behind batch 630, whose first number is the
// 3151st.
TEST(Transcripts, Test3ContinueAfterDisconnect) {
    Server server({"--test-mode", "--fail-every=3151"});
    Client client;
    std::vector<std::string> arguments = New(10000, server);
    arguments.push_back("--max-retries=0");
    ProcessResult result = client.Run(arguments);
    EXPECT_EQ(result.status, Exited(1));
    const std::string cut = "Sending message: 'RECV,630;'\n"
                            "Received: NUM,54:94:94:19:96;\n"
                            "Sending message: 'RECV,631;'\n"
                            "ERROR: ";
    EXPECT_NE(result.output.find(cut), std::string::npos);

    arguments = Continue(server);
    arguments.push_back("--max-retries=0");
    const std::string resumed = "Sending message: 'CONT," + kId +
                                ";'\n"
                                "Received: ACK;\n"
                                "Requesting numbers\n"
                                "Skipping chunk-nr: 0\n"
                                "Skipping chunk-nr: 1\n";
    int run_count = 0;
    do {
        result = client.Run(arguments);
        EXPECT_TRUE(StartsWith(result.output, resumed)) << result.output.substr(0, 1000);
        run_count++;
    } while (result.status == Exited(1) && run_count < 10);
    EXPECT_EQ(run_count, 3) << "10000 numbers are cut off three times";
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_TRUE(EndsWith(result.output, "Received: NUM,40:53:59:98:3;\n"
                                        "Sending message: 'FIN;'\n"
                                        "Received: FAC,589f9ca74cb5ea9a32eddd14840d5b64;\n"
                                        "Closing the connection\n"
                                        "The SUM of numbers is: 504721\n"
                                        "Checksum (589f9ca74cb5ea9a32eddd14840d5b64) is valid!\n"))
        << result.output.substr(result.output.size() - 1000);
}

TEST(Transcripts, Test4ContinueAfterTheEnd) {
    Server server({"--test-mode"});
    Client client;
    ProcessResult result = client.Run(New(10, server));
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, kTranscript10);
    result = client.Run(Continue(server));
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, "Sending message: 'CONT," + kId +
                                 ";'\n"
                                 "Received: ACK;\n"
                                 "Requesting numbers\n"
                                 "Skipping chunk-nr: 0\n"
                                 "Skipping chunk-nr: 1\n"
                                 "Sending message: 'FIN;'\n"
                                 "Received: FAC,9b14501c5359fb4eac96df9e874348b2;\n"
                                 "Closing the connection\n"
                                 "The SUM of numbers is: 531\n"
                                 "Checksum (9b14501c5359fb4eac96df9e874348b2) is valid!\n");
}

// The sum stays the same between the two runs, in test mode or not.
TEST(Transcripts, Test4OutsideTestMode) {
    Server server;
    Client client;
    const ProcessResult first = client.Run(New(10, server));
    const ProcessResult second = client.Run(Continue(server));
    ExpectDelivered(first);
    ExpectDelivered(second);
    const auto sum_line = [](const std::string &output) {
        return output.substr(output.find("The SUM"));
    };
    EXPECT_EQ(sum_line(first.output), sum_line(second.output));
    EXPECT_NE(sum_line(first.output), sum_line(kTranscript10));
}

TEST(Transcripts, Test5PurgedAfterItsTime) {
    Server server({"--test-mode", "--session-ttl=0.2"});
    Client client;
    ProcessResult result = client.Run(New(10, server));
    EXPECT_EQ(result.status, Exited(0)) << result.errors;
    EXPECT_EQ(result.output, kTranscript10);
    ASSERT_TRUE(server.WaitForPurge(kId)) << server.process().output();
    result = client.Run(Continue(server));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_EQ(result.output, "Sending message: 'CONT," + kId +
                                 ";'\n"
                                 "Received: ERR,Client-id: " +
                                 kId + " does not exist;\n");
}

} // namespace
