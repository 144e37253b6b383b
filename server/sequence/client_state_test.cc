#include "server/sequence/client_state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace {

const char kClientId[] = "123e4567-e89b-12d3-a456-426614174000";
const std::string kFile =
    std::string("INIT,") + kClientId + ",7,5;\nNUM,6:41:81:68:68;\nNUM,41:100;\n";
const std::vector<uint8_t> kNumbers = {6, 41, 81, 68, 68, 41, 100};

class ClientStateTest : public testing::Test {
  protected:
    void SetUp() override {
        path_ = testing::TempDir() + "client_state_test_" + std::to_string(getpid());
        (void)unlink(path_.c_str());
    }
    void TearDown() override {
        (void)unlink(path_.c_str());
    }

    void WriteFile(const std::string &content) {
        std::ofstream(path_, std::ios::binary) << content;
    }
    std::string ReadFile() {
        std::ifstream file(path_, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }

    // Loads the content as a client that is started again would.
    state_file_result Load(const std::string &content) {
        WriteFile(content);
        state_file_result result = client_state_open(state_.get(), path_.c_str());
        if (result != STATE_FILE_OK) {
            return result;
        }
        result = client_state_load(state_.get());
        client_state_close(state_.get());
        return result;
    }
    std::vector<uint8_t> Numbers() {
        return std::vector<uint8_t>(state_->numbers, state_->numbers + state_->received_count);
    }

    std::string path_;
    std::unique_ptr<client_state> state_ = std::make_unique<client_state>();
};

TEST_F(ClientStateTest, WritesTheConversation) {
    ASSERT_EQ(client_state_open(state_.get(), path_.c_str()), STATE_FILE_OK);
    client_state_begin(state_.get(), kClientId, 7, 5);
    ASSERT_EQ(client_state_save(state_.get()), STATE_FILE_OK);
    EXPECT_EQ(client_state_next_count(state_.get()), 5u);
    ASSERT_EQ(client_state_append(state_.get(), &kNumbers[0]), STATE_FILE_OK);
    EXPECT_EQ(client_state_next_count(state_.get()), 2u);
    ASSERT_EQ(client_state_append(state_.get(), &kNumbers[5]), STATE_FILE_OK);
    EXPECT_EQ(client_state_next_count(state_.get()), 0u);
    client_state_close(state_.get());
    EXPECT_EQ(ReadFile(), kFile);
}

TEST_F(ClientStateTest, LoadsWhatWasWritten) {
    ASSERT_EQ(Load(kFile), STATE_FILE_OK);
    EXPECT_STREQ(state_->client_id, kClientId);
    EXPECT_EQ(state_->number_count, 7u);
    EXPECT_EQ(state_->batch_size, 5u);
    EXPECT_EQ(Numbers(), kNumbers);
}

// Killed at any byte: the whole lines count, the torn one is cut off, and the client goes on there.
TEST_F(ClientStateTest, CutsATornLineOff) {
    const size_t first_line_size = kFile.find('\n') + 1;
    for (size_t size = 0; size <= kFile.size(); size++) {
        const std::string content = kFile.substr(0, size);
        if (size < first_line_size) {
            // The first line is written as a whole: a part of it is a file of somebody else's.
            EXPECT_EQ(Load(content), size == 0 ? STATE_FILE_EMPTY : STATE_FILE_FOREIGN);
            continue;
        }
        ASSERT_EQ(Load(content), STATE_FILE_OK) << size;
        const std::string whole_lines = content.substr(0, content.rfind('\n') + 1);
        EXPECT_EQ(ReadFile(), whole_lines);

        ASSERT_EQ(client_state_open(state_.get(), path_.c_str()), STATE_FILE_OK);
        ASSERT_EQ(client_state_load(state_.get()), STATE_FILE_OK);
        while (client_state_next_count(state_.get()) > 0) {
            ASSERT_EQ(client_state_append(state_.get(), &kNumbers[state_->received_count]),
                      STATE_FILE_OK);
        }
        client_state_close(state_.get());
        EXPECT_EQ(ReadFile(), kFile);
    }
}

TEST_F(ClientStateTest, RefusesAnyOtherFile) {
    const std::string init = std::string("INIT,") + kClientId + ",7,5;";
    for (const std::string &content :
         {std::string("hello;\n"), std::string(1000, 'x'), std::string(1000, '\n'),
          std::string("FIN;\n"), init + "x", init + "\nACK;\n", init + "\nNUM,1;\n",
          init + "\nNUM,1:2:3:4:5:6;\n", init + "\nNUM,1:2:3:4:101;\n", init + "\nNUM,1:2:3:4:5;x",
          kFile + "NUM,1;\n", kFile + "x", init + "\n" + std::string(1000, 'x')}) {
        EXPECT_EQ(Load(content), STATE_FILE_FOREIGN) << content;
        EXPECT_EQ(ReadFile(), content) << "must be left alone";
    }
}

TEST_F(ClientStateTest, HoldsTheLongestSequenceInOneBatch) {
    ASSERT_EQ(client_state_open(state_.get(), path_.c_str()), STATE_FILE_OK);
    client_state_begin(state_.get(), kClientId, PROTOCOL_NUMBER_COUNT_MAX, PROTOCOL_BATCH_SIZE_MAX);
    ASSERT_EQ(client_state_save(state_.get()), STATE_FILE_OK);
    const std::vector<uint8_t> numbers(PROTOCOL_NUMBER_COUNT_MAX, 100);
    ASSERT_EQ(client_state_append(state_.get(), numbers.data()), STATE_FILE_OK);
    client_state_close(state_.get());
    ASSERT_EQ(Load(ReadFile()), STATE_FILE_OK);
    EXPECT_EQ(Numbers(), numbers);
}

TEST_F(ClientStateTest, KeepsTheOldContentUntilTheNewIsSaved) {
    WriteFile(kFile);
    ASSERT_EQ(client_state_open(state_.get(), path_.c_str()), STATE_FILE_OK);
    client_state_begin(state_.get(), kClientId, 3, 1);
    EXPECT_EQ(ReadFile(), kFile);
    ASSERT_EQ(client_state_save(state_.get()), STATE_FILE_OK);
    EXPECT_EQ(ReadFile(), std::string("INIT,") + kClientId + ",3,1;\n");
    client_state_close(state_.get());
}

TEST_F(ClientStateTest, IsHeldByOneClientAtATime) {
    ASSERT_EQ(client_state_open(state_.get(), path_.c_str()), STATE_FILE_OK);
    auto other = std::make_unique<client_state>();
    EXPECT_EQ(client_state_open(other.get(), path_.c_str()), STATE_FILE_IN_USE);
    client_state_close(state_.get());
    EXPECT_EQ(client_state_open(other.get(), path_.c_str()), STATE_FILE_OK);
    client_state_close(other.get());
}

TEST_F(ClientStateTest, ReportsAFullDisk) {
    state_->file.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    ASSERT_GE(state_->file.fd, 0);
    client_state_begin(state_.get(), kClientId, 7, 5);
    EXPECT_EQ(client_state_append(state_.get(), kNumbers.data()), STATE_FILE_IO_ERROR);
    EXPECT_EQ(state_->file.error, ENOSPC);
    EXPECT_EQ(state_->received_count, 0u);
    client_state_close(state_.get());
    EXPECT_EQ(client_state_open(state_.get(), "/nowhere/at/all"), STATE_FILE_IO_ERROR);
}

} // namespace
