// The MySQL store on servers that are set up in other ways than ours expects: other character sets,
// encryption, a socket in the file system, users with few rights.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "server/records/store/mariadb_server.h"
#include "server/records/store/store_harness.h"
#include "testing/files.h"
#include "testing/process.h"

namespace harness {
namespace {

class MysqlSession : public testing::Test {
  protected:
    void SetUp() override {
        if (!MariadbServer::WhyNot().empty()) {
            GTEST_SKIP() << MariadbServer::WhyNot();
        }
        server_ = MariadbServer::Shared();
    }
    void Restart(const std::vector<std::string> &options) {
        server_->Restart(options);
        MariadbServer::Shared();
    }
    MariadbServer *server_ = nullptr;
};

// In GBK the last byte of the first character and the backslash in front of the quote are one
// character, and the quote ends the text.
const char kInjection[] = "縗', (SELECT user()), 'x') -- ";

TEST_F(MysqlSession, TextsAreKeptWhateverTheServerTakesThemFor) {
    for (const std::vector<std::string> &options : std::vector<std::vector<std::string>>{
             {"--character-set-server=latin1", "--skip-character-set-client-handshake"},
             {"--character-set-server=utf8mb3", "--skip-character-set-client-handshake"},
             {"--character-set-server=gbk", "--skip-character-set-client-handshake"},
             {"--init-connect=SET NAMES gbk"},
             {"--init-connect=SET NAMES latin1, sql_mode='NO_BACKSLASH_ESCAPES'"},
             {"--init-connect=SET character_set_connection=ucs2, collation_connection=ucs2_bin"}}) {
        SCOPED_TRACE(options[0]);
        Restart(options);
        const People people = {{"Zoë", "日本 😀", "\\'\""}, {kInjection, kInjection, "x"}};
        auto store = Open(server_->Location());
        Writer writer(store.get());
        EXPECT_EQ(writer.Write(people), "");
        EXPECT_EQ(ReadAll(store.get()), people);
        EXPECT_EQ(Find(store.get(), kInjection), People{people[1]});
        EXPECT_EQ(server_
                      ->Query("SELECT hex(name) FROM user_data WHERE age = 'x' AND "
                              "hex(id) LIKE 'E7B897%'")
                      .rfind("E7B897272C", 0),
                  0u);
        EXPECT_EQ(server_->Query("SELECT hex(name) FROM user_data WHERE hex(id) = '5A6FC3AB'"),
                  "E697A5E69CAC20F09F9880\n");
    }
}

TEST_F(MysqlSession, OverASocketInTheFileSystem) {
    Restart({});
    // Its own path may be too long for one.
    const std::string link = "/tmp/mariadb-" + std::to_string(getpid());
    ASSERT_EQ(symlink(server_->data_directory().c_str(), link.c_str()), 0);
    auto store = Open(std::string("mysql://") + MariadbServer::kUser + "@/" +
                      MariadbServer::kDatabase + "?socket=" + link + "/socket");

    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "n", "a"}}), "");
    EXPECT_EQ(server_->Query("SELECT id FROM user_data"), "1\n");
    unlink(link.c_str());
}

TEST_F(MysqlSession, Encrypted) {
    TemporaryDirectory directory;
    const std::string certificate = directory.File("certificate.pem");
    const std::string other = directory.File("other.pem");
    for (const std::string &path : {certificate, other}) {
        ProcessOptions options;
        options.arguments = {"/usr/bin/openssl",
                             "req",
                             "-x509",
                             "-newkey",
                             "rsa:2048",
                             "-nodes",
                             "-subj",
                             "/CN=localhost",
                             "-addext",
                             "subjectAltName=DNS:localhost,IP:127.0.0.1",
                             "-days",
                             "2",
                             "-keyout",
                             path + ".key",
                             "-out",
                             path};
        if (access(options.arguments[0].c_str(), X_OK) != 0) {
            GTEST_SKIP() << "no openssl (package openssl)";
        }
        ASSERT_EQ(RunToEnd(options).status, Exited(0));
    }
    Restart({"--skip-ssl"}); // from 11.4 on it would make a certificate of its own
    EXPECT_EQ(WhyNotOpen(server_->Location() + "?ssl-mode=required"),
              "MySQL: the server offers no TLS");
    Restart({"--ssl-cert=" + certificate, "--ssl-key=" + certificate + ".key"});
    server_->QueryAsRoot(std::string("ALTER USER ") + MariadbServer::kUser + " REQUIRE SSL");
    for (const std::string option : {"?ssl-mode=required", "?ssl-ca="}) {
        const bool verifies = option == "?ssl-ca=";
        const std::string location = server_->Location() + option + (verifies ? certificate : "");
        auto store = Open(location);
        ASSERT_NE(store, nullptr);
        Writer writer(store.get());
        EXPECT_EQ(writer.Write({{"1", "n", "a"}}), "");
    }
    EXPECT_NE(WhyNotOpen(server_->Location() + "?ssl-ca=" + other), "it can")
        << "a certificate that is not signed by it";
    EXPECT_NE(WhyNotOpen(server_->Location() + "?ssl-ca=/no/such"), "it can");
    EXPECT_NE(WhyNotOpen(server_->Location()), "it can") << "without encryption";
    server_->QueryAsRoot(std::string("ALTER USER ") + MariadbServer::kUser + " REQUIRE NONE");
    Restart({});
}

TEST_F(MysqlSession, AUserWhoMayOnlyUseTheTables) {
    Restart({});
    { auto store = Open(server_->Location()); }
    server_->QueryAsRoot("CREATE OR REPLACE USER 'poor' IDENTIFIED BY \"" +
                         std::string(MariadbServer::kPassword) + "\"");
    server_->QueryAsRoot("GRANT SELECT, INSERT, UPDATE, DELETE ON " +
                         std::string(MariadbServer::kDatabase) + ".* TO 'poor'");
    auto store = Open("mysql://poor@127.0.0.1:" + std::to_string(server_->port()) + "/" +
                      MariadbServer::kDatabase);
    ASSERT_NE(store, nullptr);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "n", "a"}}), "");
    EXPECT_EQ(ReadAll(store.get()), (People{{"1", "n", "a"}}));
}

} // namespace
} // namespace harness
