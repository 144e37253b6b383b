#include "server/sessions/state_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string>

#include "testing/files.h"

namespace {

bool BeginsWithOwn(const char *bytes, size_t size) {
    return std::string(bytes, size).compare(0, 4, "own\n") == 0;
}

class StateFileTest : public testing::Test {
  protected:
    state_file_result Open() {
        const state_file_result result = state_file_open(&file_, path_.c_str(), BeginsWithOwn);
        is_open_ = result == STATE_FILE_OK;
        return result;
    }
    void Close() {
        state_file_close(&file_);
        is_open_ = false;
    }
    void TearDown() override {
        if (is_open_) {
            Close();
        }
    }
    mode_t Mode() const {
        struct stat status {};
        EXPECT_EQ(lstat(path_.c_str(), &status), 0);
        return status.st_mode & 07777;
    }

    harness::TemporaryDirectory directory_;
    const std::string path_ = directory_.File("state");
    state_file file_ = {};
    bool is_open_ = false;
};

TEST_F(StateFileTest, IsItsOwnersAlone) {
    ASSERT_EQ(Open(), STATE_FILE_OK);
    EXPECT_EQ(Mode(), 0600u);
    ASSERT_EQ(state_file_replace(&file_, "own\n", 4), STATE_FILE_OK);
    ASSERT_EQ(state_file_append(&file_, "more\n", 5), STATE_FILE_OK);
    EXPECT_EQ(Mode(), 0600u);
    EXPECT_EQ(harness::ReadFile(path_), "own\nmore\n");
    Close();
    ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
    ASSERT_EQ(Open(), STATE_FILE_OK);
    EXPECT_EQ(Mode(), 0600u) << "as an older client left it";
}

TEST_F(StateFileTest, LeavesForeignFilesAlone) {
    for (const std::string content : {"precious", "ow", "\n", "xown\n"}) {
        harness::WriteFile(path_, content);
        EXPECT_EQ(Open(), STATE_FILE_FOREIGN);
        EXPECT_EQ(harness::ReadFile(path_), content);
    }
    unlink(path_.c_str());
    ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
    EXPECT_EQ(Open(), STATE_FILE_FOREIGN);
    unlink(path_.c_str());
    ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
    EXPECT_EQ(Open(), STATE_FILE_FOREIGN);
}

TEST_F(StateFileTest, FollowsNoLink) {
    const std::string target = directory_.File("target");
    ASSERT_EQ(symlink(target.c_str(), path_.c_str()), 0);
    EXPECT_EQ(Open(), STATE_FILE_FOREIGN);
    EXPECT_NE(access(target.c_str(), F_OK), 0) << "nothing was made through it";
    harness::WriteFile(target, "own\n");
    EXPECT_EQ(Open(), STATE_FILE_FOREIGN);
}

TEST_F(StateFileTest, TouchesNoOtherFileWhenItIsReplaced) {
    const std::string other = path_ + ".new";
    for (const std::string content : {"precious", "own\n"}) {
        harness::WriteFile(other, content);
        ASSERT_EQ(Open(), STATE_FILE_OK);
        ASSERT_EQ(state_file_replace(&file_, "own\nnew", 7), STATE_FILE_OK);
        EXPECT_EQ(harness::ReadFile(other), content);
        EXPECT_EQ(harness::ReadFile(path_), "own\nnew");
        Close();
    }
    const std::filesystem::directory_iterator files(std::filesystem::path(path_).parent_path());
    EXPECT_EQ(std::distance(begin(files), end(files)), 2) << "nothing is left over";
}

// A reader that has the old file open sees nothing of the new one.
TEST_F(StateFileTest, IsReplacedAsAWhole) {
    harness::WriteFile(path_, "own\nold\n");
    ASSERT_EQ(Open(), STATE_FILE_OK);
    struct stat before {};
    struct stat after {};
    ASSERT_EQ(stat(path_.c_str(), &before), 0);
    ASSERT_EQ(link(path_.c_str(), directory_.File("kept").c_str()), 0);
    ASSERT_EQ(state_file_replace(&file_, "own\nnew\n", 8), STATE_FILE_OK);
    EXPECT_EQ(harness::ReadFile(directory_.File("kept")), "own\nold\n");
    EXPECT_EQ(harness::ReadFile(path_), "own\nnew\n");
    ASSERT_EQ(stat(path_.c_str(), &after), 0);
    EXPECT_NE(before.st_ino, after.st_ino);
}

TEST_F(StateFileTest, StaysHeldWhenItIsReplaced) {
    ASSERT_EQ(Open(), STATE_FILE_OK);
    state_file other = {};
    EXPECT_EQ(state_file_open(&other, path_.c_str(), BeginsWithOwn), STATE_FILE_IN_USE);
    ASSERT_EQ(state_file_replace(&file_, "own\n", 4), STATE_FILE_OK);
    EXPECT_EQ(state_file_open(&other, path_.c_str(), BeginsWithOwn), STATE_FILE_IN_USE);
    Close();
    EXPECT_EQ(state_file_open(&other, path_.c_str(), BeginsWithOwn), STATE_FILE_OK);
    state_file_close(&other);
}

TEST_F(StateFileTest, SaysWhyItCannotBeOpened) {
    EXPECT_EQ(state_file_open(&file_, "/nowhere/at/all", BeginsWithOwn), STATE_FILE_IO_ERROR);
    EXPECT_EQ(file_.error, ENOENT);
}

} // namespace
