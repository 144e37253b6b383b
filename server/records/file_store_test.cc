// What only the store in a file can get wrong.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "server/records/store_harness.h"
#include "testing/files.h"

namespace harness {
namespace {

TEST(FileStore, ATornLastLineIsCutOff) {
    TemporaryDirectory directory;
    const std::string line = "{\"id\": \"1\", \"name\": \"n\", \"age\": \"a\"}\n";
    for (const std::string &torn :
         {std::string("{"), line.substr(0, line.size() - 1), std::string(10000, 'x')}) {
        WriteFile(directory.File("store"), line + torn);
        auto store = Open("file:" + directory.File("store"));
        EXPECT_EQ(ReadFile(directory.File("store")), line);
        EXPECT_EQ(ReadAll(store.get()), (People{{"1", "n", "a"}}));
    }
    WriteFile(directory.File("store"), "torn");
    Open("file:" + directory.File("store"));
    EXPECT_EQ(ReadFile(directory.File("store")), "");
}

TEST(FileStore, TheLinesAreJson) {
    TemporaryDirectory directory;
    auto store = Open("file:" + directory.File("store"));
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "\"Joe\"", "2"}}), "");
    EXPECT_EQ(ReadFile(directory.File("store")),
              "{\"id\": \"1\", \"name\": \"\\\"Joe\\\"\", \"age\": \"2\"}\n");
}

TEST(FileStore, ASecondServerIsRefused) {
    TemporaryDirectory directory;
    auto store = Open("file:" + directory.File("store"));
    EXPECT_EQ(WhyNotOpen("file:" + directory.File("store")),
              directory.File("store") + ": another server has it open");
}

// The server has the file open and goes on, as after a log is rotated by copying and truncating.
TEST(FileStore, SomebodyElseMakesTheFileShorter) {
    const std::string line = "{\"id\": \"1\", \"name\": \"n\", \"age\": \"a\"}\n";
    const std::string third = "{\"id\": \"3\", \"name\": \"n\", \"age\": \"a\"}\n";
    for (const size_t size : {size_t{0}, size_t{5}, line.size(), line.size() + 5}) {
        TemporaryDirectory directory;
        auto store = Open("file:" + directory.File("store"));
        Writer writer(store.get());
        EXPECT_EQ(writer.Write({{"1", "n", "a"}, {"2", "n", "a"}}), "");
        ASSERT_EQ(truncate(directory.File("store").c_str(), static_cast<off_t>(size)), 0);
        People left = size < line.size() ? People{} : People{{"1", "n", "a"}};
        EXPECT_EQ(ReadAll(store.get()), left) << size;
        EXPECT_EQ(writer.Write({{"3", "n", "a"}}), "");
        EXPECT_EQ(ReadFile(directory.File("store")), (left.empty() ? "" : line) + third);
        left.push_back({"3", "n", "a"});
        EXPECT_EQ(ReadAll(store.get()), left) << size;
    }
}

TEST(FileStore, SomebodyElseAppendsToTheFile) {
    TemporaryDirectory directory;
    auto store = Open("file:" + directory.File("store"));
    Writer writer(store.get());
    EXPECT_EQ(writer.Write({{"1", "n", "a"}}), "");
    WriteFile(directory.File("store"), ReadFile(directory.File("store")) +
                                           "{\"id\":\"2\",\"name\":\"n\",\"age\":\"a\"}\ntorn");
    EXPECT_EQ(writer.Write({{"3", "n", "a"}}), "");
    EXPECT_EQ(ReadAll(store.get()), (People{{"1", "n", "a"}, {"2", "n", "a"}, {"3", "n", "a"}}));
}

// The limit stands for a full disk: the write stops in the middle of a line.
TEST(FileStore, AWriteThatStopsHalfWayLeavesNothingBehind) {
    signal(SIGXFSZ, SIG_IGN);
    TemporaryDirectory directory;
    auto store = Open("file:" + directory.File("store"));
    Writer writer(store.get());
    People first = ManyPeople(100);
    EXPECT_EQ(writer.Write(first), "");
    const std::string before = ReadFile(directory.File("store"));

    rlimit old_limit;
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    rlimit limit = {before.size() + 1000, old_limit.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    Batch batch(ManyPeople(20000), 2);
    EXPECT_EQ(writer.Write(batch), "writing: File too large");
    EXPECT_EQ(ReadFile(directory.File("store")), before);
    EXPECT_EQ(ReadAll(store.get()), first);
    ASSERT_EQ(truncate(directory.File("store").c_str(), 0), 0);
    EXPECT_EQ(writer.Write(batch), "writing: File too large");
    EXPECT_EQ(ReadFile(directory.File("store")), "") << "a file that was emptied stays so";
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
    EXPECT_EQ(writer.Write(batch), "");
    EXPECT_EQ(ReadAll(store.get()).size(), 20000u);
}

} // namespace
} // namespace harness
