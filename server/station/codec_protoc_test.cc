// The codec beside protoc: both must make the same bytes of the same values, and read them alike.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "server/station/codec.h"
#include "testing/files.h"
#include "testing/process.h"

namespace {

constexpr char kProtoc[] = "/usr/bin/protoc";

// What protoc makes of `input`: bytes of a text ("--encode") or the other way ("--decode").
std::string RunProtoc(const std::string &mode, const std::string &message, const std::string &file,
                      const std::string &input) {
    harness::TemporaryDirectory directory;
    harness::WriteFile(directory.File("input"), input);
    harness::ProcessOptions options;
    const std::string protos = std::getenv("STATION_PROTOS");
    options.arguments = {"/bin/sh",
                         "-c",
                         std::string("exec \"$0\" \"$@\" < ") + directory.File("input"),
                         kProtoc,
                         "--proto_path=" + protos,
                         mode + "=" + message,
                         protos + "/" + file};
    const harness::ProcessResult result = harness::RunToEnd(options);
    EXPECT_EQ(result.status, harness::Exited(0)) << result.errors;
    return result.output;
}

struct wire_bytes Bytes(const std::string &text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string Text(const uint8_t *bytes, size_t size) {
    return std::string(reinterpret_cast<const char *>(bytes), size);
}

class CodecProtoc : public testing::Test {
  protected:
    void SetUp() override {
        if (access(kProtoc, X_OK) != 0) {
            GTEST_SKIP() << "install protobuf-compiler to compare with it";
        }
    }
};

const uint32_t kValues[] = {0, 1, 127, 128, 16384, 1327694389, UINT32_MAX};

TEST_F(CodecProtoc, NumbersAreTheSame) {
    for (uint32_t value : kValues) {
        for (bool has_checksum : {false, true}) {
            const struct codec_number number = {value / 3, value, has_checksum, ~value};
            uint8_t room[CODEC_NUMBER_SIZE_MAX];
            const std::string checksum = std::to_string(~value);
            EXPECT_EQ(Text(room, codec_encode_numbers_response(&number, room)),
                      RunProtoc("--encode", "numbers.NumbersResponse", "numbers.proto",
                                "Number: " + std::to_string(value) +
                                    (has_checksum ? " Checksum: " + checksum : "")));
            EXPECT_EQ(Text(room, codec_encode_station_number(&number, room)),
                      RunProtoc("--encode", "station.v1.Number", "station/v1/station.proto",
                                "index: " + std::to_string(value / 3) +
                                    " number: " + std::to_string(value) +
                                    (has_checksum ? " checksum: " + checksum : "")));
        }
    }
}

TEST_F(CodecProtoc, RequestsAreReadAlike) {
    for (const char *count : {"0", "1", "65535", "18446744073709551615"}) {
        const std::string message = RunProtoc("--encode", "numbers.NumbersRequest", "numbers.proto",
                                              std::string("UUID: \"123e4567\" Count: ") + count);
        struct codec_sequence_request request;
        ASSERT_TRUE(codec_decode_sequence_request(Bytes(message), &request));
        EXPECT_EQ(Text(request.client_id.bytes, request.client_id.size), "123e4567");
        EXPECT_EQ(std::to_string(request.argument), count);
    }
    for (uint32_t value : kValues) {
        uint8_t room[CODEC_REQUEST_SIZE_MAX];
        const std::string number = std::to_string(value);
        const std::string mine = Text(room, codec_encode_sequence_request("abc", value, room));
        EXPECT_EQ(mine, RunProtoc("--encode", "station.v1.StartRequest", "station/v1/station.proto",
                                  "client_id: \"abc\" count: " + number));
        EXPECT_EQ(mine,
                  RunProtoc("--encode", "station.v1.ResumeRequest", "station/v1/station.proto",
                            "client_id: \"abc\" first_index: " + number));
    }
}

TEST_F(CodecProtoc, HealthIsTheSame) {
    const std::pair<enum codec_health, const char *> cases[] = {
        {CODEC_HEALTH_UNKNOWN, "UNKNOWN"},
        {CODEC_HEALTH_SERVING, "SERVING"},
        {CODEC_HEALTH_NOT_SERVING, "NOT_SERVING"},
        {CODEC_HEALTH_SERVICE_UNKNOWN, "SERVICE_UNKNOWN"},
    };
    for (const auto &[health, name] : cases) {
        uint8_t room[CODEC_HEALTH_SIZE_MAX];
        EXPECT_EQ(Text(room, codec_encode_health_response(health, room)),
                  RunProtoc("--encode", "grpc.health.v1.HealthCheckResponse",
                            "grpc/health/v1/health.proto", std::string("status: ") + name));
    }
    const std::string message = RunProtoc("--encode", "grpc.health.v1.HealthCheckRequest",
                                          "grpc/health/v1/health.proto", "service: \"a.B\"");
    struct wire_bytes service;
    ASSERT_TRUE(codec_decode_health_request(Bytes(message), &service));
    EXPECT_EQ(Text(service.bytes, service.size), "a.B");
}

} // namespace
