#include "server/runtime/directory.h"

#include <cerrno>
#include <string>

#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

class DirectoryTest : public testing::Test {
  protected:
    ~DirectoryTest() override {
        os_faulty_plan("");
    }
};

TEST_F(DirectoryTest, SyncsTheDirectoryOfAFile) {
    harness::TemporaryDirectory directory;
    for (const std::string &path :
         {directory.File("file"), std::string("file"), std::string("/file")}) {
        ASSERT_TRUE(os_faulty_plan(""));
        EXPECT_EQ(directory_sync(path.c_str()), 0) << path;
        EXPECT_EQ(os_faulty_call_count("fsync"), 1u);
        EXPECT_EQ(os_faulty_call_count("close"), 1u);
    }
}

TEST_F(DirectoryTest, SaysWhyNot) {
    harness::TemporaryDirectory directory;
    const std::string path = directory.File("file");
    EXPECT_EQ(directory_sync(directory.File("nowhere/file").c_str()), -ENOENT);
    ASSERT_TRUE(os_faulty_plan("open:1:EACCES"));
    EXPECT_EQ(directory_sync(path.c_str()), -EACCES);
    ASSERT_TRUE(os_faulty_plan("fsync:1:EIO"));
    EXPECT_EQ(directory_sync(path.c_str()), -EIO);
    EXPECT_EQ(os_faulty_call_count("close"), 1u) << "nothing is left open";
}

} // namespace
