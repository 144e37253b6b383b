// The longest sequence through a network that breaks: at every message boundary, and anywhere.
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/sequence/cutting_proxy.h"
#include "server/sequence/sequence_harness.h"

namespace {

using harness::ProcessResult;
using sequence::Client;
using sequence::CuttingProxy;
using sequence::Direction;
using sequence::ExpectDelivered;
using sequence::kClientId;
using sequence::kNoCut;
using sequence::Server;

constexpr size_t kNumberCount = 65535;
constexpr size_t kBatchSize = 5;

std::vector<std::string> NewThrough(const CuttingProxy &proxy) {
    return {"NEW", std::to_string(kNumberCount), std::to_string(proxy.port()), "--retry-delay=0",
            "--max-retries=30"};
}

// Every boundary of the conversation is cut once: behind each request on its way to the server, and
// behind each reply on its way to the client.
class EveryBoundary {
  public:
    size_t Choose(Direction direction, const std::string &bytes) {
        std::string &message = direction == Direction::kToServer ? request_ : reply_;
        message += bytes;
        if (message.back() != ';') {
            return kNoCut;
        }
        const std::string boundary = direction == Direction::kToServer
                                         ? "behind " + request_
                                         : "behind the reply to " + last_;
        if (direction == Direction::kToServer) {
            last_ = request_;
        }
        message.clear();
        return done_.insert(boundary).second ? bytes.size() : kNoCut;
    }

    void Begin() {
        request_.clear();
        reply_.clear();
    }

  private:
    std::string request_;
    std::string reply_;
    std::string last_;
    std::set<std::string> done_;
};

TEST(Cuts, AtEveryMessageBoundary) {
    Server server;
    EveryBoundary boundaries;
    CuttingProxy proxy(
        server.port(),
        [&boundaries](Direction direction, const std::string &bytes) {
            return boundaries.Choose(direction, bytes);
        },
        [&boundaries] { boundaries.Begin(); });
    Client client;
    ExpectDelivered(client.Run(NewThrough(proxy)));
    proxy.Stop();
    // RECV and NUM of each batch, CONT and FIN and their replies, and INIT. Its own reply has no
    // chance: after a cut behind INIT the client finds out by CONT that the server has the
    // sequence.
    EXPECT_EQ(proxy.cut_count(), 2 * kNumberCount / kBatchSize + 5);
    printf("cut off %zu times\n", proxy.cut_count());
}

// 1000 cuts, each after 1 to 700 bytes of a connection, in either direction; the seed is fixed.
class RandomCuts {
  public:
    size_t Choose(const std::string &bytes) {
        if (cut_count_ == 1000 || bytes.size() <= left_size_) {
            left_size_ -= bytes.size();
            return kNoCut;
        }
        cut_count_++;
        return left_size_;
    }

    void Begin() {
        left_size_ = random_() % 700;
    }

  private:
    std::mt19937 random_{1};
    size_t left_size_ = 0;
    size_t cut_count_ = 0;
};

void RunWithRandomCuts(const std::vector<std::string> &more) {
    Server server({"--test-mode"});
    RandomCuts cuts;
    CuttingProxy proxy(
        server.port(), [&cuts](Direction, const std::string &bytes) { return cuts.Choose(bytes); },
        [&cuts] { cuts.Begin(); });
    std::vector<std::string> arguments = NewThrough(proxy);
    arguments.push_back(std::string("--client-id=") + kClientId);
    arguments.insert(arguments.end(), more.begin(), more.end());
    Client client;
    const ProcessResult result = client.Run(arguments);
    EXPECT_EQ(result.status, harness::Exited(0)) << result.errors;
    EXPECT_EQ(result.output, "The SUM of numbers is: 3272211\n"
                             "Checksum (8dce03696fa07301720e07daf62ca2fa) is valid!\n");
    proxy.Stop();
    EXPECT_EQ(proxy.cut_count(), 1000u);
}

TEST(Cuts, AThousandTimesAnywhere) {
    RunWithRandomCuts({});
}

TEST(Cuts, AThousandTimesAnywhereInAStream) {
    RunWithRandomCuts({"--stream", "--batch-size=1"});
}

} // namespace
