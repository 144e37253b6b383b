// What peers send that is odd but not hostile, or broken in one call only, frame by frame: that
// call ends with its status, and the connection goes on.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>

#include "server/sessions/redis_server.h"
#include "server/station/limits.h"
#include "server/station/station_harness.h"
#include "testing/http_client.h"
#include "testing/patience.h"

namespace station {
namespace {

using std::string_literals::operator""s;

constexpr char kStart[] = "/station.v1.NumbersStation/Start";
constexpr char kResume[] = "/station.v1.NumbersStation/Resume";
constexpr char kHealth[] = "/grpc.health.v1.Health/Check";
constexpr char kReflection[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

std::string Prefixed(const std::string &message, char flag = 0) {
    return std::string(1, flag) + "\0\0"s + static_cast<char>(message.size() >> 8) +
           static_cast<char>(message.size()) + message;
}

std::string HeadersFrame(std::uint32_t stream, const Headers &headers,
                         std::uint8_t flags = kEndHeaders) {
    return MakeFrame(kHeaders, flags, stream, MakeHeaderBlock(headers));
}

Headers With(const std::string &path, const std::string &name, const std::string &value) {
    Headers headers = CallHeaders(path);
    headers.emplace_back(name, value);
    return headers;
}

class Peers : public testing::Test {
  protected:
    Peers() : server_({"--tick=0"}) {}

    // Sends `bytes` on a connection of its own and waits for the end of stream 1; returns whether
    // data came before. The connection must serve the next call.
    bool Answers(const std::string &bytes) {
        Connection connection(server_.port());
        connection.Send(bytes);
        connection.Await([](const Frame &frame) { return Ends(frame, 1); });
        connection.Send(MakeCall(99, kHealth, ""));
        connection.Await(
            [](const Frame &frame) { return frame.stream == 99 && frame.type == kData; });
        for (const Frame &frame : connection.Frames()) {
            EXPECT_NE(frame.type, kGoaway);
            if (frame.stream == 1 && frame.type == kData && !frame.payload.empty()) {
                return true;
            }
        }
        return false;
    }

    Server server_;
};

TEST_F(Peers, ARequestMayComeInAnyPieces) {
    const std::string message = Prefixed(SequenceRequest(kClientId, 3));
    std::string bytes = HeadersFrame(1, CallHeaders(kStart));
    for (const char byte : message) {
        bytes += MakeFrame(kData, kNoFlags, 1, std::string(1, byte));
    }
    EXPECT_TRUE(Answers(bytes + MakeFrame(kData, kEndStream, 1, "")));
    Connection connection(server_.port(), false);
    for (const char byte : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + MakeFrame(kSettings, 0, 0, "") +
                               MakeCall(1, kHealth, "")) {
        connection.Send(std::string(1, byte));
    }
    connection.Await([](const Frame &frame) { return frame.type == kData; });
}

TEST_F(Peers, ABrokenRequestEndsOneCall) {
    const std::string headers = HeadersFrame(1, CallHeaders(kHealth));
    const auto data = [](const std::string &bytes) {
        return MakeFrame(kData, kEndStream, 1, bytes);
    };
    EXPECT_FALSE(Answers(headers + data("")));
    EXPECT_FALSE(Answers(headers + data("\0\0\0"s)));
    EXPECT_FALSE(Answers(headers + data(Prefixed("") + Prefixed(""))));
    EXPECT_FALSE(Answers(headers + data(Prefixed("", 1))));
    EXPECT_FALSE(Answers(headers + data(Prefixed("", 2))));
    EXPECT_FALSE(Answers(headers + data("\0\xff\xff\xff\xff"s)));
    EXPECT_FALSE(Answers(headers + data(Prefixed("\x0a\x7f"))));
    EXPECT_FALSE(Answers(headers + data(std::string(2000, '\0'))));
    EXPECT_FALSE(Answers(HeadersFrame(1, CallHeaders(kHealth), kEndHeaders | kEndStream)));
    EXPECT_TRUE(Answers(headers + data(Prefixed(""))));
}

TEST_F(Peers, OddHeadersEndOneCallOrNone) {
    const auto call = [](const Headers &headers) {
        return HeadersFrame(1, headers) + MakeFrame(kData, kEndStream, 1, Prefixed(""));
    };
    Headers get = CallHeaders(kHealth);
    get[0].second = "GET";
    Headers no_te = CallHeaders(kHealth);
    no_te.pop_back();
    Headers no_type = no_te;
    no_type.pop_back();
    EXPECT_FALSE(Answers(call(get)));
    EXPECT_FALSE(Answers(call(no_type)));
    EXPECT_TRUE(Answers(call(no_te)));
    for (const char *path :
         {"/", "*", "/grpc.health.v1.Health/", "/grpc.health.v1.Health/Check/"}) {
        EXPECT_FALSE(Answers(call(CallHeaders(path)))) << path;
    }
    for (const char *timeout : {"", "S", "1", "-1S", "1s", "123456789S", "1 S", "0n"}) {
        EXPECT_FALSE(Answers(call(With(kHealth, "grpc-timeout", timeout))) && timeout != "0n"s)
            << timeout;
    }
    EXPECT_TRUE(Answers(call(With(kHealth, "grpc-timeout", "99999999H"))));
    Headers twice = With(kHealth, "grpc-timeout", "1x");
    twice.emplace_back("grpc-timeout", "9S");
    EXPECT_FALSE(Answers(call(twice)));
    EXPECT_FALSE(Answers(call(With(kHealth, "grpc-encoding", "gzip"))));
}

TEST_F(Peers, ADeadlineRunsFromTheHeadersOn) {
    Server slow({"--tick=100"});
    Connection connection(slow.port());
    const auto begin = std::chrono::steady_clock::now();
    connection.Send(HeadersFrame(1, With(kStart, "grpc-timeout", "2S")));
    // The request follows when a second has passed, as a second call's deadline tells.
    connection.Send(HeadersFrame(3, With(kStart, "grpc-timeout", "1S")));
    connection.Await([](const Frame &frame) { return Ends(frame, 3); });
    connection.Send(MakeFrame(kData, kEndStream, 1, Prefixed(SequenceRequest(kClientId, 9))));
    // And this one is told to wait until three seconds have passed since the first.
    connection.Send(HeadersFrame(5, With(kStart, "grpc-timeout", "1900m")));
    connection.Await([](const Frame &frame) { return Ends(frame, 5); });
    bool is_over = false;
    for (const Frame &frame : connection.Frames()) {
        is_over = is_over || Ends(frame, 1);
    }
    EXPECT_TRUE(is_over) << "the deadline began with the request";
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2900));
}

TEST_F(Peers, ResetsAreTakenInEachState) {
    const std::string reset = MakeFrame(kRstStream, kNoFlags, 1, "\0\0\0\x08"s);
    const std::string headers = HeadersFrame(1, CallHeaders(kStart));
    const std::string message = Prefixed(SequenceRequest(kClientId, 65535));
    const std::string states[] = {
        headers,
        headers + MakeFrame(kData, kNoFlags, 1, message.substr(0, 7)),
        headers + MakeFrame(kData, kEndStream, 1, message),
        headers + MakeFrame(kData, kEndStream, 1, "\1"),
        HeadersFrame(1, CallHeaders(kReflection)),
        HeadersFrame(1, CallHeaders("/unknown/Method"), kEndHeaders | kEndStream),
    };
    for (const std::string &state : states) {
        Connection connection(server_.port());
        connection.Send(state + reset + reset + MakeFrame(kWindowUpdate, kNoFlags, 1, "\0\0\0\1"s) +
                        MakeCall(3, kHealth, ""));
        connection.Await(
            [](const Frame &frame) { return frame.stream == 3 && frame.type == kData; });
    }
}

TEST_F(Peers, DataAfterTheEndAndAWindowTooWideEndOnlyTheirConnection) {
    Connection connection(server_.port());
    connection.Send(MakeFrame(kSettings, kNoFlags, 0, "\0\4\0\0\0\0"s) +
                    MakeCall(1, kStart, SequenceRequest(kClientId, 9)) +
                    MakeFrame(kData, kNoFlags, 1, "more"));
    EXPECT_TRUE(connection.AwaitEnd());
    Connection wide(server_.port());
    wide.Send(HeadersFrame(1, CallHeaders(kStart)) +
              MakeFrame(kWindowUpdate, kNoFlags, 1, "\x7f\xff\xff\xff"s));
    // nghttp2 1.70 ends the connection, earlier ones the stream by FLOW_CONTROL_ERROR.
    bool is_stream_ended = false;
    const harness::Ending ending = wide.tcp().ReceiveUntil([&](const std::string &) {
        for (const Frame &frame : wide.Frames()) {
            is_stream_ended |= Ends(frame, 1) && frame.payload == "\0\0\0\3"s;
        }
        return is_stream_ended;
    });
    EXPECT_TRUE(is_stream_ended || ending != harness::Ending::kNone);
    ExpectServing(server_.port());
}

TEST_F(Peers, AWindowOfZeroOpensLater) {
    Connection connection(server_.port());
    connection.Send(MakeFrame(kSettings, kNoFlags, 0, "\0\4\0\0\0\0"s) +
                    MakeCall(1, kStart, SequenceRequest(kClientId, 9)));
    connection.Await([](const Frame &frame) { return frame.type == kHeaders; });
    connection.Send(MakeFrame(kSettings, kNoFlags, 0, "\0\4\0\0\xff\xff"s));
    connection.Await([](const Frame &frame) { return Ends(frame, 1); });
}

TEST_F(Peers, AGoawayOfTheClientLeavesItsCalls) {
    Connection connection(server_.port());
    connection.Send(HeadersFrame(1, CallHeaders(kStart)) +
                    MakeFrame(kGoaway, kNoFlags, 0, std::string(8, '\0')) +
                    MakeFrame(kData, kEndStream, 1, Prefixed(SequenceRequest(kClientId, 9))));
    connection.Await([](const Frame &frame) { return frame.type == kData; });
}

TEST_F(Peers, TwoStreamsResumeOneSequenceAtOnce) {
    Connection connection(server_.port());
    connection.Send(MakeCall(1, kStart, SequenceRequest(kClientId, 3)));
    connection.Await([](const Frame &frame) { return Ends(frame, 1); });
    connection.Send(MakeCall(3, kResume, SequenceRequest(kClientId, 0)) +
                    MakeCall(5, kResume, SequenceRequest(kClientId, 0)));
    std::string data[2];
    connection.Await([](const Frame &frame) { return Ends(frame, 3); });
    connection.Await([](const Frame &frame) { return Ends(frame, 5); });
    for (const Frame &frame : connection.Frames()) {
        if (frame.type == kData && frame.stream > 1) {
            data[frame.stream == 5] += frame.payload;
        }
    }
    EXPECT_FALSE(data[0].empty());
    EXPECT_EQ(data[0], data[1]);
}

// Takes 20 s: the time that a request may take.
TEST_F(Peers, RequestsThatAreNeverWholeEnd) {
    Connection connection(server_.port());
    connection.Send(HeadersFrame(1, CallHeaders(kStart)) + HeadersFrame(3, CallHeaders(kStart)) +
                    MakeFrame(kData, kNoFlags, 3, "\0\0"s));
    Connection half(server_.port());
    half.Send(HeadersFrame(1, CallHeaders(kStart), kNoFlags));
    for (const std::uint32_t stream : {1, 3}) {
        const Frame end = connection.Await([stream](const Frame &f) { return Ends(f, stream); });
        EXPECT_EQ(end.type, kHeaders) << "with a status";
    }
    connection.Send(MakeFrame(kPing, kNoFlags, 0, "12345678"));
    connection.Await([](const Frame &frame) { return frame.type == kPing && frame.flags == kAck; });
    half.Send(MakeFrame(0x9, kEndHeaders, 1, ""));
    ExpectServing(server_.port());
}

TEST(PeersOfOneAddress, HaveTheirNumberOfConnections) {
    Server server({"--max-per-peer=2"});
    Connection first(server.port());
    {
        Connection second(server.port());
        for (Connection *connection : {&first, &second}) {
            connection->Await([](const Frame &frame) { return frame.type == kSettings; });
        }
        Connection third(server.port());
        EXPECT_TRUE(third.AwaitEnd());
        EXPECT_TRUE(third.Frames().empty());
        second.tcp().Reset();
    }
    // The place is free as soon as the server has noticed.
    bool is_served = false;
    while (!is_served && !HasFailure()) {
        Connection next(server.port());
        next.tcp().ReceiveUntil([](const std::string &bytes) { return !bytes.empty(); });
        is_served = !next.Frames().empty();
    }
    first.Send(MakeCall(1, kHealth, ""));
    first.Await([](const Frame &frame) { return frame.type == kData; });
}

TEST(PeersOfOneAddress, HaveTheirNumberOfSequences) {
    Server server({"--max-per-peer=1", "--tick=0"});
    Connection connection(server.port());
    const auto is_served = [&connection](unsigned number) {
        const std::string id = "00000000-0000-0000-0000-0000000000" + std::to_string(10 + number);
        const std::uint32_t stream = 2 * number + 1;
        connection.Send(MakeCall(stream, kStart, SequenceRequest(id, 1)));
        const Frame first =
            connection.Await([stream](const Frame &frame) { return frame.stream == stream; });
        connection.Await([stream](const Frame &frame) { return Ends(frame, stream); });
        return (first.flags & kEndStream) == 0; /* else it is a refusal */
    };
    constexpr unsigned kSequenceCount = 16;
    for (unsigned number = 0; number < kSequenceCount; number++) {
        EXPECT_TRUE(is_served(number)) << number;
    }
    EXPECT_FALSE(is_served(kSequenceCount));
}

// GetNumbers between two ticks: what was sent counts, the rest is told to come again.
TEST(PeersOfAServerThatEnds, AreToldSoAndEndWithAStatus) {
    Server server({"--tick=0.2", "--drain=1"});
    Connection connection(server.port());
    connection.Send(MakeCall(1, "/numbers.Numbers/GetNumbers", SequenceRequest(kClientId, 1000)));
    connection.Await([](const Frame &frame) { return frame.type == kData; });
    server.process().Signal(SIGTERM);
    const auto names_last = [](const std::string &last) {
        return [last](const Frame &frame) {
            return frame.type == kGoaway && frame.payload.substr(0, 4) == last;
        };
    };
    connection.Await(names_last("\x7f\xff\xff\xff"));
    connection.Await(names_last("\0\0\0\1"s));
    EXPECT_EQ(connection.Await([](const Frame &frame) { return Ends(frame, 1); }).type, kHeaders);
    EXPECT_EQ(server.process().WaitForExit(), harness::Exited(0)) << server.process().errors();
}

TEST(PeersWithRedis, AreServedFromAUnixSocketToo) {
    if (!sessions::RedisServer::IsInstalled()) {
        GTEST_SKIP() << "install redis-tools for a Redis of the test's own";
    }
    // A path that is short enough for one: a test's own directory need not be.
    char directory[] = "/tmp/station-XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    const std::string path = directory + "/s"s;
    sessions::RedisServer redis("unixsocket " + path + "\n");
    Server server({"--tick=0", "--store=unix://" + path});
    Connection connection(server.port());
    connection.Send(MakeCall(1, kStart, SequenceRequest(kClientId, 3)));
    connection.Await([](const Frame &frame) { return frame.type == kData; });
    EXPECT_EQ(redis.Ask("EXISTS station:"s + kClientId), ":1");
    unlink(path.c_str());
    rmdir(directory);
}

TEST(PeersWithRedis, ALostStoreIsUnavailableAndComesBack) {
    if (!sessions::RedisServer::IsInstalled()) {
        GTEST_SKIP() << "install redis-tools for a Redis of the test's own";
    }
    sessions::RedisServer redis;
    Server server({"--tick=0", "--http-port=0", "--store=" + redis.url()});
    const std::uint16_t http_port = harness::WaitForHttpPort(&server.process());
    Connection connection(server.port());
    connection.Send(MakeCall(1, kStart, SequenceRequest(kClientId, 3)));
    connection.Await([](const Frame &frame) { return Ends(frame, 1); });
    std::string metrics;
    EXPECT_TRUE(harness::Await([&] {
        metrics = harness::HttpGet(http_port, "/metrics").body;
        return harness::MetricValue(metrics, "station_messages_total") == 3;
    }));
    EXPECT_EQ(harness::HttpGet(http_port, "/readyz").code, 200);
    EXPECT_EQ(harness::MetricValue(metrics, "station_clients"), 1);
    EXPECT_EQ(harness::MetricValue(metrics, "sessions_created_total"), 1);
    redis.Stop();
    connection.Send(MakeCall(3, kResume, SequenceRequest(kClientId, 0)) + MakeCall(5, kHealth, ""));
    connection.Await([](const Frame &frame) { return Ends(frame, 3); });
    connection.Await([](const Frame &frame) { return frame.stream == 5 && frame.type == kData; });
    for (const Frame &frame : connection.Frames()) {
        EXPECT_FALSE(frame.stream == 3 && frame.type == kData);
    }
    EXPECT_TRUE(harness::WaitForHttpCode(http_port, "/readyz", 503));
    redis.Restart();
    bool is_back = false;
    for (std::uint32_t stream = 7; !is_back && !HasFailure(); stream += 2) {
        connection.Send(MakeCall(stream, kStart, SequenceRequest(kClientId, 3)));
        connection.Await([stream](const Frame &frame) { return Ends(frame, stream); });
        for (const Frame &frame : connection.Frames()) {
            is_back = is_back || (frame.stream == stream && frame.type == kData);
        }
    }
    EXPECT_TRUE(harness::WaitForHttpCode(http_port, "/readyz", 200));
}

} // namespace
} // namespace station
