#include "server/station/station_harness.h"

#include <gtest/gtest.h>

#include <csignal>

#include "testing/process_facts.h"

namespace station {

using std::string_literals::operator""s;

namespace {

constexpr size_t kFrameHeaderSize = 9;

std::uint32_t ReadNumber(const std::string &bytes, size_t start, size_t size) {
    std::uint32_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | static_cast<std::uint8_t>(bytes[start + i]);
    }
    return number;
}

std::string WriteNumber(std::uint32_t number, size_t size) {
    std::string bytes;
    for (size_t i = size; i > 0; i--) {
        bytes += static_cast<char>(number >> (8 * (i - 1)));
    }
    return bytes;
}

std::vector<Frame> ParseFrames(const std::string &bytes) {
    std::vector<Frame> frames;
    size_t start = 0;
    while (bytes.size() - start >= kFrameHeaderSize) {
        const size_t size = ReadNumber(bytes, start, 3);
        if (bytes.size() - start < kFrameHeaderSize + size) {
            break;
        }
        frames.push_back(Frame{static_cast<std::uint8_t>(bytes[start + 3]),
                               static_cast<std::uint8_t>(bytes[start + 4]),
                               ReadNumber(bytes, start + 5, 4),
                               bytes.substr(start + kFrameHeaderSize, size)});
        start += kFrameHeaderSize + size;
    }
    return frames;
}

} // namespace

Server::Server(const std::vector<std::string> &arguments, std::uint16_t port)
    : sessions::Server("STATION_SERVER", arguments, port) {}

// Twice: at once, without draining.
Server::~Server() {
    process_.Signal(SIGTERM);
    process_.WaitForErrors(harness::HasLineWith("shutting down"));
    process_.Signal(SIGTERM);
}

size_t Server::ResidentKib() const {
    return harness::ReadResidentMemory(process_.pid()).current_kib;
}

size_t Server::HighestKib() const {
    return harness::ReadResidentMemory(process_.pid()).highest_kib;
}

std::string MakeFrame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                      const std::string &payload) {
    return WriteNumber(static_cast<std::uint32_t>(payload.size()), 3) + static_cast<char>(type) +
           static_cast<char>(flags) + WriteNumber(stream, 4) + payload;
}

std::string MakeHeaderBlock(const Headers &headers) {
    std::string block;
    for (const auto &[name, value] : headers) {
        // A literal without indexing; lengths below 127 have one byte.
        block +=
            "\0"s + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) + value;
    }
    return block;
}

Headers CallHeaders(const std::string &path) {
    return {{":method", "POST"},
            {":scheme", "http"},
            {":path", path},
            {":authority", "localhost"},
            {"content-type", "application/grpc"},
            {"te", "trailers"}};
}

std::string MakeCall(std::uint32_t stream, const std::string &path, const std::string &message) {
    return MakeFrame(kHeaders, kEndHeaders, stream, MakeHeaderBlock(CallHeaders(path))) +
           MakeFrame(kData, kEndStream, stream,
                     "\0"s + WriteNumber(static_cast<std::uint32_t>(message.size()), 4) + message);
}

std::string SequenceRequest(const std::string &client_id, std::uint32_t argument) {
    std::string message = "\x0a"s + static_cast<char>(client_id.size()) + client_id + "\x10";
    for (; argument > 0x7f; argument >>= 7) {
        message += static_cast<char>(argument | 0x80);
    }
    return message + static_cast<char>(argument);
}

Connection::Connection(std::uint16_t port, bool sends_preface) : client_(port) {
    if (sends_preface) {
        Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + MakeFrame(kSettings, kNoFlags, 0, ""));
    }
}

std::vector<Frame> Connection::Frames() const {
    return ParseFrames(client_.received());
}

Frame Connection::Await(const std::function<bool(const Frame &)> &matches) {
    Frame found{};
    bool is_found = false;
    client_.ReceiveUntil([&](const std::string &received) {
        for (const Frame &frame : ParseFrames(received)) {
            if (!is_found && matches(frame)) {
                found = frame;
                is_found = true;
            }
        }
        return is_found;
    });
    EXPECT_TRUE(is_found) << "the frame does not come; " << Frames().size() << " others did";
    return found;
}

bool Connection::AwaitEnd() {
    return client_.WaitForEnding() != harness::Ending::kNone;
}

bool Ends(const Frame &frame, std::uint32_t stream) {
    return frame.stream == stream && (frame.type == kRstStream ||
                                      (frame.type == kHeaders && (frame.flags & kEndStream) != 0));
}

void ExpectServing(std::uint16_t port) {
    Connection connection(port);
    connection.Send(MakeCall(1, "/grpc.health.v1.Health/Check", ""));
    const Frame data = connection.Await([](const Frame &frame) { return frame.type == kData; });
    EXPECT_EQ(data.payload, "\0\0\0\0\2\x08\x01"s) << "SERVING";
}

} // namespace station
