// What the field does to the store in Redis: connections that go, servers that change their role,
// data that is lost, rights that are missing, and servers that are none.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "server/sessions/redis_server.h"
#include "server/sessions/redis_store_harness.h"
#include "server/sessions/tls_files.h"
#include "testing/daemon.h"
#include "testing/loopback.h"
#include "testing/tcp_client.h"

namespace {

using sessions::kId;
using sessions::kTtlMs;
using sessions::RedisServer;
using sessions::Store;

const std::string kKey = std::string("sequence:") + kId;

class RedisFaultsTest : public sessions::RedisTest {};

// The database of RedisServer::url().
std::string AskData(RedisServer *redis, const std::string &command) {
    harness::TcpClient client(redis->port());
    client.Send("SELECT 3\r\n" + command + "\r\n");
    client.ReceiveUntil([](const std::string &received) {
        return received.find("\r\n", received.find("\r\n") + 2) != std::string::npos;
    });
    return client.received().substr(5);
}

void Pause() {
    std::this_thread::sleep_for(std::chrono::milliseconds(REDIS_CLIENT_PAUSE_MS));
}

TEST_F(RedisFaultsTest, AValueThatIsNoSessionIsRefused) {
    RedisServer redis;
    Store store(redis);
    for (const std::string value :
         {"1 -10 -5 k 0000000000000000000000000000000000000000000000000000000000000000",
          "1 4294967286 4294967291 k "
          "0000000000000000000000000000000000000000000000000000000000000000",
          "", "1", "\\x00", "1 10 5 k zz"}) {
        EXPECT_EQ(AskData(&redis, "SET " + kKey + " \"" + value + "\""), "+OK\r\n");
        EXPECT_EQ(store.Attach(), SESSION_STORE_MISSING) << value;
    }
    AskData(&redis, "DEL " + kKey);
    AskData(&redis, "LPUSH " + kKey + " x");
    EXPECT_EQ(store.Attach(), SESSION_STORE_UNAVAILABLE);
}

TEST_F(RedisFaultsTest, AConnectionThatRedisClosedCostsNothing) {
    RedisServer redis;
    Store store(redis);
    EXPECT_EQ(redis.Ask("CLIENT KILL TYPE normal SKIPME yes").substr(0, 1), ":");
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    redis.Ask("CLIENT KILL TYPE normal SKIPME yes");
    EXPECT_EQ(store.Attach(), SESSION_STORE_OK);
    redis.Restart();
    EXPECT_EQ(store.Create(), SESSION_STORE_OK) << "Redis came back empty";
    EXPECT_EQ(store.log().find("warning"), std::string::npos) << store.log();
}

TEST_F(RedisFaultsTest, PutsBackWhatRedisHasLost) {
    RedisServer redis;
    Store one(redis);
    Store other(redis);
    ASSERT_EQ(one.Create(), SESSION_STORE_OK);
    redis.Ask("FLUSHALL");
    one.Keep();
    EXPECT_EQ(other.Attach(), SESSION_STORE_OK);
    other.Detach();

    redis.Ask("FLUSHALL");
    one.Detach();
    EXPECT_EQ(other.Attach(), SESSION_STORE_OK);
    other.Detach();

    redis.Ask("FLUSHALL");
    EXPECT_EQ(one.Attach(), SESSION_STORE_OK) << "it let the session go not long ago";
    one.Detach();
    redis.Ask("FLUSHALL");
    one.PurgeAll();
    EXPECT_EQ(one.Attach(), SESSION_STORE_MISSING);
}

TEST_F(RedisFaultsTest, AMasterThatBecameAReplicaIsLeftForTheOther) {
    RedisServer one;
    RedisServer other;
    Store store("redis://127.0.0.1:" + std::to_string(one.port()) +
                ",127.0.0.1:" + std::to_string(other.port()) + "/3");
    one.Ask("REPLICAOF 127.0.0.1 " + std::to_string(other.port()));
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    EXPECT_NE(AskData(&other, "GET " + kKey).substr(0, 3), "$-1");
}

TEST_F(RedisFaultsTest, AReplicaThatBecomesAMasterIsUsedAgain) {
    RedisServer redis;
    RedisServer master;
    Store store(redis);
    redis.Ask("REPLICAOF 127.0.0.1 " + std::to_string(master.port()));
    EXPECT_EQ(store.Create(), SESSION_STORE_UNAVAILABLE);
    redis.Ask("REPLICAOF NO ONE");
    Pause();
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    EXPECT_NE(store.log().find("answers again"), std::string::npos) << store.log();
}

// What is printed when a store cannot be opened.
std::string Refusal(const std::string &url, const char *password = nullptr) {
    try {
        Store store(url, password);
    } catch (const std::runtime_error &error) {
        return error.what();
    }
    return "opened";
}

TEST_F(RedisFaultsTest, RefusesAtTheStartWithTheRemedy) {
    RedisServer redis;
    RedisServer replica("replicaof 127.0.0.1 " + std::to_string(redis.port()) + "\n");
    EXPECT_NE(Refusal(replica.url()).find("name its master"), std::string::npos);

    RedisServer guarded(
        "requirepass hunter2\nuser poor on >poor ~* +get\n"
        "user rich on >rich ~sequence* +set +getex +pexpire +exists +del +select\n");
    EXPECT_NE(Refusal(guarded.url()).find("set REDIS_PASSWORD"), std::string::npos);
    EXPECT_NE(Refusal(guarded.url(), "").find("set REDIS_PASSWORD"), std::string::npos);
    const std::string wrong = Refusal(guarded.url(), "hunter3");
    EXPECT_NE(wrong.find("is wrong"), std::string::npos);
    EXPECT_EQ(wrong.find("hunter3"), std::string::npos);
    EXPECT_EQ(Refusal(guarded.url(), "hunter2"), "opened");
    const std::string port = std::to_string(guarded.port());
    EXPECT_NE(Refusal("redis://poor@127.0.0.1:" + port, "poor").find("+set +getex"),
              std::string::npos);
    EXPECT_EQ(Refusal("redis://rich@127.0.0.1:" + port + "/3", "rich"), "opened");
    EXPECT_EQ(Refusal(redis.url(), ""), "opened") << "an empty password is none";

    RedisServer node("cluster-enabled yes\n");
    EXPECT_NE(Refusal("redis://127.0.0.1:" + std::to_string(node.port())).find("CLUSTERDOWN"),
              std::string::npos);
}

TEST_F(RedisFaultsTest, SentinelsHaveAPasswordOfTheirOwn) {
    RedisServer master("requirepass hunter2\n");
    RedisServer sentinel("requirepass guard\nsentinel monitor the-master 127.0.0.1 " +
                             std::to_string(master.port()) + " 1\n",
                         true);
    const std::string url =
        "redis+sentinel://127.0.0.1:" + std::to_string(sentinel.port()) + "/the-master/3";
    EXPECT_NE(Refusal(url, "hunter2").find("REDIS_SENTINEL_PASSWORD"), std::string::npos);
    Store store(url, "hunter2", 100, "guard");
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
}

TEST_F(RedisFaultsTest, GoesThroughAUnixSocket) {
    // A path that is short enough for one: a test's own directory need not be.
    char directory[] = "/tmp/redis-XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    const std::string path = std::string(directory) + "/s";
    RedisServer redis("unixsocket " + path + "\n");
    Store store("unix://" + path + "?db=3");
    unlink(path.c_str());
    rmdir(directory);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    Store other(redis);
    EXPECT_EQ(other.Attach(), SESSION_STORE_OK);
}

TEST_F(RedisFaultsTest, GoesThroughTls) {
    sessions::TlsFiles files;
    sessions::TlsFiles others;
    const std::string tls_port = std::to_string(harness::FindFreePort());
    RedisServer redis("tls-port " + tls_port + "\ntls-cert-file " + files.certificate() +
                      "\ntls-key-file " + files.key() + "\ntls-ca-cert-file " +
                      files.certificate() + "\n");
    const std::string url = "rediss://127.0.0.1:" + tls_port + "/3?ssl-ca=";
    const std::string own = "&ssl-cert=" + files.certificate() + "&ssl-key=" + files.key();
    Store store(url + files.certificate() + own);
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    redis.Ask("CLIENT KILL TYPE normal SKIPME yes");
    EXPECT_EQ(store.Attach(), SESSION_STORE_OK);

    EXPECT_NE(Refusal(url + others.certificate() + own).find("error"), std::string::npos)
        << "an authority that did not sign it";
    EXPECT_NE(Refusal("rediss://127.0.0.2:" + tls_port + "?ssl-ca=" + files.certificate() + own)
                  .find("mismatch"),
              std::string::npos)
        << "the certificate is for 127.0.0.1 only";
    EXPECT_NE(Refusal(url + "/no/such/file").find("/no/such/file"), std::string::npos);
    EXPECT_NE(Refusal("rediss://127.0.0.1:" + std::to_string(redis.port()) +
                      "?ssl-ca=" + files.certificate() + own),
              "opened")
        << "a server without TLS";
}

// Of these neither the sentinel nor the master can be reached otherwise.
TEST_F(RedisFaultsTest, AsksSentinelsThroughTls) {
    const sessions::TlsFiles files;
    const std::string own = "tls-cert-file " + files.certificate() + "\ntls-key-file " +
                            files.key() + "\ntls-ca-cert-file " + files.certificate() + "\n";
    const std::string master_port = std::to_string(harness::FindFreePort());
    const std::string sentinel_port = std::to_string(harness::FindFreePort());
    RedisServer master("port 0\ntls-port " + master_port + "\n" + own);
    RedisServer sentinel("port 0\ntls-port " + sentinel_port + "\ntls-replication yes\n" + own +
                             "sentinel monitor the-master 127.0.0.1 " + master_port + " 1\n",
                         true);
    const std::string url = "rediss+sentinel://127.0.0.1:" + sentinel_port +
                            "/the-master/3?ssl-ca=" + files.certificate();
    Store store(url + "&ssl-cert=" + files.certificate() + "&ssl-key=" + files.key());
    EXPECT_EQ(store.Create(), SESSION_STORE_OK);
    EXPECT_NE(Refusal(url), "opened") << "they want to know who asks";
}

TEST_F(RedisFaultsTest, AsksForTheDueOnesWhenRedisIsBack) {
    RedisServer redis;
    Store store(redis);
    ASSERT_EQ(store.Create(), SESSION_STORE_OK);
    store.Detach();
    redis.Pause();
    // Due, asked for in vain, and asked for again.
    while (store.log().find("in time") == std::string::npos) {
        store.PurgeOnce();
    }
    redis.Resume();
    EXPECT_EQ(store.PurgeAll(), std::vector<std::string>{kId});
}

// A server that is none: it sends what `serve` sends to whoever connects.
class HostileServer {
  public:
    explicit HostileServer(std::function<void(int fd)> serve) {
        thread_ = std::thread([this, serve] {
            int fd;
            while ((fd = accept(listening_, nullptr, nullptr)) >= 0) {
                char command[4096];
                if (recv(fd, command, sizeof command, 0) > 0) {
                    serve(fd);
                }
                close(fd);
            }
        });
    }
    ~HostileServer() {
        shutdown(listening_, SHUT_RDWR);
        thread_.join();
        close(listening_);
    }
    std::string url() const {
        return "redis://127.0.0.1:" + std::to_string(harness::PortOf(listening_));
    }

  private:
    const int listening_ = harness::ListenOnLoopback();
    std::thread thread_;
};

bool SendAll(int fd, const std::string &bytes) {
    return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

TEST(HostileRedis, IsRefused) {
    for (const std::string &reply :
         {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("*2147483647\r\n"),
          std::string("*1000\r\n*65000\r\n"), std::string("$2147483647\r\n"),
          std::string("+OK\r\n+OK\r\n"), std::string("$5\r\n\0\0\0\0\0\r\n", 11),
          std::string("-MOVED 1 127.0.0.1:99999\r\n"), std::string("-MOVED x\r\n"),
          std::string("-\x1b[31mred\x1b]0;title\x07\r\n")}) {
        HostileServer server([&reply](int fd) { SendAll(fd, reply); });
        const std::string refusal = Refusal(server.url());
        EXPECT_NE(refusal.find("error"), std::string::npos) << reply;
        EXPECT_EQ(refusal.find('\x1b'), std::string::npos) << refusal;
    }
}

// Each of these never ends by itself.
TEST(HostileRedis, DoesNotHoldACallFast) {
    HostileServer dripping([](int fd) {
        while (SendAll(fd, "+")) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    });
    EXPECT_NE(Refusal(dripping.url()).find("in time"), std::string::npos);
    HostileServer flooding([](int fd) {
        SendAll(fd, "$200000\r\n");
        while (SendAll(fd, std::string(65536, 'x'))) {
        }
    });
    EXPECT_NE(Refusal(flooding.url()), "opened");
    HostileServer redirecting([](int fd) { SendAll(fd, "-MOVED 1 :1\r\n"); });
    EXPECT_NE(Refusal(redirecting.url()), "opened");
}

} // namespace
