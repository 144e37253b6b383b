// Sequence servers over Redis as it fails over: a master that its sentinels replace, and a cluster
// that loses a node in the middle of a sequence.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/sequence/sequence_harness.h"
#include "server/sessions/redis_server.h"
#include "testing/daemon.h"
#include "testing/patience.h"

namespace {

using sequence::Client;
using sequence::Connection;
using sequence::ExpectDelivered;
using sequence::kClientId;
using sequence::Server;
using sessions::RedisServer;

const std::string kId = kClientId;
const std::string kChecksum10000 = "FAC,589f9ca74cb5ea9a32eddd14840d5b64;";

class ClusterTest : public sessions::RedisTest {};

// Until it is so; fails the test if it never is.
template <typename Condition> void WaitUntil(const char *what, const Condition &condition) {
    const auto deadline = std::chrono::steady_clock::now() + harness::kPatience;
    while (!condition()) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

// Asks as a client does that comes back, until the store is there again.
std::unique_ptr<Connection> Continue(Server *server) {
    std::unique_ptr<Connection> connection;
    WaitUntil("the session can be continued", [&connection, server] {
        connection = std::make_unique<Connection>(server->port());
        const std::string answer = connection->Ask("CONT," + kId + ";");
        EXPECT_TRUE(answer == "ACK;" || answer == "ERR,Session store unavailable;") << answer;
        return answer == "ACK;";
    });
    return connection;
}

std::string Address(const RedisServer &redis) {
    return "127.0.0.1:" + std::to_string(redis.port());
}

// Three masters and a replica of each, as redis-cli makes them.
class Cluster {
  public:
    Cluster() {
        for (int i = 0; i < 6; i++) {
            nodes_.push_back(std::make_unique<RedisServer>(
                "cluster-enabled yes\ncluster-node-timeout 1000\ncluster-config-file nodes.conf\n"
                "cluster-replica-validity-factor 0\nrepl-diskless-sync-delay 0\n"));
        }
        for (const auto &node : nodes_) {
            nodes_[0]->Ask("CLUSTER MEET 127.0.0.1 " + std::to_string(node->port()));
        }
        for (size_t i = 0; i < 3; i++) {
            const size_t first = i * 16384 / 3;
            const size_t last = (i + 1) * 16384 / 3 - 1;
            EXPECT_EQ(nodes_[i]->Ask("CLUSTER ADDSLOTSRANGE " + std::to_string(first) + " " +
                                     std::to_string(last)),
                      "+OK");
        }
        for (size_t i = 0; i < 3; i++) {
            const std::string id = nodes_[i]->Ask("CLUSTER MYID");
            WaitUntil("the replica knows its master", [this, i, &id] {
                return nodes_[i + 3]->Ask("CLUSTER REPLICATE " + id) == "+OK";
            });
        }
        for (const auto &node : nodes_) {
            WaitUntil("the cluster is complete", [&node] {
                return node->AskForText("CLUSTER INFO").find("cluster_state:ok") !=
                       std::string::npos;
            });
        }
        for (size_t i = 0; i < 3; i++) {
            WaitUntil("the replica is in step", [this, i] {
                return nodes_[i + 3]
                           ->AskForText("INFO replication")
                           .find("master_link_status:up") != std::string::npos;
            });
        }
    }

    // For --store: all of them.
    std::string url() const {
        std::string url = "redis://" + Address(*nodes_[0]);
        for (size_t i = 1; i < nodes_.size(); i++) {
            url += "," + Address(*nodes_[i]);
        }
        return url;
    }

    // The master that has the key.
    RedisServer *Owner(const std::string &key) {
        for (size_t i = 0; i < 3; i++) {
            if (nodes_[i]->Ask("EXISTS " + key).substr(0, 6) != "-MOVED") {
                return nodes_[i].get();
            }
        }
        return nullptr;
    }

  private:
    std::vector<std::unique_ptr<RedisServer>> nodes_;
};

// Two servers; the client moves between them, and the node that has its session is killed on the
// way.
TEST_F(ClusterTest, ASequenceSurvivesTheDeathOfItsNode) {
    Cluster cluster;
    Server one({"--test-mode", "--store=" + cluster.url()});
    Server other({"--test-mode", "--store=" + cluster.url()});
    Connection first(one.port());
    ASSERT_EQ(first.Ask("INIT," + kId + ",10000,5;"), "ACK;");
    EXPECT_EQ(first.Ask("RECV,0;"), "NUM,6:41:81:68:68;");
    Continue(&other)->Ask("RECV,1;");

    RedisServer *owner = cluster.Owner("sequence:" + kId);
    ASSERT_NE(owner, nullptr);
    EXPECT_EQ(owner->Ask("EXISTS sequence:" + kId), ":1");
    owner->Stop();
    EXPECT_EQ(first.Ask("RECV,630;"), "NUM,54:94:94:19:96;") << "what is attached needs no Redis";
    std::unique_ptr<Connection> second = Continue(&other);
    EXPECT_EQ(second->Ask("RECV,1999;"), "NUM,40:53:59:98:3;");
    EXPECT_EQ(second->Ask("FIN;"), kChecksum10000);
    std::unique_ptr<Connection> third = Continue(&one);
    EXPECT_EQ(third->Ask("FIN;"), kChecksum10000);
}

// Sessions of all slots, with a server that knows one node only.
TEST_F(ClusterTest, FindsEachSessionsNode) {
    Cluster cluster;
    const std::string url = cluster.url();
    Server server({"--store=" + url.substr(0, url.find(','))});
    for (int i = 0; i < 20; i++) {
        Client client;
        ExpectDelivered(client.Run({"NEW", "10", std::to_string(server.port())}));
    }
}

// While a slot moves, its node sends those whose key it no longer has to the other one, each time.
TEST_F(ClusterTest, FollowsAKeyThatIsOnItsWay) {
    Cluster cluster;
    const std::string key = "sequence:" + kId;
    RedisServer *owner = cluster.Owner(key);
    ASSERT_NE(owner, nullptr);
    RedisServer *heir = cluster.Owner("other");
    ASSERT_NE(heir, owner);
    const std::string slot = owner->Ask("CLUSTER KEYSLOT " + key).substr(1);
    const auto set_slot = [&slot](RedisServer *node, const std::string &state, RedisServer *other) {
        EXPECT_EQ(
            node->Ask("CLUSTER SETSLOT " + slot + " " + state + " " + other->Ask("CLUSTER MYID")),
            "+OK");
    };
    set_slot(heir, "IMPORTING", owner);
    set_slot(owner, "MIGRATING", heir);
    ASSERT_EQ(owner->Ask("EXISTS " + key).substr(0, 5), "-ASK ");
    Server server({"--test-mode", "--store=" + cluster.url()});
    {
        Connection first(server.port());
        ASSERT_EQ(first.Ask("INIT," + kId + ",10000,5;"), "ACK;");
        EXPECT_EQ(first.Ask("RECV,0;"), "NUM,6:41:81:68:68;");
    }
    EXPECT_EQ(heir->Ask("CLUSTER COUNTKEYSINSLOT " + slot), ":1");
    EXPECT_EQ(owner->Ask("CLUSTER COUNTKEYSINSLOT " + slot), ":0");
    EXPECT_EQ(Continue(&server)->Ask("RECV,630;"), "NUM,54:94:94:19:96;");
    set_slot(heir, "NODE", heir);
    set_slot(owner, "NODE", heir);
    EXPECT_EQ(Continue(&server)->Ask("FIN;"), kChecksum10000);
}

TEST_F(ClusterTest, SentinelsAreAskedForTheMasterAgain) {
    auto master = std::make_unique<RedisServer>();
    RedisServer replica("replicaof 127.0.0.1 " + std::to_string(master->port()) +
                        "\nrepl-diskless-sync-delay 0\n");
    WaitUntil("the replica is in step", [&replica] {
        return replica.AskForText("INFO replication").find("master_link_status:up") !=
               std::string::npos;
    });
    const std::string monitor = "sentinel monitor the-master 127.0.0.1 " +
                                std::to_string(master->port()) +
                                " 1\nsentinel down-after-milliseconds the-master 1000\n"
                                "sentinel failover-timeout the-master 5000\n";
    RedisServer gone;
    RedisServer sentinel(monitor, true);
    WaitUntil("the sentinel knows the replica", [&sentinel] {
        return sentinel.AskForText("INFO sentinel").find("slaves=1") != std::string::npos;
    });
    gone.Stop();
    const std::string store =
        "--store=redis+sentinel://" + Address(gone) + "," + Address(sentinel) + "/the-master";
    Server one({"--test-mode", store});
    Server other({"--test-mode", store});
    Connection first(one.port());
    ASSERT_EQ(first.Ask("INIT," + kId + ",10000,5;"), "ACK;");
    master->Stop();
    std::unique_ptr<Connection> second = Continue(&other);
    EXPECT_EQ(second->Ask("RECV,630;"), "NUM,54:94:94:19:96;");
    EXPECT_EQ(second->Ask("FIN;"), kChecksum10000);
    EXPECT_EQ(replica.Ask("EXISTS sequence:" + kId), ":1");
}

} // namespace
