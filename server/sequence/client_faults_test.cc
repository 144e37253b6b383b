// The client before servers of the tests' own: what they say that no good server would.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "testing/daemon.h"
#include "testing/files.h"
#include "testing/loopback.h"

namespace {

using harness::Exited;
using harness::ProcessResult;
using sequence::Client;
using sequence::ExpectDelivered;
using sequence::kClientId;

// Answers the messages of one connection after the other as it is told. Ownership: the object owns
// its socket and its thread.
class ScriptedServer {
  public:
    // Each list has the answers to the messages of one connection, which is closed behind the last.
    explicit ScriptedServer(std::vector<std::vector<std::string>> scripts) {
        thread_ = std::thread([this, scripts] {
            for (const auto &script : scripts) {
                Serve(script);
            }
        });
    }
    // The client has ended. Returns what it sent, message by message.
    std::vector<std::string> Finish() {
        shutdown(listening_, SHUT_RDWR);
        thread_.join();
        close(listening_);
        return messages_;
    }
    const std::string &port() const {
        return port_;
    }

  private:
    void Serve(const std::vector<std::string> &script) {
        const int fd = accept(listening_, nullptr, nullptr);
        for (const std::string &answer : script) {
            std::string message;
            char byte;
            while (recv(fd, &byte, 1, 0) == 1) {
                message += byte;
                if (byte == ';') {
                    break;
                }
            }
            messages_.push_back(message);
            (void)send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        }
        close(fd);
    }

    const int listening_ = harness::ListenOnLoopback();
    const std::string port_ = std::to_string(harness::PortOf(listening_));
    std::vector<std::string> messages_;
    std::thread thread_;
};

const std::string kInit = std::string("INIT,") + kClientId + ",5,5;";
const std::string kNumbers = "NUM,6:41:81:68:68;";

std::vector<std::string> NewFrom(const ScriptedServer &server) {
    return {"NEW", "5", server.port(), std::string("--client-id=") + kClientId,
            "--retry-delay=0.001"};
}

// Nothing was done, so there is nothing to continue.
TEST(ClientFaults, SendsInitAgainAfterItWasDeclined) {
    ScriptedServer server({{"ERR,Too many sessions;"},
                           {"ERR,Too many connections;"},
                           {"ACK;", kNumbers, "FAC,f90b20dae8c9b7d7be2a5fb7cc856e8b;"}});
    Client client;
    ExpectDelivered(client.Run(NewFrom(server)));
    const std::vector<std::string> messages = server.Finish();
    ASSERT_EQ(messages.size(), 5u);
    EXPECT_EQ(messages[0], kInit);
    EXPECT_EQ(messages[1], kInit);
    EXPECT_EQ(messages[2], kInit);
}

TEST(ClientFaults, ShowsNoControlCharacters) {
    for (const bool is_verbose : {false, true}) {
        ScriptedServer server({{"ERR,a\x1b[31mred\xc2\x9b\n;"}});
        Client client;
        std::vector<std::string> arguments = NewFrom(server);
        if (is_verbose) {
            arguments.push_back("--verbose");
        }
        const ProcessResult result = client.Run(arguments);
        EXPECT_EQ(result.status, Exited(1));
        const std::string shown = result.output + result.errors;
        EXPECT_EQ(shown.find('\x1b'), std::string::npos) << shown;
        EXPECT_EQ(shown.find('\x9b'), std::string::npos) << shown;
        EXPECT_NE(shown.find("a\\x1b[31mred"), std::string::npos) << shown;
        server.Finish();
    }
}

TEST(ClientFaults, SaysHowToStartAnewAfterAWrongChecksum) {
    ScriptedServer server({{"ACK;", kNumbers, "FAC,00000000000000000000000000000000;"}});
    Client client;
    const ProcessResult result = client.Run(NewFrom(server));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.output.find("is NOT valid!"), std::string::npos);
    EXPECT_NE(result.errors.find("NEW gets another sequence"), std::string::npos) << result.errors;
    server.Finish();
}

TEST(ClientFaults, ReplacesNoFileThatIsNoStateFile) {
    Client client;
    for (const std::string command : {"NEW", "CONTINUE"}) {
        harness::WriteFile(client.StatePath(), "precious\n");
        const ProcessResult result = client.Run({command, "--max-retries=0"});
        EXPECT_EQ(result.status, Exited(1));
        EXPECT_NE(result.errors.find("this is no state file"), std::string::npos) << result.errors;
        EXPECT_EQ(harness::ReadFile(client.StatePath()), "precious\n");
    }
}

// The pause between two messages is the server's, and longer than the client's patience: each
// number takes one pause, however often the client came back meanwhile.
TEST(ClientFaults, WaitsForATickLongerThanItsTimeout) {
    sequence::Server server({"--test-mode", "--tick=0.4"});
    Client client;
    const ProcessResult result =
        client.Run({"NEW", "3", std::to_string(server.port()), "--batch-size=1", "--stream",
                    std::string("--client-id=") + kClientId, "--timeout=0.1", "--retry-delay=0.001",
                    "--verbose"});
    ExpectDelivered(result);
    EXPECT_NE(result.output.find("STREAM,1;"), std::string::npos) << "it ran out of patience";
    EXPECT_NE(result.output.find("timed out"), std::string::npos) << result.output;
}

} // namespace
