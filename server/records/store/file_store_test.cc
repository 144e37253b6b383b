// What only the store in a file can get wrong.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "server/records/json/limits.h"
#include "server/records/store/store_harness.h"
#include "testing/files.h"

namespace harness {
namespace {

class FileStore : public testing::Test {
  protected:
    const TemporaryDirectory directory_;
    const std::string path_ = directory_.File("store");
    const std::string location_ = "file:" + path_;
};

TEST_F(FileStore, ATornLastLineIsCutOff) {
    const std::string line = "{\"id\": \"1\", \"name\": \"n\", \"age\": \"a\"}\n";
    for (const std::string &torn : {std::string("{"), line.substr(0, line.size() - 1),
                                    "{\"id\": \"" + std::string(60000, 'x')}) {
        WriteFile(path_, line + torn);
        auto store = Open(location_);
        EXPECT_EQ(ReadFile(path_), line);
        EXPECT_EQ(ReadAll(store.get()), (People{{"1", "n", "a"}}));
    }
    WriteFile(path_, "{\"id\"");
    Open(location_);
    EXPECT_EQ(ReadFile(path_), "");
}

TEST_F(FileStore, AFileThatIsNotOursIsLeftAlone) {
    const std::string line = "{\"id\": \"1\", \"name\": \"n\", \"age\": \"a\"}\n";
    for (const std::string &tail :
         {std::string("x"), std::string("{ \"id"), std::string("\0", 1),
          "{\"id\": \"" + std::string(RECORDS_RECORD_SIZE_MAX + RECORDS_LINE_OVERHEAD, 'x')}) {
        for (const std::string &content : {tail, line + tail}) {
            WriteFile(path_, content);
            EXPECT_EQ(WhyNotOpen(location_),
                      path_ +
                          ": it ends with something that is no record; the file was left alone");
            EXPECT_EQ(ReadFile(path_), content);
        }
    }
    for (const std::string &content :
         {std::string("first line\nmy precious notes without newline"),
          std::string("first line\n{\"id\""), std::string("first line\n"),
          line + line.substr(0, line.size() - 2) + "\n"}) {
        WriteFile(path_, content);
        EXPECT_EQ(WhyNotOpen(location_),
                  path_ + ": its last line is no record; the file was left alone");
        EXPECT_EQ(ReadFile(path_), content);
    }
}

TEST_F(FileStore, RecordsThatSomebodyElseWroteAreOurs) {
    for (const char *content : {"{\"Age\":25,\"ID\":\"1\",\"name\":\"n\"}\n", "\n", ""}) {
        WriteFile(path_, content);
        Open(location_);
        EXPECT_EQ(ReadFile(path_), content);
    }
}

TEST_F(FileStore, APipeIsRefused) {
    const std::string path = directory_.File("pipe");
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(WhyNotOpen("file:" + path), path + ": it is no regular file");
}

TEST_F(FileStore, TheLinesAreJson) {
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "\"Joe\"", "2"}}), "");
    EXPECT_EQ(ReadFile(path_), "{\"id\": \"1\", \"name\": \"\\\"Joe\\\"\", \"age\": \"2\"}\n");
}

TEST_F(FileStore, ASecondServerIsRefused) {
    auto store = Open(location_);
    EXPECT_EQ(WhyNotOpen(location_), path_ + ": another server has it open");
}

// The server has the file open and goes on, as after a log is rotated by copying and truncating.
TEST_F(FileStore, SomebodyElseMakesTheFileShorter) {
    const std::string line = "{\"id\": \"1\", \"name\": \"n\", \"age\": \"a\"}\n";
    const std::string third = "{\"id\": \"3\", \"name\": \"n\", \"age\": \"a\"}\n";
    for (const size_t size : {size_t{0}, size_t{5}, line.size(), line.size() + 5}) {
        TemporaryDirectory directory;
        auto store = Open("file:" + directory.File("store"));
        Writer writer(store.get());
        EXPECT_EQ(writer.Write({{"1", "n", "a"}, {"2", "n", "a"}}), "");
        ASSERT_EQ(truncate(directory.File("store").c_str(), static_cast<off_t>(size)), 0);
        People left;
        if (size >= line.size()) {
            left.push_back({"1", "n", "a"});
        }
        EXPECT_EQ(ReadAll(store.get()), left) << size;
        EXPECT_EQ(writer.Write({{"3", "n", "a"}}), "");
        EXPECT_EQ(ReadFile(directory.File("store")), (left.empty() ? "" : line) + third);
        left.push_back({"3", "n", "a"});
        EXPECT_EQ(ReadAll(store.get()), left) << size;
    }
}

TEST_F(FileStore, SomebodyElseAppendsToTheFile) {
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "n", "a"}}), "");
    WriteFile(path_, ReadFile(path_) + "{\"id\":\"2\",\"name\":\"n\",\"age\":\"a\"}\ntorn");
    EXPECT_EQ(writer.Write({{"3", "n", "a"}}), "");
    EXPECT_EQ(ReadAll(store.get()), (People{{"1", "n", "a"}, {"2", "n", "a"}, {"3", "n", "a"}}));
}

// The limit stands for a full disk: the write stops in the middle of a line.
TEST_F(FileStore, AWriteThatStopsHalfWayLeavesNothingBehind) {
    signal(SIGXFSZ, SIG_IGN);
    auto store = Open(location_);
    Writer writer(store.get());
    People first = ManyPeople(100);
    EXPECT_EQ(writer.Write(first), "");
    const std::string before = ReadFile(path_);

    rlimit old_limit;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    rlimit limit = {before.size() + 1000, old_limit.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    Batch batch(ManyPeople(20000), 2);
    EXPECT_EQ(writer.Write(batch), "writing: File too large");
    EXPECT_EQ(ReadFile(path_), before);
    EXPECT_EQ(ReadAll(store.get()), first);
    ASSERT_EQ(truncate(path_.c_str(), 0), 0);
    EXPECT_EQ(writer.Write(batch), "writing: File too large");
    EXPECT_EQ(ReadFile(path_), "") << "a file that was emptied stays so";
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    EXPECT_EQ(writer.Write(batch), "");
    EXPECT_EQ(ReadAll(store.get()).size(), 20000u);
}

// As a log is rotated. What was written before is in the file that was there.
TEST_F(FileStore, AFileThatIsMovedRemovedOrReplaced) {
    const std::string theirs = "{\"id\": \"0\", \"name\": \"n\", \"age\": \"a\"}\n";
    auto store = Open(location_);
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "n", "a"}}), "");
    ASSERT_EQ(rename(path_.c_str(), directory_.File("moved").c_str()), 0);
    EXPECT_EQ(writer.Write({{"2", "n", "a"}}), "");
    EXPECT_EQ(ReadAll(store.get()), (People{{"2", "n", "a"}}));
    EXPECT_NE(ReadFile(directory_.File("moved")).find("\"1\""), std::string::npos);
    EXPECT_EQ(ReadFile(directory_.File("moved")).find("\"2\""), std::string::npos);
    EXPECT_EQ(WhyNotOpen(location_), path_ + ": another server has it open");

    ASSERT_EQ(unlink(path_.c_str()), 0);
    EXPECT_EQ(writer.Write({{"3", "n", "a"}}), "");
    EXPECT_EQ(ReadAll(store.get()), (People{{"3", "n", "a"}}));

    WriteFile(directory_.File("other"), theirs);
    ASSERT_EQ(rename(directory_.File("other").c_str(), path_.c_str()), 0);
    EXPECT_EQ(writer.Write({{"4", "n", "a"}}), "");
    EXPECT_EQ(ReadAll(store.get()), (People{{"0", "n", "a"}, {"4", "n", "a"}}));

    // Something that is not ours is left alone, and the records wait.
    WriteFile(directory_.File("other"), "my notes\n");
    ASSERT_EQ(rename(directory_.File("other").c_str(), path_.c_str()), 0);
    EXPECT_NE(writer.Write({{"5", "n", "a"}}).find("the file was left alone"), std::string::npos);
    EXPECT_EQ(ReadFile(path_), "my notes\n");
}

} // namespace
} // namespace harness
