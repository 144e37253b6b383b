// What hostile peers send, frame by frame: the connection is ended, memory stays bounded, and
// nobody else notices.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "server/station/limits.h"
#include "server/station/station_harness.h"
#include "testing/sanitizer.h"

namespace station {
namespace {

using std::string_literals::operator""s;

constexpr char kStart[] = "/station.v1.NumbersStation/Start";
constexpr int kFloodFrameCount = 200000;

std::string Id(int number) {
    const std::string digits = std::to_string(number);
    return std::string(8 - digits.size(), '0') + digits + "-0000-4000-8000-000000000000";
}

class Attacks : public testing::Test {
  protected:
    Attacks() : server_({"--tick=0"}) {
        ExpectServing(server_.port());
        before_kib_ = server_.HighestKib();
    }

    // What must hold after each attack. The figure is part of the output.
    void ExpectUnmoved(size_t more_kib = 4096) {
        ExpectServing(server_.port());
        const size_t grown_kib = server_.HighestKib() - before_kib_;
        RecordProperty("memory_kib", static_cast<int>(grown_kib));
        std::printf("memory: %zu KiB more than before\n", grown_kib);
        if (!harness::kIsSanitized) {
            EXPECT_LE(grown_kib, more_kib);
        }
    }

    // Sends the same bytes until the server ends the connection, or so many times.
    void Flood(Connection *connection, const std::string &frame, int count = kFloodFrameCount) {
        std::string bytes;
        for (int i = 0; i < 500; i++) {
            bytes += frame;
        }
        for (int i = 0; i < count / 500 && connection->Send(bytes); i++) {
        }
    }

    Server server_;
    size_t before_kib_ = 0;
};

TEST_F(Attacks, RapidReset) {
    Connection connection(server_.port());
    bool is_open = true;
    for (std::uint32_t stream = 1; stream < kFloodFrameCount && is_open; stream += 2) {
        is_open = connection.Send(
            MakeCall(stream, kStart, SequenceRequest(Id(static_cast<int>(stream)), 65535)) +
            MakeFrame(kRstStream, kNoFlags, stream, "\0\0\0\x08"s));
    }
    EXPECT_TRUE(connection.AwaitEnd());
    ExpectUnmoved();
}

// CVE-2025-8671: it is the server that is made to reset the streams.
TEST_F(Attacks, ResetsThatTheServerIsMadeToSend) {
    Connection connection(server_.port());
    bool is_open = true;
    for (std::uint32_t stream = 1; stream < kFloodFrameCount && is_open; stream += 2) {
        is_open = connection.Send(
            MakeCall(stream, kStart, SequenceRequest(Id(static_cast<int>(stream)), 65535)) +
            MakeFrame(kWindowUpdate, kNoFlags, stream, "\0\0\0\0"s));
    }
    EXPECT_TRUE(connection.AwaitEnd());
    ExpectUnmoved();
}

TEST_F(Attacks, Continuations) {
    Connection connection(server_.port());
    connection.Send(MakeFrame(kHeaders, kEndStream, 1, MakeHeaderBlock(CallHeaders(kStart))));
    Flood(&connection, MakeFrame(kContinuation, kNoFlags, 1, MakeHeaderBlock({{"a", "b"}})));
    EXPECT_TRUE(connection.AwaitEnd());
    ExpectUnmoved();
}

TEST_F(Attacks, Settings) {
    Connection connection(server_.port());
    Flood(&connection, MakeFrame(kSettings, kNoFlags, 0, ""));
    EXPECT_TRUE(connection.AwaitEnd());
    ExpectUnmoved();
}

TEST_F(Attacks, ManySettingsInOneFrame) {
    Connection connection(server_.port());
    std::string entries;
    for (int i = 0; i < 2000; i++) {
        entries += "\0\3\0\0\0\1"s;
    }
    connection.Send(MakeFrame(kSettings, kNoFlags, 0, entries));
    EXPECT_TRUE(connection.AwaitEnd());
    ExpectUnmoved();
}

TEST_F(Attacks, Pings) {
    Connection connection(server_.port());
    Flood(&connection, MakeFrame(kPing, kNoFlags, 0, "12345678"));
    EXPECT_TRUE(connection.AwaitEnd());
    ExpectUnmoved();
}

TEST_F(Attacks, PrioritiesWindowUpdatesAndEmptyData) {
    const std::string frames[] = {
        MakeFrame(kPriority, kNoFlags, 1, "\0\0\0\0\x10"s),
        MakeFrame(kWindowUpdate, kNoFlags, 0, "\0\0\0\1"s),
    };
    for (const std::string &frame : frames) {
        Connection connection(server_.port());
        Flood(&connection, frame);
        EXPECT_TRUE(connection.AwaitEnd()) << static_cast<int>(frame[3]);
    }
    const std::string empty_data[] = {
        MakeFrame(kData, kNoFlags, 1, ""),
        MakeFrame(kData, kPadded, 1, "\0"s),
        MakeFrame(kData, kPadded, 1, "\3\0\0\0"s),
    };
    for (const std::string &frame : empty_data) {
        Connection connection(server_.port());
        connection.Send(MakeFrame(kHeaders, kEndHeaders, 1, MakeHeaderBlock(CallHeaders(kStart))));
        Flood(&connection, frame);
        EXPECT_TRUE(connection.AwaitEnd()) << frame.size();
    }
    ExpectUnmoved();
}

TEST_F(Attacks, UnknownFramesAreReadAndForgotten) {
    Connection connection(server_.port());
    // Fewer than the ten thousand of which nghttp2 1.70 ends the connection.
    Flood(&connection, MakeFrame(0xee, kNoFlags, 1, std::string(4096, 'u')), 5000);
    connection.Send(MakeCall(1, "/grpc.health.v1.Health/Check", ""));
    connection.Await([](const Frame &frame) { return frame.type == kData; });
    // As many as there can be, whether the connection lives through them or not.
    Connection flooding(server_.port());
    Flood(&flooding, MakeFrame(0xee, kNoFlags, 1, "unknown"));
    ExpectUnmoved();
}

TEST_F(Attacks, HpackBomb) {
    Connection connection(server_.port());
    // One entry of 4000 bytes in the dynamic table, and then a reference to it, a byte each.
    const std::string entry = "\x40\x01x\x7f\xa1\x1e"s + std::string(4000, 'v');
    const std::string block =
        MakeHeaderBlock(CallHeaders(kStart)) + entry + std::string(12000, '\xbe');
    connection.Send(MakeFrame(kHeaders, kEndHeaders | kEndStream, 1, block));
    EXPECT_TRUE(connection.AwaitEnd());
    ExpectUnmoved();
}

TEST_F(Attacks, ALongHeaderListIsRefusedAndTheConnectionGoesOn) {
    Connection connection(server_.port());
    Headers headers = CallHeaders("/grpc.health.v1.Health/Check");
    for (int i = 0; i < 100; i++) {
        headers.emplace_back("x-padding", std::string(100, 'p'));
    }
    connection.Send(MakeFrame(kHeaders, kEndHeaders | kEndStream, 1, MakeHeaderBlock(headers)));
    connection.Await([](const Frame &frame) { return Ends(frame, 1); });
    connection.Send(MakeCall(3, "/grpc.health.v1.Health/Check", ""));
    connection.Await([](const Frame &frame) { return frame.stream == 3 && frame.type == kData; });
    ExpectUnmoved();
}

TEST_F(Attacks, AThousandStreamsWithoutAWindow) {
    // No stream may send a byte, and the numbers of all of them would be 600 MB.
    std::vector<std::unique_ptr<Connection>> connections;
    int number = 0;
    for (int i = 0; i < 10; i++) {
        connections.push_back(std::make_unique<Connection>(server_.port()));
        Connection &connection = *connections.back();
        connection.Send(MakeFrame(kSettings, kNoFlags, 0, "\0\4\0\0\0\0"s));
        for (std::uint32_t stream = 1; stream < 200; stream += 2) {
            connection.Send(MakeCall(stream, kStart, SequenceRequest(Id(number++), 65535)));
        }
        connection.Await([](const Frame &frame) { return frame.stream == 199; });
    }
    ExpectUnmoved(12 * 1024);
}

TEST_F(Attacks, AThousandStreamsThatNobodyReads) {
    std::vector<std::unique_ptr<Connection>> connections;
    int number = 0;
    for (int i = 0; i < 10; i++) {
        connections.push_back(std::make_unique<Connection>(server_.port()));
        Connection &connection = *connections.back();
        connection.Send(MakeFrame(kSettings, kNoFlags, 0, "\0\4\x7f\xff\xff\xff"s) +
                        MakeFrame(kWindowUpdate, kNoFlags, 0, "\x7f\x00\x00\x00"s));
        for (std::uint32_t stream = 1; stream < 200; stream += 2) {
            connection.Send(MakeCall(stream, kStart, SequenceRequest(Id(number++), 65535)));
        }
    }
    ExpectUnmoved(12 * 1024);
}

TEST_F(Attacks, AWindowOfABytePassesWholeMessages) {
    Connection connection(server_.port());
    connection.Send(MakeFrame(kSettings, kNoFlags, 0, "\0\4\0\0\0\1"s) +
                    MakeCall(1, kStart, SequenceRequest(kClientId, 3)));
    const auto data_of = [&connection] {
        std::string data;
        for (const Frame &frame : connection.Frames()) {
            data += frame.type == kData ? frame.payload : "";
        }
        return data;
    };
    connection.Await([](const Frame &frame) { return frame.type == kData; });
    for (size_t size = 2; !::testing::Test::HasFailure(); size++) {
        connection.Send(MakeFrame(kWindowUpdate, kNoFlags, 1, "\0\0\0\1"s));
        bool is_over = false;
        connection.Await([&](const Frame &frame) {
            is_over = Ends(frame, 1);
            return is_over || data_of().size() >= size;
        });
        if (is_over) {
            break;
        }
    }
    const std::string data = data_of();
    size_t message_count = 0;
    size_t start = 0;
    for (; start + 5 <= data.size(); message_count++) {
        start += 5 + static_cast<size_t>(data[start + 4]);
    }
    EXPECT_EQ(message_count, 3U);
    EXPECT_EQ(start, data.size());
}

TEST_F(Attacks, MoreStreamsThanAllowedAreRefusedOneByOne) {
    Connection connection(server_.port());
    connection.Send(MakeFrame(kSettings, kNoFlags, 0, "\0\4\0\0\0\0"s));
    for (std::uint32_t stream = 1; stream <= 2 * LIMIT_STREAMS_PER_CONNECTION + 1; stream += 2) {
        connection.Send(MakeCall(stream, kStart, SequenceRequest(Id(static_cast<int>(stream)), 9)));
    }
    const Frame refusal =
        connection.Await([](const Frame &frame) { return frame.type == kRstStream; });
    EXPECT_EQ(refusal.stream, 2U * LIMIT_STREAMS_PER_CONNECTION + 1);
    EXPECT_EQ(refusal.payload, "\0\0\0\7"s) << "REFUSED_STREAM";
    ExpectUnmoved();
}

TEST_F(Attacks, WhatIsNoHttp2IsClosed) {
    for (const std::string &bytes :
         {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"s, "\x16\x03\x01\x02\x00\x01\x00"s + "hello"s,
          std::string(100000, '\0'), MakeFrame(kData, kNoFlags, 1, "data before the preface"),
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s + MakeFrame(kPing, kNoFlags, 0, "12345678"),
          "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"s}) {
        Connection connection(server_.port(), false);
        connection.Send(bytes);
        EXPECT_TRUE(connection.AwaitEnd()) << bytes.substr(0, 20);
    }
    ExpectUnmoved();
}

TEST_F(Attacks, NoPrefaceAndHalfAPreface) {
    Connection silent(server_.port(), false);
    Connection half(server_.port(), false);
    half.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"s + "\0\0"s);
    EXPECT_TRUE(silent.AwaitEnd());
    EXPECT_TRUE(half.AwaitEnd());
    ExpectUnmoved();
}

TEST_F(Attacks, BrokenFrames) {
    const std::string frames[] = {
        "\xff\xff\xff"s + "\0\0\0\0\0\1"s,                            // 16 MiB
        MakeFrame(kPing, kNoFlags, 0, "short"),                       // of a wrong size
        MakeFrame(kData, kNoFlags, 0, "on the connection"),           // on stream 0
        MakeFrame(kHeaders, kEndHeaders, 2, MakeHeaderBlock({})),     // a stream of the server's
        MakeFrame(kContinuation, kEndHeaders, 1, ""),                 // of nothing
        MakeFrame(kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff"s), // no header block
        MakeFrame(kWindowUpdate, kNoFlags, 0, "\0\0\0\0"s),           // by nothing
        MakeFrame(kWindowUpdate, kNoFlags, 0, "\x7f\xff\xff\xff"s),   // beyond 2^31
        MakeFrame(kSettings, kNoFlags, 0, "odd"),
    };
    for (const std::string &frame : frames) {
        Connection connection(server_.port());
        connection.Send(frame);
        EXPECT_TRUE(connection.AwaitEnd()) << static_cast<int>(frame[3]);
    }
    ExpectUnmoved();
}

// The next two take half a minute: the times of the specification, as they are.
TEST_F(Attacks, ADeadPeerAndHalfAFrameAreNoticed) {
    const auto begin = std::chrono::steady_clock::now();
    Connection dead(server_.port());
    Connection half(server_.port());
    half.Send(MakeFrame(kHeaders, kEndHeaders, 1, "to be cut").substr(0, 12));
    dead.Await([](const Frame &frame) { return frame.type == kPing; });
    EXPECT_EQ(dead.tcp().WaitForEnding(2 * harness::kPatience), harness::Ending::kFin);
    EXPECT_NE(half.tcp().WaitForEnding(2 * harness::kPatience), harness::Ending::kNone);
    EXPECT_GE(std::chrono::steady_clock::now() - begin,
              std::chrono::milliseconds(LIMIT_SILENCE_MS + LIMIT_PING_ANSWER_MS));
    ExpectUnmoved();
}

} // namespace
} // namespace station
