// The records server with a Galera cluster of three nodes, one of which is killed under load. It
// takes a dozen seconds and half a gigabyte, so it is run by hand.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/records/records_process.h"
#include "testing/daemon.h"
#include "testing/files.h"
#include "testing/patience.h"

namespace harness {
namespace {

constexpr char kProvider[] = "/usr/lib/galera/libgalera_smm.so";
constexpr char kServer[] = "/usr/sbin/mariadbd";
constexpr char kInstaller[] = "/usr/bin/mariadb-install-db";
constexpr char kClient[] = "/usr/bin/mariadb";
constexpr int kNodeCount = 3;

class Galera : public testing::Test {
  protected:
    struct Node {
        std::uint16_t port, group_port, transfer_port;
        std::unique_ptr<Process> process;
    };

    void SetUp() override {
        for (const char *program : {kProvider, kServer, kInstaller, kClient}) {
            if (access(program, R_OK) != 0) {
                GTEST_SKIP() << "no " << program
                             << " (mariadb-server-core, mariadb-client-core, galera-4)";
            }
        }
        WriteFile(directory_.File("init.sql"), "FLUSH PRIVILEGES;\nCREATE DATABASE tsdb;\n"
                                               "CREATE USER 'records'@'%' IDENTIFIED BY 'secret';\n"
                                               "GRANT ALL ON tsdb.* TO 'records'@'%';\n");
        for (int index = 0; index < kNodeCount; index++) {
            nodes_.push_back({FindFreePort(), FindFreePort(), FindFreePort(), nullptr});
            addresses_ += (index == 0 ? "" : ",") + Address(nodes_.back().group_port);
            Run({kInstaller, "--no-defaults", "--force", "--datadir=" + Data(index),
                 "--tmpdir=" + directory_.path(), "--auth-root-authentication-method=normal",
                 "--skip-test-db", "--extra-file=" + directory_.File("init.sql"), "--user=root"});
        }
        Start(0, {"--wsrep-new-cluster"});
        // All begin with the same data, so that none has to send them to the others.
        const std::string state = Status("wsrep_cluster_state_uuid");
        for (int index = 1; index < kNodeCount; index++) {
            WriteFile(Data(index) + "/grastate.dat",
                      "# GALERA saved state\nversion: 2.1\nuuid: " + state + "\nseqno: " +
                          Status("wsrep_last_committed") + "\nsafe_to_bootstrap: 0\n");
            Start(index, {});
        }
        ASSERT_EQ(Status("wsrep_cluster_size"), std::to_string(kNodeCount));
    }
    static std::string Address(std::uint16_t port) {
        return "127.0.0.1:" + std::to_string(port);
    }
    std::string Data(int index) const {
        return directory_.File("node") + std::to_string(index);
    }
    static std::string Run(const std::vector<std::string> &arguments) {
        ProcessOptions options;
        options.arguments = arguments;
        const ProcessResult result = RunToEnd(options);
        EXPECT_EQ(result.status, Exited(0)) << arguments[0] << result.output << result.errors;
        return result.output.substr(0, result.output.find_last_not_of('\n') + 1);
    }
    std::string Query(int index, const std::string &statement) const {
        return Run({kClient, "--no-defaults", "-h127.0.0.1",
                    "-P" + std::to_string(nodes_[index].port), "-urecords", "-psecret", "-N", "-e",
                    statement, "tsdb"});
    }
    std::string Status(const std::string &name) const {
        return Query(0, "SELECT variable_value FROM information_schema.global_status WHERE "
                        "variable_name = '" +
                            name + "'");
    }
    void Start(int index, const std::vector<std::string> &more) {
        Node &node = nodes_[index];
        ProcessOptions options;
        options.arguments = {
            kServer,
            "--no-defaults",
            "--user=root",
            "--datadir=" + Data(index),
            "--tmpdir=" + directory_.path(),
            "--bind-address=127.0.0.1",
            "--port=" + std::to_string(node.port),
            "--socket=socket",
            "--pid-file=pid",
            "--skip-name-resolve",
            "--performance-schema=off",
            "--innodb-buffer-pool-size=16M",
            "--innodb-log-file-size=4M",
            "--binlog-format=ROW",
            "--innodb-autoinc-lock-mode=2",
            "--innodb-force-primary-key=1",
            "--wsrep-on=1",
            std::string("--wsrep-provider=") + kProvider,
            "--wsrep-cluster-address=gcomm://" + addresses_,
            "--wsrep-node-address=" + Address(node.group_port),
            "--wsrep-sst-method=skip",
            "--wsrep-provider-options=gmcast.listen_addr=tcp://" + Address(node.group_port) +
                ";ist.recv_addr=" + Address(node.transfer_port) +
                ";gcache.size=8M;gcache.page_size=8M;pc.recovery=false;evs.suspect_timeout=PT1S;"
                "evs.inactive_timeout=PT3S;evs.inactive_check_period=PT0.2S;"
                "evs.keepalive_period=PT0.2S"};
        options.arguments.insert(options.arguments.end(), more.begin(), more.end());
        node.process = std::make_unique<Process>(options);
        ASSERT_TRUE(node.process->WaitForErrors([](const std::string &text) {
            return HasLineWith("Synchronized with group")(text) &&
                   HasLineWith("ready for connections")(text);
        })) << node.process->errors();
    }

    TemporaryDirectory directory_;
    std::vector<Node> nodes_;
    std::string addresses_;
};

TEST_F(Galera, ANodeThatIsKilledUnderLoadLosesNothing) {
    std::string store = "--store=mysql://records@";
    for (const Node &node : nodes_) {
        store += (&node == nodes_.data() ? "" : ",") + Address(node.port);
    }
    RecordsServer server({store + "/tsdb", "--ack"}, {{"RECORDS_PASSWORD", "secret"}});
    Ids all;
    std::vector<std::thread> senders;
    for (const char *prefix : {"a", "b", "c", "d", "e"}) {
        for (int round = 0; round < 20; round++) {
            const Ids ids = MakeIds(prefix + std::to_string(round) + "-", 400);
            all.insert(all.end(), ids.begin(), ids.end());
        }
        senders.emplace_back([&server, prefix] {
            for (int round = 0; round < 20; round++) {
                const Ids ids = MakeIds(prefix + std::to_string(round) + "-", 400);
                EXPECT_EQ(server.Ingest(RecordLines(ids)), "{\"stored\": 400}\n");
            }
        });
    }
    EXPECT_TRUE(Await([&] {
        return std::stoul(Query(1, "SET wsrep_sync_wait = 1; SELECT count(*) FROM user_data")) >
               2000;
    }));
    nodes_[0].process->Signal(SIGKILL);
    nodes_[0].process->WaitForExit();
    for (std::thread &sender : senders) {
        sender.join();
    }
    for (int index : {1, 2}) {
        EXPECT_EQ(Query(index, "SET wsrep_sync_wait = 1; SELECT concat(count(*), ' ', "
                               "count(DISTINCT id)) FROM user_data"),
                  "40000 40000");
    }
    ExpectEachOnce(IdsOf(server.Query("all\n")), all);
    EXPECT_EQ(server.Stop(), Exited(0));
}

} // namespace
} // namespace harness
