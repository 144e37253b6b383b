// The client beside the server, through everything that may happen in between.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include "server/sessions/redis_server.h"
#include "server/station/station_harness.h"
#include "testing/files.h"
#include "testing/patience.h"

namespace station {
namespace {

std::string Port(const Server &server) {
    return "--port=" + std::to_string(server.port());
}

size_t CountLines(const std::string &text) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(StationClient, GetsSequencesOfAllLengths) {
    Server server({"--tick=0"});
    for (const char *count : {"1", "2", "1000", "65535"}) {
        Client client;
        ExpectDelivered(client.Run({"NEW", count, Port(server)}));
        EXPECT_EQ(CountLines(harness::ReadFile(client.StatePath())),
                  static_cast<size_t>(std::stoi(count)) + 1);
    }
    Client client;
    ExpectDelivered(client.Run({"NEW", Port(server)}));
}

TEST(StationClient, ContinuesASequenceThatIsCompleteAsOftenAsItIsAsked) {
    Server server({"--tick=0"});
    Client client;
    ExpectDelivered(client.Run({"NEW", "100", Port(server)}));
    const std::string state = harness::ReadFile(client.StatePath());
    for (int i = 0; i < 3; i++) {
        ExpectDelivered(client.Run({"CONTINUE", Port(server)}));
        EXPECT_EQ(harness::ReadFile(client.StatePath()), state);
    }
}

TEST(StationClient, GetsThroughInjectedFaults) {
    Server server({"--tick=0", "--fail-every=7", "--offline-for=0.02"});
    Client client;
    ExpectDelivered(client.Run({"NEW", "100", "--retry-delay=0.01", Port(server)}));
    EXPECT_GE(CountLines(client.Run({"--version"}).output), 1U);
}

TEST(StationClient, AFaultAtTheFirstMessageIsNoEnd) {
    // The session is there, though the client has seen nothing of it.
    Server server({"--tick=0", "--fail-every=2"});
    Client warm_up;
    ExpectDelivered(warm_up.Run({"NEW", "1", Port(server)}));
    Client client;
    ExpectDelivered(client.Run({"NEW", "3", "--retry-delay=0.01", Port(server)}));
}

TEST(StationClient, GoesOnAfterItWasKilled) {
    Server server({"--tick=0.01"});
    Client client;
    {
        const auto process = client.Start({"NEW", "200", Port(server)});
        ASSERT_TRUE(harness::Await([&client] {
            try {
                return CountLines(harness::ReadFile(client.StatePath())) > 20;
            } catch (const std::system_error &) {
                return false;
            }
        }));
        process->Signal(SIGKILL);
        process->WaitForExit();
    }
    ExpectDelivered(client.Run({"CONTINUE", Port(server)}));
    EXPECT_EQ(CountLines(harness::ReadFile(client.StatePath())), 201U);
}

TEST(StationClient, ResumesAtAnotherServerWhenItsOwnIsKilled) {
    if (!sessions::RedisServer::IsInstalled()) {
        GTEST_SKIP() << "install redis-tools for a Redis of the test's own";
    }
    sessions::RedisServer redis;
    const std::string store = "--store=" + redis.url();
    Client client;
    std::string id;
    std::uint16_t port;
    {
        Server one({"--tick=0.01", store});
        port = one.port();
        const auto process = client.Start({"NEW", "300", "--retry-delay=0.05", Port(one)});
        ASSERT_TRUE(harness::Await([&client] {
            try {
                return CountLines(harness::ReadFile(client.StatePath())) > 50;
            } catch (const std::system_error &) {
                return false;
            }
        }));
        one.Kill();
        // The client goes on by itself: where its server was, there is another one.
        Server other({"--tick=0", store}, port);
        EXPECT_EQ(process->WaitForExit(), harness::Exited(0)) << process->errors();
        EXPECT_NE(process->output().find("is valid!"), std::string::npos);
        EXPECT_NE(process->errors().find("retry"), std::string::npos);
    }
}

TEST(StationClient, GivesUpWhereItMust) {
    Client client;
    {
        Server server({"--tick=0"});
        Client other;
        ExpectDelivered(other.Run({"NEW", "5", "--client-id", kClientId, Port(server)}));
        const harness::ProcessResult taken =
            client.Run({"NEW", "5", "--client-id", kClientId, Port(server)});
        EXPECT_EQ(taken.status, harness::Exited(1));
        EXPECT_NE(taken.errors.find("ALREADY_EXISTS"), std::string::npos) << taken.errors;
    }
    Server empty({"--tick=0"});
    const harness::ProcessResult unknown =
        client.Run({"CONTINUE", "--max-retries=1", "--retry-delay=0.01", Port(empty)});
    // Nothing of it had come, so it is begun anew.
    ExpectDelivered(unknown);
    Server other({"--tick=0"});
    const harness::ProcessResult lost =
        client.Run({"CONTINUE", "--max-retries=1", "--retry-delay=0.01", Port(other)});
    EXPECT_EQ(lost.status, harness::Exited(1));
    EXPECT_NE(lost.errors.find("NOT_FOUND"), std::string::npos) << lost.errors;
    other.Stop();
    const harness::ProcessResult nobody =
        client.Run({"CONTINUE", "--max-retries=1", "--retry-delay=0.01", Port(other)});
    EXPECT_EQ(nobody.status, harness::Exited(1));
    EXPECT_NE(nobody.errors.find("giving up after 1 retries"), std::string::npos);
}

TEST(StationClient, AForeignStateFileIsLeftAlone) {
    Server server({"--tick=0"});
    Client client;
    harness::WriteFile(client.StatePath(), "precious\n");
    EXPECT_EQ(client.Run({"NEW", "5", Port(server)}).status, harness::Exited(1));
    EXPECT_EQ(harness::ReadFile(client.StatePath()), "precious\n");
}

TEST(StationClient, ArgumentsAreChecked) {
    Client client;
    for (const std::vector<std::string> &arguments : {std::vector<std::string>{},
                                                      {"OLD"},
                                                      {"NEW", "0"},
                                                      {"NEW", "65536"},
                                                      {"NEW", "x"},
                                                      {"NEW", "5", "6"},
                                                      {"CONTINUE", "5"},
                                                      {"NEW", "--client-id=x"},
                                                      {"NEW", "--port=0"}}) {
        EXPECT_EQ(client.Run(arguments).status, harness::Exited(2));
    }
    EXPECT_EQ(client.Run({"--help"}).status, harness::Exited(0));
}

} // namespace
} // namespace station
