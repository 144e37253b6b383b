#include "server/sequence/protocol.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

const std::string kClientId = "123e4567-e89b-12d3-a456-426614174000";

struct ParsedRequest {
    protocol_status status;
    protocol_request request; // its pointers are of no use any more
    std::string batch_index_text;
    size_t consumed_size;
    protocol_error error;
};

// The bytes are copied to a block of exactly their size, so that a sanitizer sees any read beyond
// them.
ParsedRequest ParseRequest(const std::string &bytes) {
    std::vector<char> copy(bytes.begin(), bytes.end());
    copy.shrink_to_fit();
    ParsedRequest parsed = {};
    parsed.status = protocol_parse_request(copy.data(), copy.size(), &parsed.request,
                                           &parsed.consumed_size, &parsed.error);
    if (parsed.status == PROTOCOL_COMPLETE && parsed.request.batch_index_text != nullptr) {
        parsed.batch_index_text.assign(parsed.request.batch_index_text,
                                       parsed.request.batch_index_length);
    }
    return parsed;
}

std::string WriteRequest(const protocol_request &request) {
    char out[PROTOCOL_REQUEST_SIZE_MAX];
    return std::string(out, protocol_write_request(&request, out));
}

const std::vector<std::string> &ValidRequests() {
    static const std::vector<std::string> requests = {
        "INIT," + kClientId + ",5,5;",
        "INIT," + kClientId + ",0,1;",
        "INIT," + kClientId + ",65535,65535;",
        "INIT,FFFFFFFF-abcd-ABCD-0000-00000000000A,10,5;",
        "CONT," + kClientId + ";",
        "RECV,0;",
        "RECV,4294967295;",
        "STREAM,17;",
        "FIN;",
    };
    return requests;
}

TEST(ParseRequest, ReadsEachKind) {
    ParsedRequest init = ParseRequest("INIT," + kClientId + ",10,5;");
    ASSERT_EQ(init.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(init.request.kind, PROTOCOL_INIT);
    EXPECT_STREQ(init.request.client_id, kClientId.c_str());
    EXPECT_EQ(init.request.number_count, 10u);
    EXPECT_EQ(init.request.batch_size, 5u);

    ParsedRequest cont = ParseRequest("CONT," + kClientId + ";");
    ASSERT_EQ(cont.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(cont.request.kind, PROTOCOL_CONT);
    EXPECT_STREQ(cont.request.client_id, kClientId.c_str());

    ParsedRequest recv = ParseRequest("RECV,630;");
    ASSERT_EQ(recv.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(recv.request.kind, PROTOCOL_RECV);
    EXPECT_EQ(recv.request.batch_index, 630u);

    ParsedRequest stream = ParseRequest("STREAM,1999;");
    ASSERT_EQ(stream.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(stream.request.kind, PROTOCOL_STREAM);
    EXPECT_EQ(stream.request.batch_index, 1999u);

    ParsedRequest fin = ParseRequest("FIN;");
    ASSERT_EQ(fin.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(fin.request.kind, PROTOCOL_FIN);
}

TEST(ParseRequest, WritesBackWhatItRead) {
    for (const std::string &text : ValidRequests()) {
        ParsedRequest parsed = ParseRequest(text);
        ASSERT_EQ(parsed.status, PROTOCOL_COMPLETE) << text;
        EXPECT_EQ(parsed.consumed_size, text.size());
        EXPECT_EQ(WriteRequest(parsed.request), text);
    }
}

TEST(ParseRequest, WaitsForTheRestAtEveryCut) {
    for (const std::string &text : ValidRequests()) {
        for (size_t size = 0; size < text.size(); size++) {
            EXPECT_EQ(ParseRequest(text.substr(0, size)).status, PROTOCOL_PARTIAL)
                << text.substr(0, size);
        }
    }
}

TEST(ParseRequest, LeavesWhatFollows) {
    for (const std::string &text : ValidRequests()) {
        ParsedRequest parsed = ParseRequest(text + "garbage;");
        ASSERT_EQ(parsed.status, PROTOCOL_COMPLETE) << text;
        EXPECT_EQ(parsed.consumed_size, text.size());
    }
}

// It is a number all the same, which the answer repeats.
TEST(ParseRequest, KeepsTheTextOfABatchIndexOfAnySize) {
    const std::string longest(PROTOCOL_REQUEST_SIZE_MAX - sizeof "RECV,", '9');
    for (const std::string &index :
         {std::string("0"), std::string("4294967295"), std::string("4294967296"),
          std::string("99999999999999999999"), longest}) {
        ParsedRequest parsed = ParseRequest("RECV," + index + ";");
        ASSERT_EQ(parsed.status, PROTOCOL_COMPLETE) << index;
        EXPECT_EQ(parsed.batch_index_text, index);
        EXPECT_EQ(parsed.request.batch_index, index == "0" ? 0u : UINT32_MAX) << index;
    }
}

TEST(ParseRequest, RefusesWhatIsMalformed) {
    const std::vector<std::pair<std::string, protocol_error>> cases = {
        {";", PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {"HELLO;", PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {"init," + kClientId + ",5,5;", PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {"FINISH;", PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {"FI;", PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {" FIN;", PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {"\nFIN;", PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {std::string("FIN\0;", 5), PROTOCOL_ERROR_UNKNOWN_MESSAGE},
        {"FIN,;", PROTOCOL_ERROR_FIELD_COUNT},
        {"RECV;", PROTOCOL_ERROR_FIELD_COUNT},
        {"RECV,1,2;", PROTOCOL_ERROR_FIELD_COUNT},
        {"RECV,1,2,3,4,5;", PROTOCOL_ERROR_FIELD_COUNT},
        {"INIT," + kClientId + ",5;", PROTOCOL_ERROR_FIELD_COUNT},
        {"INIT," + kClientId + ",5,5,5;", PROTOCOL_ERROR_FIELD_COUNT},
        {"RECV,;", PROTOCOL_ERROR_BATCH_INDEX},
        {"RECV,-1;", PROTOCOL_ERROR_BATCH_INDEX},
        {"RECV,+1;", PROTOCOL_ERROR_BATCH_INDEX},
        {"RECV, 1;", PROTOCOL_ERROR_BATCH_INDEX},
        {"RECV,01;", PROTOCOL_ERROR_BATCH_INDEX},
        {"RECV,0x1;", PROTOCOL_ERROR_BATCH_INDEX},
        {"RECV,00;", PROTOCOL_ERROR_BATCH_INDEX},
        {"RECV,9999999999999999999x;", PROTOCOL_ERROR_BATCH_INDEX},
        {"STREAM,09999999999999999999;", PROTOCOL_ERROR_BATCH_INDEX},
        {"STREAM,one;", PROTOCOL_ERROR_BATCH_INDEX},
        {"CONT,;", PROTOCOL_ERROR_CLIENT_ID},
        {"CONT,123e4567e89b12d3a456426614174000;", PROTOCOL_ERROR_CLIENT_ID},
        {"CONT,123e4567-e89b-12d3-a456-42661417400;", PROTOCOL_ERROR_CLIENT_ID},
        {"CONT,123e4567-e89b-12d3-a456-4266141740000;", PROTOCOL_ERROR_CLIENT_ID},
        {"CONT,123e4567-e89b-12d3-a456_426614174000;", PROTOCOL_ERROR_CLIENT_ID},
        {"CONT,123e4567-e89b-12d3-a456-42661417400g;", PROTOCOL_ERROR_CLIENT_ID},
        {"INIT," + kClientId + ",65536,5;", PROTOCOL_ERROR_NUMBER_COUNT},
        {"INIT," + kClientId + ",,5;", PROTOCOL_ERROR_NUMBER_COUNT},
        {"INIT," + kClientId + ",5,0;", PROTOCOL_ERROR_BATCH_SIZE},
        {"INIT," + kClientId + ",5,65536;", PROTOCOL_ERROR_BATCH_SIZE},
    };
    for (const auto &[text, error] : cases) {
        ParsedRequest parsed = ParseRequest(text);
        EXPECT_EQ(parsed.status, PROTOCOL_INVALID) << text;
        EXPECT_EQ(parsed.error, error) << text;
    }
}

TEST(ParseRequest, JudgesAnEndlessMessageAtItsLimit) {
    std::string text(PROTOCOL_REQUEST_SIZE_MAX - 1, 'x');
    EXPECT_EQ(ParseRequest(text).status, PROTOCOL_PARTIAL);
    text += 'x';
    EXPECT_EQ(ParseRequest(text).error, PROTOCOL_ERROR_MESSAGE_TOO_LONG);
    text += ';';
    EXPECT_EQ(ParseRequest(text).error, PROTOCOL_ERROR_MESSAGE_TOO_LONG);
}

struct ParsedReply {
    protocol_status status;
    protocol_reply reply;
    std::vector<uint8_t> numbers;
    std::string error_text;
    size_t consumed_size;
    protocol_error error;
};

ParsedReply ParseReply(const std::string &bytes, size_t capacity = 5) {
    std::vector<char> copy(bytes.begin(), bytes.end());
    copy.shrink_to_fit();
    ParsedReply parsed = {};
    parsed.numbers.resize(capacity);
    parsed.status = protocol_parse_reply(copy.data(), copy.size(), parsed.numbers.data(), capacity,
                                         &parsed.reply, &parsed.consumed_size, &parsed.error);
    parsed.numbers.resize(parsed.reply.number_count);
    if (parsed.status == PROTOCOL_COMPLETE && parsed.reply.kind == PROTOCOL_ERR) {
        parsed.error_text.assign(parsed.reply.error_text, parsed.reply.error_text_length);
    }
    return parsed;
}

TEST(ParseReply, ReadsEachKind) {
    ParsedReply ack = ParseReply("ACK;");
    ASSERT_EQ(ack.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(ack.reply.kind, PROTOCOL_ACK);

    ParsedReply num = ParseReply("NUM,6:41:81:68:100;ACK;");
    ASSERT_EQ(num.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(num.reply.kind, PROTOCOL_NUM);
    EXPECT_EQ(num.numbers, (std::vector<uint8_t>{6, 41, 81, 68, 100}));
    EXPECT_EQ(num.consumed_size, strlen("NUM,6:41:81:68:100;"));

    ParsedReply fac = ParseReply("FAC,f90b20dae8c9b7d7be2a5fb7cc856e8b;");
    ASSERT_EQ(fac.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(fac.reply.kind, PROTOCOL_FAC);
    EXPECT_STREQ(fac.reply.checksum, "f90b20dae8c9b7d7be2a5fb7cc856e8b");

    ParsedReply err = ParseReply("ERR," + kClientId + " already exist;");
    ASSERT_EQ(err.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(err.reply.kind, PROTOCOL_ERR);
    EXPECT_EQ(err.error_text, kClientId + " already exist");
}

TEST(ParseReply, WaitsForTheRestAtEveryCut) {
    const std::vector<std::string> replies = {
        "ACK;", "NUM,6:41:81:68:100;", "FAC,f90b20dae8c9b7d7be2a5fb7cc856e8b;",
        "ERR," + std::string(PROTOCOL_ERROR_TEXT_LENGTH_MAX, 'e') + ";"};
    for (const std::string &text : replies) {
        EXPECT_EQ(ParseReply(text).status, PROTOCOL_COMPLETE) << text;
        for (size_t size = 0; size < text.size(); size++) {
            EXPECT_EQ(ParseReply(text.substr(0, size)).status, PROTOCOL_PARTIAL) << text;
        }
    }
}

TEST(ParseReply, RefusesWhatIsMalformed) {
    const std::vector<std::string> cases = {
        ";",
        "ack;",
        "ACK,;",
        "NUM;",
        "NUM,;",
        "NUM,1:;",
        "NUM,:1;",
        "NUM,1::2;",
        "NUM,101;",
        "NUM,01;",
        "NUM,-1;",
        "NUM,1:2:3:4:5:6;",
        "FAC,f90b20dae8c9b7d7be2a5fb7cc856e8;",
        "FAC,f90b20dae8c9b7d7be2a5fb7cc856e8bb;",
        "FAC,F90b20dae8c9b7d7be2a5fb7cc856e8b;",
        "FAC,g90b20dae8c9b7d7be2a5fb7cc856e8b;",
        "ERR," + std::string(PROTOCOL_ERROR_TEXT_LENGTH_MAX + 1, 'e') + ";",
        std::string(PROTOCOL_ERROR_SIZE_MAX, 'x'),
    };
    for (const std::string &text : cases) {
        EXPECT_EQ(ParseReply(text).status, PROTOCOL_INVALID) << text;
    }
}

TEST(ParseReply, HoldsTheLargestBatch) {
    std::string text = "NUM,100";
    for (int i = 1; i < PROTOCOL_BATCH_SIZE_MAX; i++) {
        text += ":100";
    }
    EXPECT_EQ(ParseReply(text, PROTOCOL_BATCH_SIZE_MAX).status, PROTOCOL_PARTIAL);
    text += ";";
    ASSERT_EQ(text.size(), static_cast<size_t>(PROTOCOL_REPLY_SIZE_MAX));
    ParsedReply parsed = ParseReply(text, PROTOCOL_BATCH_SIZE_MAX);
    ASSERT_EQ(parsed.status, PROTOCOL_COMPLETE);
    EXPECT_EQ(parsed.reply.number_count, static_cast<size_t>(PROTOCOL_BATCH_SIZE_MAX));
}

TEST(WriteReply, WritesEachKind) {
    char out[PROTOCOL_ERROR_SIZE_MAX];
    EXPECT_EQ(std::string(out, protocol_write_ack(out)), "ACK;");
    EXPECT_EQ(std::string(out, protocol_write_error("no such thing", out)), "ERR,no such thing;");
    EXPECT_EQ(std::string(out, protocol_write_checksum("f90b20dae8c9b7d7be2a5fb7cc856e8b", out)),
              "FAC,f90b20dae8c9b7d7be2a5fb7cc856e8b;");
}

TEST(WriteReply, CutsALongErrorOff) {
    char out[PROTOCOL_ERROR_SIZE_MAX];
    const std::string text(500, 'e');
    EXPECT_EQ(std::string(out, protocol_write_error(text.c_str(), out)),
              "ERR," + std::string(PROTOCOL_ERROR_TEXT_LENGTH_MAX, 'e') + ";");
}

TEST(WriteNumbers, JoinsItsPieces) {
    const uint8_t numbers[] = {0, 9, 10, 99, 100};
    const std::string expected = "NUM,0:9:10:99:100;";
    for (size_t cut = 1; cut <= 5; cut++) {
        char out[PROTOCOL_NUMBERS_PREFIX_SIZE + 5 * PROTOCOL_NUMBER_SIZE_MAX];
        std::string text(out, protocol_write_numbers(numbers, cut, true, cut == 5, out));
        if (cut < 5) {
            text.append(out, protocol_write_numbers(numbers + cut, 5 - cut, false, true, out));
        }
        EXPECT_EQ(text, expected);
    }
}

TEST(DescribeError, HasATextForEach) {
    for (int error = PROTOCOL_ERROR_NONE; error <= PROTOCOL_ERROR_CHECKSUM; error++) {
        const char *text = protocol_describe_error(static_cast<protocol_error>(error));
        EXPECT_GT(strlen(text), 0u);
        EXPECT_EQ(strchr(text, ';'), nullptr);
    }
}

} // namespace
