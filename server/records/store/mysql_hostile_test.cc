// The MySQL store against a server that lies: it may crash nothing, get no password in clear, and
// no file.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/records/store/mariadb_server.h"
#include "server/records/store/store_harness.h"
#include "testing/files.h"

namespace harness {
namespace {

using std::string_literals::operator""s;

const std::string kOk = "\0\0\0\2\0\0\0"s;
const std::string kEof = "\xFE\0\0\2\0"s;

using Row = std::vector<std::optional<std::string>>;

int ListenOnLoopback(std::uint16_t *port) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    if (listener < 0 || bind(listener, generic, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, generic, &size) != 0) {
        ThrowErrno("hostile server");
    }
    *port = ntohs(address.sin_port);
    return listener;
}

std::string Text(const std::string &text) {
    return std::string(1, static_cast<char>(text.size())) + text;
}

// Speaks just enough of the protocol, to one client after the other: a greeting, an OK for
// whatever the login is, and an answer for each statement.
class HostileServer {
  public:
    // The packets of the answer to a statement; kOk where it is empty.
    using Answer = std::function<std::vector<std::string>(const std::string &statement)>;

    // `plugin` is the way to log in that its greeting names.
    explicit HostileServer(Answer answer, std::vector<std::string> after_login = {kOk},
                           std::string plugin = "mysql_native_password")
        : answer_(std::move(answer)), after_login_(std::move(after_login)),
          plugin_(std::move(plugin)), listener_(ListenOnLoopback(&port_)),
          thread_([this] { Run(); }) {}
    ~HostileServer() {
        shutdown(listener_, SHUT_RDWR);
        thread_.join();
        close(listener_);
    }
    std::string Location() const {
        return "mysql://u@127.0.0.1:" + std::to_string(port_) + "/d";
    }
    // What the last client has logged in with, and what it has sent since. After it has gone.
    const std::string &login() const {
        return login_;
    }
    const std::string &received() const {
        return received_;
    }

    static std::vector<std::string> Rows(size_t column_count, const std::vector<Row> &rows) {
        std::vector<std::string> packets = {std::string(1, static_cast<char>(column_count))};
        for (size_t index = 0; index < column_count; index++) {
            packets.push_back(Text("def") + Text("d") + Text("t") + Text("t") + Text("c") +
                              Text("c") + "\x0C\x2D\0\xFF\0\0\0\xFD\0\0\0\0\0"s);
        }
        packets.push_back(kEof);
        for (const Row &row : rows) {
            std::string packet;
            for (const auto &value : row) {
                packet += value ? Text(*value) : "\xFB"s;
            }
            packets.push_back(packet);
        }
        packets.push_back(kEof);
        return packets;
    }

  private:
    bool Send(int fd, const std::string &packet, int sequence) {
        std::string bytes = {static_cast<char>(packet.size()),
                             static_cast<char>(packet.size() >> 8), 0, static_cast<char>(sequence)};
        bytes += packet;
        return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }
    bool Receive(int fd, std::string *packet) {
        unsigned char head[4];
        if (recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head) {
            return false;
        }
        packet->resize(head[0] | static_cast<size_t>(head[1]) << 8);
        const bool is_whole = recv(fd, packet->data(), packet->size(), MSG_WAITALL) ==
                              static_cast<ssize_t>(packet->size());
        received_ += *packet;
        return is_whole;
    }
    void Serve(int fd) {
        const std::string greeting = "\x0A"
                                     "8.0.0\0\1\0\0\0"
                                     "abcdefgh\0\xFF\xF7\x2D\2\0\x0F\0\x15\0\0\0\0\0\0\0\0\0\0"
                                     "ijklmnopqrst\0"s +
                                     plugin_ + "\0"s;
        std::string packet;
        bool is_logged_in = Send(fd, greeting, 0) && Receive(fd, &login_);
        received_.clear();
        if (!is_logged_in) {
            return;
        }
        int sequence = 2;
        for (const std::string &answer : after_login_) {
            if (!Send(fd, answer, sequence)) {
                return;
            }
            sequence += 2;
            if (answer != kOk && !Receive(fd, &packet)) {
                return;
            }
        }
        const timeval patience = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        while (Receive(fd, &packet)) {
            std::vector<std::string> packets = answer_(packet.substr(packet.empty() ? 0 : 1));
            int number = 1;
            for (const std::string &each : packets.empty() ? std::vector{kOk} : packets) {
                if (!Send(fd, each, number++)) {
                    return;
                }
                if (each.size() > 1 && each[0] == '\xFB' && packets.size() == 1) {
                    Receive(fd, &packet); // the file, or a polite refusal
                    return;
                }
            }
        }
    }
    void Run() {
        for (int fd = accept(listener_, nullptr, nullptr); fd >= 0;
             fd = accept(listener_, nullptr, nullptr)) {
            Serve(fd);
            close(fd);
        }
    }

    Answer answer_;
    std::vector<std::string> after_login_;
    std::string plugin_;
    std::uint16_t port_ = 0;
    int listener_;
    std::string login_;
    std::string received_;
    std::thread thread_;
};

bool Has(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

// What an honest server answers at the start; nothing for other statements.
std::vector<std::string> Honest(const std::string &statement) {
    if (Has(statement, "SELECT table_name")) {
        return HostileServer::Rows(1, {{"t"}});
    }
    if (Has(statement, "character_set_name")) {
        std::vector<Row> rows;
        for (const char *name : {"id", "name", "age"}) {
            rows.push_back({name, "utf8mb4", "255", "1020", "InnoDB", "text", ""});
        }
        return HostileServer::Rows(7, rows);
    }
    if (Has(statement, "UNION ALL")) {
        return HostileServer::Rows(1, {});
    }
    if (Has(statement, "max_allowed_packet")) {
        return HostileServer::Rows(1, {{"1048576"}});
    }
    return {};
}

TEST(HostileMysql, ResultsOfAnyFormAtTheStart) {
    const std::vector<std::vector<std::string>> results = {
        {}, // no result at all
        HostileServer::Rows(1, {{std::nullopt}}),
        HostileServer::Rows(7, {Row(7)}),
        HostileServer::Rows(7, {{"id", "utf8mb4", std::nullopt, "1", "InnoDB", "text", ""}}),
        HostileServer::Rows(7, {{"other", "utf8mb4", "1", "1", "InnoDB", "text", ""}}),
        HostileServer::Rows(
            7, {{"id", "utf8mb4", "-1", "99999999999999999999999", "InnoDB", "text", ""}}),
        HostileServer::Rows(7, {{"id", "utf8mb4", "1", "1", "InnoDB", std::nullopt, std::nullopt}}),
        HostileServer::Rows(8, {{"id", "utf8mb4", "1", "1", "InnoDB", "text", "", "x"}}),
        HostileServer::Rows(1, {{"18446744073709551616"}}),
        HostileServer::Rows(1, {{"-1"}}),
    };
    for (const char *part :
         {"SELECT table_name", "character_set_name", "UNION ALL", "max_allowed_packet"}) {
        for (size_t index = 0; index < results.size(); index++) {
            HostileServer server([&](const std::string &statement) {
                return Has(statement, part) ? results[index] : Honest(statement);
            });
            const std::string reason = WhyNotOpen(server.Location());
            // Only to be told that a table is there is good enough for what follows.
            const bool may_open = part == "SELECT table_name"s && results[index].size() == 5 &&
                                  results[index][0][0] == 1;
            EXPECT_EQ(reason == "it can", may_open) << part << " " << index << ": " << reason;
        }
    }
}

TEST(HostileMysql, ResultsOfAnyFormForAReader) {
    const std::vector<std::vector<std::string>> results = {
        {},
        HostileServer::Rows(1, {{"1"}}),
        HostileServer::Rows(2, {{std::nullopt, std::nullopt}}),
        HostileServer::Rows(2, {{"64", "1"}}),
        HostileServer::Rows(2, {{"-1", "1"}}),
        HostileServer::Rows(2, {{"1", std::nullopt}}),
    };
    for (const auto &result : results) {
        for (const char *part : {"SELECT writer", "SELECT id, name, age"}) {
            HostileServer server([&](const std::string &statement) {
                if (statement.rfind(part, 0) == 0) {
                    return result;
                }
                return Has(statement, "SELECT writer") ? HostileServer::Rows(2, {})
                                                       : Honest(statement);
            });
            auto store = Open(server.Location());
            ASSERT_NE(store, nullptr);
            store_reader *reader = store_reader_open(store.get());
            char message[MESSAGE_SIZE] = "";
            EXPECT_EQ(store_reader_connect(reader, message), STORE_OK) << message;
            record record = {};
            store_status status = store_reader_begin(reader, nullptr, message);
            if (status == STORE_OK) { // the rows are asked for with the first of them
                status = store_reader_next(reader, &record, message);
            }
            EXPECT_EQ(status, STORE_UNAVAILABLE);
            EXPECT_STRNE(message, "");
            store_reader_end(reader);
            store_reader_close(reader);
        }
    }
}

// A way to log in, with the text that goes into the answer.
std::string SwitchTo(const std::string &plugin) {
    return "\xFE"s + plugin + "\0abcdefghijklmnopqrst\0"s;
}

// What a server begins with (MySQL 8 with caching_sha2_password) need not be what the user has.
TEST(HostileMysql, MayBeginWithAWayThatIsRefused) {
    for (const char *plugin : {"caching_sha2_password", "mysql_clear_password"}) {
        HostileServer server(Honest, {SwitchTo("mysql_native_password"), kOk}, plugin);
        EXPECT_EQ(WhyNotOpen(server.Location()), "it can") << plugin;
    }
}

// Not one that it could decrypt, either: it may ask for one in clear or encrypted with its own key,
// claim to have no TLS, or have a certificate of its own making.
TEST(HostileMysql, GetsNoPassword) {
    for (const std::string plugin : {"mysql_clear_password", "mysql_old_password", "dialog",
                                     "caching_sha2_password", "sha256_password"}) {
        for (const char *option :
             {"", "?ssl-mode=required", "?ssl-ca=/etc/ssl/certs/ca-certificates.crt"}) {
            HostileServer server(Honest, {SwitchTo(plugin), "\1\4", kOk}, plugin);
            const std::string reason = WhyNotOpen(server.Location() + option);
            EXPECT_NE(reason, "it can") << plugin << option;
            EXPECT_EQ(reason.find("in a way that it could read") != std::string::npos,
                      option != "?ssl-ca=/etc/ssl/certs/ca-certificates.crt"s)
                << plugin << option << ": " << reason;
            EXPECT_FALSE(Has(server.login(), MariadbServer::kPassword)) << plugin << option;
            EXPECT_EQ(server.received(), "") << plugin << option;
        }
    }
}

TEST(HostileMysql, GetsNoFile) {
    HostileServer server([](const std::string &statement) {
        return Has(statement, "SET ") ? std::vector{"\xFB/etc/hostname"s} : Honest(statement);
    });
    char name[256] = "";
    ASSERT_EQ(gethostname(name, sizeof name - 1), 0);
    EXPECT_NE(WhyNotOpen(server.Location()), "it can");
    EXPECT_FALSE(Has(server.received(), name));
    // Whatever the library was built to allow.
    constexpr char kLocalFiles = static_cast<char>(1 << 7);
    ASSERT_GT(server.login().size(), 32u);
    EXPECT_EQ(server.login()[0] & kLocalFiles, 0) << "it says that it would send files";
}

} // namespace
} // namespace harness
