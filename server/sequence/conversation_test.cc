#include "server/sequence/conversation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/sequence/limits.h"
#include "server/sessions/session_store_memory.h"

namespace {

const std::string kClientId = "123e4567-e89b-12d3-a456-426614174000";
const std::string kInit10 = "INIT," + kClientId + ",10,5;";
const std::string kCont = "CONT," + kClientId + ";";
const std::string kBatch0 = "NUM,6:41:81:68:68;";
const std::string kBatch1 = "NUM,41:10:40:78:98;";
const std::string kChecksum10 = "FAC,9b14501c5359fb4eac96df9e874348b2;";
constexpr int64_t kTtlMs = 30000;

class ConversationTest : public testing::Test {
  protected:
    void SetUp() override {
        const session_store_limits limits = {2, kTtlMs, 0, 0, 0};
        ASSERT_EQ(session_store_memory_open(&store_, &limits), 0);
        config_.store = &store_;
        config_.kind = GENERATOR_PYTHON;
        conversation_begin(&conversation_, &config_, 0);
    }
    void TearDown() override {
        conversation_end(&conversation_, now_ms_);
        session_store_destroy(&store_);
    }

    // Gives the bytes to the conversation, with room for `room_size` bytes of reply at a time, and
    // returns all of its replies. The block of the output is exact, for the sanitizers.
    std::string Run(const std::string &input, size_t room_size = LIMIT_OUTPUT_SIZE) {
        std::string replies;
        conversation_buffers buffers = {};
        buffers.input = input.data();
        buffers.input_size = input.size();
        do {
            std::vector<char> room(room_size);
            buffers.output = room.data();
            buffers.output_size = room.size();
            status_ = conversation_run(&conversation_, &buffers, now_ms_);
            replies.append(room.data(), room.size() - buffers.output_size);
        } while (status_ == CONVERSATION_WANTS_ROOM);
        unread_ = std::string(buffers.input, buffers.input_size);
        return replies;
    }

    void Reconnect() {
        conversation_end(&conversation_, now_ms_);
        conversation_begin(&conversation_, &config_, 0);
    }

    session_store store_ = {};
    conversation_configuration config_ = {};
    conversation conversation_;
    int64_t now_ms_ = 0;
    conversation_status status_ = CONVERSATION_WANTS_INPUT;
    std::string unread_;
};

TEST_F(ConversationTest, DeliversASequence) {
    EXPECT_EQ(Run(kInit10), "ACK;");
    EXPECT_EQ(Run("RECV,0;"), kBatch0);
    EXPECT_EQ(Run("RECV,1;"), kBatch1);
    EXPECT_EQ(status_, CONVERSATION_WANTS_INPUT);
    EXPECT_EQ(Run("FIN;"), kChecksum10);
    EXPECT_EQ(status_, CONVERSATION_OVER);
}

// As nc and telnet send them.
TEST_F(ConversationTest, TakesLineEndsBetweenMessages) {
    EXPECT_EQ(Run("\r\nINIT,123e4567-e89b-12d3-a456-426614174000,5,5;\n\nRECV,0;\r\nFIN;\n"),
              "ACK;NUM,6:41:81:68:68;FAC,f90b20dae8c9b7d7be2a5fb7cc856e8b;");
}

TEST_F(ConversationTest, TakesNoLineEndWithinAMessage) {
    EXPECT_EQ(Run("INIT\n,123e4567-e89b-12d3-a456-426614174000,5,5;"), "ERR,Unknown message;");
}

TEST_F(ConversationTest, LetsNobodyComeBackAroundTheTick) {
    config_.is_ticking = true;
    EXPECT_EQ(Run("INIT,123e4567-e89b-12d3-a456-426614174000,3,1;STREAM,1;"), "ACK;");
    EXPECT_EQ(status_, CONVERSATION_WANTS_TICK);
    conversation_tick(&conversation_);
    EXPECT_EQ(Run(""), "NUM,41;");
    conversation_tick(&conversation_);
    EXPECT_EQ(Run("").substr(0, 7), "NUM,81;");
}

TEST_F(ConversationTest, AnswersPipelinedRequestsInOrder) {
    EXPECT_EQ(Run(kInit10 + "RECV,1;RECV,0;RECV,1;FIN;RECV"),
              "ACK;" + kBatch1 + kBatch0 + kBatch1 + kChecksum10);
    EXPECT_EQ(status_, CONVERSATION_OVER);
    EXPECT_EQ(unread_, "RECV");
}

TEST_F(ConversationTest, KeepsAPartOfARequestForLater) {
    for (size_t size = 0; size < kInit10.size(); size++) {
        EXPECT_EQ(Run(kInit10.substr(0, size)), "");
        EXPECT_EQ(unread_.size(), size);
    }
}

TEST_F(ConversationTest, WritesInPiecesAsSmallAsTheyGet) {
    Run("INIT," + kClientId + ",65535,65535;");
    const std::string whole = Run("RECV,0;");
    EXPECT_EQ(whole.substr(0, 8), "NUM,6:41");
    EXPECT_EQ(std::count(whole.begin(), whole.end(), ':'), 65534);
    EXPECT_EQ(Run("RECV,0;", PROTOCOL_ERROR_SIZE_MAX), whole);
    EXPECT_EQ(Run("FIN;"), "FAC,8dce03696fa07301720e07daf62ca2fa;");
}

TEST_F(ConversationTest, PushesTheRestOfTheSequence) {
    EXPECT_EQ(Run(kInit10 + "STREAM,0;"), "ACK;" + kBatch0 + kBatch1 + kChecksum10);
    EXPECT_EQ(status_, CONVERSATION_OVER);
    for (const auto &[from, expected] : std::vector<std::pair<std::string, std::string>>{
             {"1", kBatch1 + kChecksum10}, {"2", kChecksum10}}) {
        Reconnect();
        EXPECT_EQ(Run(kCont + "STREAM," + from + ";"), "ACK;" + expected);
        EXPECT_EQ(status_, CONVERSATION_OVER);
    }
    Reconnect();
    EXPECT_EQ(Run(kCont + "STREAM,3;"), "ACK;ERR,Invalid batch index requested: 3;");
}

TEST_F(ConversationTest, PushesWithTheTick) {
    config_.is_ticking = true;
    EXPECT_EQ(Run(kInit10 + "STREAM,0;"), "ACK;" + kBatch0);
    EXPECT_EQ(status_, CONVERSATION_WANTS_TICK);
    EXPECT_EQ(Run(""), "");
    conversation_tick(&conversation_);
    EXPECT_EQ(Run(""), kBatch1 + kChecksum10);
    EXPECT_EQ(status_, CONVERSATION_OVER);
}

TEST_F(ConversationTest, HandlesAnEmptySequence) {
    EXPECT_EQ(Run("INIT," + kClientId + ",0,5;RECV,0;FIN;"),
              "ACK;ERR,Invalid batch index requested: 0;FAC,d751713988987e9331980363e24189ce;");
}

TEST_F(ConversationTest, ShortensTheLastBatch) {
    EXPECT_EQ(Run("INIT," + kClientId + ",7,5;RECV,1;RECV,2;"),
              "ACK;NUM,41:10;ERR,Invalid batch index requested: 2;");
    EXPECT_EQ(status_, CONVERSATION_WANTS_INPUT);
}

TEST_F(ConversationTest, RefusesBatchIndexesBeyondTheLast) {
    Run("INIT," + kClientId + ",65535,65535;");
    for (const char *index : {"1", "65536", "4294967295", "4294967296", "99999999999999999999"}) {
        EXPECT_EQ(Run(std::string("RECV,") + index + ";"),
                  std::string("ERR,Invalid batch index requested: ") + index + ";");
    }
}

TEST_F(ConversationTest, ResumesAfterALostConnection) {
    Run(kInit10 + "RECV,0;");
    Reconnect();
    now_ms_ += kTtlMs - 1;
    EXPECT_EQ(Run(kCont + "RECV,1;FIN;"), "ACK;" + kBatch1 + kChecksum10);
    Reconnect();
    EXPECT_EQ(Run(kCont + "FIN;"), "ACK;" + kChecksum10);
    Reconnect();
    now_ms_ += kTtlMs;
    EXPECT_EQ(Run(kCont), "ERR,Client-id: " + kClientId + " does not exist;");
    EXPECT_EQ(status_, CONVERSATION_OVER);
}

TEST_F(ConversationTest, RefusesAClientIdInUse) {
    Run(kInit10 + "FIN;");
    Reconnect();
    EXPECT_EQ(Run(kInit10), "ERR," + kClientId + " already exist;");
    EXPECT_EQ(status_, CONVERSATION_OVER);
}

TEST_F(ConversationTest, RefusesSessionsBeyondTheLimit) {
    for (const char *client_id :
         {"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"}) {
        EXPECT_EQ(Run(std::string("INIT,") + client_id + ",10,5;"), "ACK;");
        Reconnect();
    }
    EXPECT_EQ(Run(kInit10), "ERR,Too many sessions;");
    EXPECT_EQ(status_, CONVERSATION_OVER);
}

TEST_F(ConversationTest, EndsAtAMalformedOrUnexpectedMessage) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"RECV,0;", "ERR,Unexpected message;"},
        {"STREAM,0;", "ERR,Unexpected message;"},
        {"FIN;", "ERR,Unexpected message;"},
        {"HELLO;", "ERR,Unknown message;"},
        {"INIT,me,5,5;", "ERR,Client-id is not a UUID;"},
        {std::string(1000, 'x'), "ERR,Message too long;"},
        {kInit10 + kInit10, "ACK;ERR,Unexpected message;"},
        {kCont + kCont, "ACK;ERR,Unexpected message;"},
        {kCont + "RECV,zero;", "ACK;ERR,Batch index must be a number without leading zeros;"},
        {kCont + "FIN;FIN;", "ACK;" + kChecksum10},
    };
    for (const auto &[input, expected] : cases) {
        EXPECT_EQ(Run(input), expected) << input;
        EXPECT_EQ(status_, CONVERSATION_OVER) << input;
        Reconnect();
    }
}

TEST_F(ConversationTest, MakesDifferentNumbersOutsideTestMode) {
    config_.kind = GENERATOR_KEYED;
    const std::string ask = ",1000,1000;RECV,0;";
    const std::string one = Run("INIT,00000000-0000-0000-0000-000000000001" + ask);
    Reconnect();
    const std::string other = Run("INIT,00000000-0000-0000-0000-000000000002" + ask);
    EXPECT_NE(one, other);
    Reconnect();
    EXPECT_EQ(Run("CONT,00000000-0000-0000-0000-000000000001;RECV,0;"), one);
}

TEST_F(ConversationTest, BreaksOffAtEveryNthNumber) {
    config_.fail_every = 7;
    EXPECT_EQ(Run("INIT," + kClientId + ",30,5;RECV,0;RECV,1;RECV,2;"), "ACK;" + kBatch0 + kBatch1);
    EXPECT_EQ(status_, CONVERSATION_BROKEN);
    EXPECT_EQ(config_.number_count, 10u);
    // The 14th is in the third message, the 21st in the fifth, the 28th in the sixth.
    std::vector<size_t> delivered_counts;
    for (int i = 0; i < 3; i++) {
        Reconnect();
        const std::string replies = Run(kCont + "RECV,2;RECV,2;RECV,2;");
        EXPECT_EQ(status_, CONVERSATION_BROKEN);
        delivered_counts.push_back(
            static_cast<size_t>(std::count(replies.begin(), replies.end(), ';')) - 1);
    }
    EXPECT_EQ(delivered_counts, (std::vector<size_t>{1, 2, 1}));
}

TEST_F(ConversationTest, GetsAlongWithBatchesLargerThanTheFailureInterval) {
    config_.fail_every = 1;
    EXPECT_EQ(Run(kInit10 + "STREAM,0;"), "ACK;" + kBatch0);
    EXPECT_EQ(status_, CONVERSATION_BROKEN);
    Reconnect();
    EXPECT_EQ(Run(kCont + "STREAM,1;"), "ACK;" + kBatch1);
    Reconnect();
    EXPECT_EQ(Run(kCont + "STREAM,2;"), "ACK;" + kChecksum10);
    EXPECT_EQ(status_, CONVERSATION_OVER);
}

} // namespace
