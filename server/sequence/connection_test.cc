#include "server/sequence/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "server/sessions/session_store_memory.h"

namespace {

const std::string kClientId = "123e4567-e89b-12d3-a456-426614174000";
const std::string kInit10 = "INIT," + kClientId + ",10,5;";
const std::string kWhole10 = "NUM,6:41:81:68:68;NUM,41:10:40:78:98;"
                             "FAC,9b14501c5359fb4eac96df9e874348b2;";

// A connection at one end of a pair of sockets; the test is the client at the other end, and the
// clock.
class ConnectionTest : public testing::Test {
  protected:
    void SetUp() override {
        std::array<int, 2> ends;
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()),
                  0);
        client_ = ends[0];
        server_ = ends[1];
        const session_store_limits limits = {4, 1000, 0, 0, 0};
        ASSERT_EQ(session_store_memory_open(&store_, &limits), 0);
        conversation_config_.store = &store_;
        conversation_config_.kind = GENERATOR_PYTHON;
        config_.conversation = &conversation_config_;
    }
    void TearDown() override {
        connection_end(connection_.get(), now_ms_);
        session_store_destroy(&store_);
        close(client_);
    }

    void Begin() {
        connection_begin(connection_.get(), &config_, server_, 0, now_ms_);
    }
    connection_outcome Send(const std::string &bytes) {
        EXPECT_EQ(write(client_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
        return connection_handle_events(connection_.get(), POLLIN, now_ms_);
    }
    // What the client can read now; "<end>" when the server has closed its side.
    std::string Receive() {
        std::string received;
        std::array<char, 65536> bytes;
        ssize_t size;
        while ((size = read(client_, bytes.data(), bytes.size())) > 0) {
            received.append(bytes.data(), static_cast<size_t>(size));
        }
        return size == 0 ? received + "<end>" : received;
    }
    int64_t Deadline() {
        return connection_deadline_ms(connection_.get());
    }
    connection_outcome AtDeadline() {
        now_ms_ = Deadline();
        return connection_handle_time(connection_.get(), now_ms_);
    }

    int client_ = -1;
    int server_ = -1;
    int64_t now_ms_ = 5000;
    session_store store_ = {};
    conversation_configuration conversation_config_ = {};
    connection_configuration config_ = {};
    std::unique_ptr<connection> connection_ = std::make_unique<connection>();
};

TEST_F(ConnectionTest, AnswersAndWaitsForTheClientToClose) {
    Begin();
    EXPECT_EQ(connection_wanted_events(connection_.get()), POLLIN);
    EXPECT_EQ(Send(kInit10), CONNECTION_OPEN);
    EXPECT_EQ(Receive(), "ACK;");
    EXPECT_EQ(Deadline(), INT64_MAX);
    EXPECT_EQ(Send("RECV,0;RECV,1;FIN;"), CONNECTION_OPEN);
    EXPECT_EQ(Receive(), kWhole10 + "<end>");
    EXPECT_EQ(Send("whatever follows"), CONNECTION_OPEN);
    shutdown(client_, SHUT_WR);
    EXPECT_EQ(connection_handle_events(connection_.get(), POLLIN, now_ms_), CONNECTION_FINISHED);
}

TEST_F(ConnectionTest, CutsOffAClientThatDoesNotClose) {
    Begin();
    EXPECT_EQ(Send("nonsense;"), CONNECTION_OPEN);
    EXPECT_EQ(Receive(), "ERR,Unknown message;<end>");
    EXPECT_EQ(Deadline(), now_ms_ + LIMIT_LINGER_MS);
    EXPECT_EQ(AtDeadline(), CONNECTION_FINISHED);
}

TEST_F(ConnectionTest, RefusesWithAReason) {
    connection_refuse(connection_.get(), &config_, server_, "Too many connections", now_ms_);
    EXPECT_EQ(connection_handle_events(connection_.get(), 0, now_ms_), CONNECTION_OPEN);
    EXPECT_EQ(Send(kInit10), CONNECTION_OPEN);
    EXPECT_EQ(Receive(), "ERR,Too many connections;<end>");
    EXPECT_EQ(store_.operations->next_purge_ms(store_.state), INT64_MAX) << "no session was made";
}

// A client that has asked for much and takes it fast has to let the others have their turn.
TEST_F(ConnectionTest, EndsItsTurnWhenThereIsMuchToSend) {
    Begin();
    EXPECT_EQ(Send("INIT," + kClientId + ",65535,65535;RECV,0;FIN;"), CONNECTION_OPEN);
    size_t turn_count = 1;
    std::string received = Receive();
    EXPECT_GT(received.size(), static_cast<size_t>((LIMIT_FILLS_PER_TURN - 1) * LIMIT_OUTPUT_SIZE));
    while (connection_wanted_events(connection_.get()) & POLLOUT) {
        EXPECT_EQ(connection_handle_events(connection_.get(), POLLOUT, now_ms_), CONNECTION_OPEN);
        const std::string turn = Receive();
        EXPECT_LE(turn.size(), static_cast<size_t>(LIMIT_FILLS_PER_TURN * LIMIT_OUTPUT_SIZE));
        received += turn;
        turn_count++;
    }
    EXPECT_EQ(received.substr(received.size() - 42), "FAC,8dce03696fa07301720e07daf62ca2fa;<end>");
    EXPECT_GE(turn_count, received.size() / (LIMIT_FILLS_PER_TURN * LIMIT_OUTPUT_SIZE));
}

// A client that does not read: what it asks for is not even made.
TEST_F(ConnectionTest, WaitsForAClientThatDoesNotRead) {
    Begin();
    EXPECT_EQ(Send("INIT," + kClientId + ",65535,65535;"), CONNECTION_OPEN);
    std::string requests;
    for (int i = 0; i < 100; i++) {
        requests += "RECV,0;";
    }
    EXPECT_EQ(Send(requests), CONNECTION_OPEN);
    for (int i = 0; i < 100; i++) {
        EXPECT_EQ(connection_handle_events(connection_.get(), POLLOUT, now_ms_), CONNECTION_OPEN);
    }
    EXPECT_LT(conversation_config_.number_count, 3u * 65535u);
    EXPECT_EQ(connection_wanted_events(connection_.get()), POLLIN | POLLOUT);
}

TEST_F(ConnectionTest, IsIdleUntilAMessageIsWhole) {
    config_.idle_timeout_ms = 100;
    Begin();
    EXPECT_EQ(Deadline(), now_ms_ + 100);
    const int64_t begun_ms = now_ms_;
    for (char byte : kInit10.substr(0, 9)) {
        now_ms_ += 10;
        Send(std::string(1, byte));
        EXPECT_EQ(Deadline(), begun_ms + 100) << "bytes that drip do not extend it";
    }
    Send(kInit10.substr(9));
    EXPECT_EQ(Deadline(), now_ms_ + 100);
    EXPECT_EQ(connection_handle_time(connection_.get(), now_ms_ + 99), CONNECTION_OPEN);
    EXPECT_EQ(AtDeadline(), CONNECTION_FINISHED);
}

// Not even with line ends, nor where idle connections may stay for ever.
TEST_F(ConnectionTest, MustOpenASessionSoon) {
    Begin();
    EXPECT_EQ(Deadline(), now_ms_ + LIMIT_OPENING_MS);
    const int64_t begun_ms = now_ms_;
    now_ms_ += LIMIT_OPENING_MS / 2;
    Send("\n\n\r\n");
    EXPECT_EQ(Deadline(), begun_ms + LIMIT_OPENING_MS);
    EXPECT_EQ(AtDeadline(), CONNECTION_FINISHED);
}

TEST_F(ConnectionTest, LastsAsLongAsASession) {
    config_.session_timeout_ms = 100;
    Begin();
    const int64_t begun_ms = now_ms_;
    now_ms_ += 60;
    Send(kInit10);
    EXPECT_EQ(Deadline(), begun_ms + 100);
    EXPECT_EQ(AtDeadline(), CONNECTION_FINISHED);
}

// The ticks are due from the time that the one before was due, not from when it was noticed.
TEST_F(ConnectionTest, TicksWithoutDrift) {
    config_.tick_ms = 100;
    config_.idle_timeout_ms = 10;
    conversation_config_.is_ticking = true;
    Begin();
    Send("INIT," + kClientId + ",20,5;STREAM,0;");
    EXPECT_EQ(Receive(), "ACK;NUM,6:41:81:68:68;");
    const int64_t begun_ms = now_ms_;
    EXPECT_EQ(Deadline(), begun_ms + 100);
    EXPECT_EQ(connection_handle_time(connection_.get(), begun_ms + 130), CONNECTION_OPEN);
    EXPECT_EQ(Receive(), "NUM,41:10:40:78:98;");
    EXPECT_EQ(Deadline(), begun_ms + 200);
    now_ms_ = begun_ms + 550;
    EXPECT_EQ(connection_handle_time(connection_.get(), now_ms_), CONNECTION_OPEN);
    EXPECT_NE(Receive(), "");
    EXPECT_EQ(Deadline(), now_ms_ + 100) << "what was missed is not made up for";
    EXPECT_EQ(AtDeadline(), CONNECTION_OPEN);
    EXPECT_NE(Receive().find("FAC,"), std::string::npos);
}

// While a tick is awaited the server is silent; with unread messages in its way it is the client,
// from then on.
TEST_F(ConnectionTest, IsIdleWhenItsClientDoesNotTakeWhatATickBrings) {
    config_.tick_ms = 100;
    config_.idle_timeout_ms = 10;
    conversation_config_.is_ticking = true;
    Begin();
    Send("INIT," + kClientId + ",20,5;STREAM,0;");
    while (write(server_, "x", 1) == 1) {
    }
    EXPECT_EQ(Deadline(), now_ms_ + 100);
    EXPECT_EQ(AtDeadline(), CONNECTION_OPEN);
    EXPECT_EQ(connection_wanted_events(connection_.get()), POLLIN | POLLOUT);
    EXPECT_EQ(Deadline(), now_ms_ + 10);
    EXPECT_EQ(AtDeadline(), CONNECTION_FINISHED);
}

TEST_F(ConnectionTest, EndsWithItsClient) {
    Begin();
    Send(kInit10);
    shutdown(client_, SHUT_RDWR);
    EXPECT_EQ(connection_handle_events(connection_.get(), POLLIN | POLLHUP, now_ms_),
              CONNECTION_FINISHED);
}

TEST_F(ConnectionTest, ReportsInjectedFailure) {
    conversation_config_.fail_every = 7;
    Begin();
    EXPECT_EQ(Send(kInit10 + "RECV,0;RECV,1;FIN;"), CONNECTION_FAILED);
    EXPECT_EQ(Receive(), "ACK;NUM,6:41:81:68:68;NUM,41:10:40:78:98;");
}

} // namespace
