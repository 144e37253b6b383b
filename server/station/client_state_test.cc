#include "server/station/client_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "testing/files.h"

namespace {

const char kId[] = "123e4567-e89b-12d3-a456-426614174000";

class ClientState : public testing::Test {
  protected:
    enum state_file_result Open() {
        return client_state_open(state_.get(), path_.c_str());
    }

    harness::TemporaryDirectory directory_;
    const std::string path_ = directory_.File("state");
    std::unique_ptr<struct client_state> state_ = std::make_unique<struct client_state>();
};

TEST_F(ClientState, WhatWasSavedIsThereAgain) {
    ASSERT_EQ(Open(), STATE_FILE_EMPTY);
    ASSERT_EQ(client_state_begin(state_.get(), kId, 3), STATE_FILE_OK);
    client_state_append(state_.get(), 0);
    client_state_append(state_.get(), UINT32_MAX);
    ASSERT_EQ(client_state_save(state_.get()), STATE_FILE_OK);
    client_state_close(state_.get());
    EXPECT_EQ(harness::ReadFile(path_), std::string("station 1 ") + kId + " 3\n0\n4294967295\n");
    struct stat file;
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600U);

    ASSERT_EQ(Open(), STATE_FILE_OK);
    EXPECT_STREQ(state_->client_id, kId);
    EXPECT_EQ(state_->number_count, 3U);
    ASSERT_EQ(state_->received_count, 2U);
    EXPECT_EQ(state_->numbers[1], UINT32_MAX);
    client_state_close(state_.get());
}

TEST_F(ClientState, ATornLineIsCutOffWhereverItIsTorn) {
    const std::string whole = std::string("station 1 ") + kId + " 3\n12\n";
    for (const char *torn : {"3", "34", "4294967295"}) {
        harness::WriteFile(path_, whole + torn);
        ASSERT_EQ(Open(), STATE_FILE_OK);
        EXPECT_EQ(state_->received_count, 1U);
        client_state_append(state_.get(), 7);
        ASSERT_EQ(client_state_save(state_.get()), STATE_FILE_OK);
        client_state_close(state_.get());
        EXPECT_EQ(harness::ReadFile(path_), whole + "7\n");
    }
}

TEST_F(ClientState, AnythingElseIsLeftAlone) {
    const std::string header = std::string("station 1 ") + kId;
    for (const std::string &content :
         {std::string("precious"), std::string("precious\n"), header, header + " 0\n",
          header + " 65536\n", header + " 1\n1\n2\n", header + " 3\n-1\n", header + " 3\n01\n",
          header + " 3\n4294967296\n", header + " 3\n\n", header + "x3\n",
          std::string("INIT,") + kId + ",3,1;\n", std::string(2000000, '\n')}) {
        harness::WriteFile(path_, content);
        EXPECT_EQ(Open(), STATE_FILE_FOREIGN) << content.substr(0, 60);
        EXPECT_EQ(harness::ReadFile(path_), content);
    }
}

TEST_F(ClientState, OneClientAtATime) {
    ASSERT_EQ(Open(), STATE_FILE_EMPTY);
    auto other = std::make_unique<struct client_state>();
    EXPECT_EQ(client_state_open(other.get(), path_.c_str()), STATE_FILE_IN_USE);
    client_state_close(state_.get());
}

TEST_F(ClientState, ASymbolicLinkIsNotFollowed) {
    harness::WriteFile(directory_.File("target"), "");
    ASSERT_EQ(symlink(directory_.File("target").c_str(), path_.c_str()), 0);
    EXPECT_EQ(Open(), STATE_FILE_FOREIGN);
}

} // namespace
