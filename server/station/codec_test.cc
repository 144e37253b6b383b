#include "server/station/codec.h"

#include <gtest/gtest.h>

#include <string>

namespace {

struct wire_bytes Bytes(const std::string &text) {
    return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

std::string Text(struct wire_bytes bytes) {
    return std::string(reinterpret_cast<const char *>(bytes.bytes), bytes.size);
}

using std::string_literals::operator""s;

TEST(Codec, ReadsARequest) {
    const std::string message = "\x0a\x03"s + "abc" + "\x10\xac\x02"s;
    struct codec_sequence_request request;
    ASSERT_TRUE(codec_decode_sequence_request(Bytes(message), &request));
    EXPECT_EQ(Text(request.client_id), "abc");
    EXPECT_EQ(request.argument, 300U);
}

TEST(Codec, AnEmptyRequestHasNothing) {
    struct codec_sequence_request request;
    ASSERT_TRUE(codec_decode_sequence_request({nullptr, 0}, &request));
    EXPECT_EQ(request.client_id.size, 0U);
    EXPECT_EQ(request.argument, 0U);
}

TEST(Codec, TheLastOfARepeatedFieldCounts) {
    const std::string message = "\x10\x01\x0a\x01x\x10\x07\x0a\x02yz"s;
    struct codec_sequence_request request;
    ASSERT_TRUE(codec_decode_sequence_request(Bytes(message), &request));
    EXPECT_EQ(Text(request.client_id), "yz");
    EXPECT_EQ(request.argument, 7U);
}

TEST(Codec, SkipsUnknownFieldsAndUnexpectedTypes) {
    // 9: a varint, 10: fixed64, 11: bytes, 12: fixed32; 1 as a varint; 2 as bytes.
    const std::string message =
        "\x48\x01\x51"s + std::string(8, 'x') + "\x5a\x01y\x65zzzz"s + "\x08\x05\x12\x01q\x10\x09"s;
    struct codec_sequence_request request;
    ASSERT_TRUE(codec_decode_sequence_request(Bytes(message), &request));
    EXPECT_EQ(request.client_id.size, 0U);
    EXPECT_EQ(request.argument, 9U);
}

TEST(Codec, TheLargestVarintIsReadAndALargerOneIsNot) {
    struct codec_sequence_request request;
    ASSERT_TRUE(
        codec_decode_sequence_request(Bytes("\x10"s + std::string(9, '\xff') + "\x01"), &request));
    EXPECT_EQ(request.argument, UINT64_MAX);
    EXPECT_FALSE(
        codec_decode_sequence_request(Bytes("\x10"s + std::string(9, '\xff') + "\x02"), &request));
    EXPECT_FALSE(
        codec_decode_sequence_request(Bytes("\x10"s + std::string(10, '\xff') + "\x01"), &request));
}

TEST(Codec, RefusesWhatIsNoMessage) {
    const std::string cases[] = {
        "\x0a"s,                                         // no length
        "\x0a\x02x"s,                                    // a length that leads out of it
        "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, // by far
        "\x10"s,                                         // no value
        "\x10\x80"s,                                     // half a value
        "\x00\x01"s,                                     // field 0
        "\x0b\x0c"s,                                     // a group
        "\x0e"s,                                         // type 6
        "\x51xxxxxxx"s,                                  // seven bytes of fixed64
        "\x65xxx"s,                                      // three of fixed32
        "\x80\x80\x80\x80\x10"s,                         // a field number beyond 29 bits
    };
    for (const std::string &message : cases) {
        struct codec_sequence_request request;
        struct codec_reflection_request question;
        struct wire_bytes service;
        EXPECT_FALSE(codec_decode_sequence_request(Bytes(message), &request));
        EXPECT_FALSE(codec_decode_reflection_request(Bytes(message), &question));
        EXPECT_FALSE(codec_decode_health_request(Bytes(message), &service));
    }
}

TEST(Codec, ReadsQuestions) {
    struct codec_reflection_request question;
    const std::string symbol = "\x0a\x01h\x22\x03"s + "a.B";
    ASSERT_TRUE(codec_decode_reflection_request(Bytes(symbol), &question));
    EXPECT_EQ(Text(question.host), "h");
    EXPECT_EQ(question.question, CODEC_QUESTION_FILE_OF_SYMBOL);
    EXPECT_EQ(Text(question.text), "a.B");

    const std::string services = "\x3a\x00"s;
    ASSERT_TRUE(codec_decode_reflection_request(Bytes(services), &question));
    EXPECT_EQ(question.question, CODEC_QUESTION_SERVICES);

    // An extension: its type is asked for, which is in a message of its own.
    const std::string extension = "\x2a\x05\x0a\x01T\x10\x04"s;
    ASSERT_TRUE(codec_decode_reflection_request(Bytes(extension), &question));
    EXPECT_EQ(question.question, CODEC_QUESTION_FILE_OF_EXTENSION);
    EXPECT_EQ(Text(question.text), "T");
    EXPECT_FALSE(codec_decode_reflection_request(Bytes("\x2a\x02\x0a\x05"s), &question));

    ASSERT_TRUE(codec_decode_reflection_request({nullptr, 0}, &question));
    EXPECT_EQ(question.question, CODEC_QUESTION_NONE);
}

TEST(Codec, LeavesZerosOutButNotAChecksumOfZero) {
    uint8_t room[CODEC_NUMBER_SIZE_MAX];
    const struct codec_number zero = {0, 0, false, 0};
    EXPECT_EQ(codec_encode_numbers_response(&zero, room), 0U);
    EXPECT_EQ(codec_encode_station_number(&zero, room), 0U);
    const struct codec_number last = {0, 0, true, 0};
    EXPECT_EQ(Text({room, codec_encode_numbers_response(&last, room)}), "\x18\x00"s);
}

TEST(Codec, TheLargestNumberFits) {
    uint8_t room[CODEC_NUMBER_SIZE_MAX];
    const struct codec_number number = {UINT32_MAX, UINT32_MAX, true, UINT32_MAX};
    EXPECT_EQ(codec_encode_station_number(&number, room), size_t{CODEC_NUMBER_SIZE_MAX});
}

TEST(Codec, TheClientReadsWhatTheServerWrites) {
    uint8_t room[CODEC_NUMBER_SIZE_MAX];
    for (uint32_t value : {0U, 1U, 127U, 128U, 16383U, 16384U, 65535U, UINT32_MAX}) {
        const struct codec_number number = {value, ~value, value % 2 == 0, value};
        struct codec_number read;
        ASSERT_TRUE(
            codec_decode_station_number({room, codec_encode_station_number(&number, room)}, &read));
        EXPECT_EQ(read.index, number.index);
        EXPECT_EQ(read.number, number.number);
        EXPECT_EQ(read.has_checksum, number.has_checksum);
        EXPECT_EQ(read.checksum, number.has_checksum ? number.checksum : 0);
    }
    struct codec_number read;
    EXPECT_FALSE(codec_decode_station_number(Bytes("\x10\x80\x80\x80\x80\x10"s), &read))
        << "a number of 33 bits";
}

TEST(Codec, TheServerReadsWhatTheClientWrites) {
    uint8_t room[CODEC_REQUEST_SIZE_MAX];
    const std::string id(CODEC_CLIENT_ID_SIZE_MAX, 'i');
    struct codec_sequence_request request;
    ASSERT_TRUE(codec_decode_sequence_request(
        {room, codec_encode_sequence_request(id.c_str(), UINT32_MAX, room)}, &request));
    EXPECT_EQ(Text(request.client_id), id);
    EXPECT_EQ(request.argument, UINT32_MAX);
}

} // namespace
