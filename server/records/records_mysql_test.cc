// The records server with a MariaDB that does not give it all that it asks for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "server/records/records_process.h"
#include "server/records/store/mariadb_server.h"

namespace {

using harness::Exited;
using harness::MakeIds;
using harness::MariadbServer;
using harness::RecordLines;
using harness::RecordsServer;

// Ten of them, and two connections.
TEST(RecordsMysql, WritersThatCannotConnectDoNotStopTheOthers) {
    if (!MariadbServer::WhyNot().empty()) {
        GTEST_SKIP() << MariadbServer::WhyNot();
    }
    MariadbServer mariadb;
    setenv("RECORDS_PASSWORD", MariadbServer::kPassword, 1);
    mariadb.QueryAsRoot(std::string("ALTER USER ") + MariadbServer::kUser +
                        " WITH MAX_USER_CONNECTIONS 2");
    RecordsServer server({"--store=" + mariadb.Location(), "--ack", "--workers=10"});
    for (const char *prefix : {"a", "b", "c"}) {
        EXPECT_EQ(server.Ingest(RecordLines(MakeIds(prefix, 20000))), "{\"stored\": 20000}\n");
    }
    EXPECT_EQ(server.CountMessages("the store takes no records"), 0u) << server.process().errors();
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(mariadb.QueryAsRoot("SELECT concat(count(*), ' ', count(DISTINCT id)) "
                                  "FROM user_data"),
              "60000 60000\n");
}

} // namespace
