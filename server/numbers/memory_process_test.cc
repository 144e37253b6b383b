// The numbers server where it may not have the memory that it needs: it says so before it takes
// any.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "server/numbers/numbers_process.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

constexpr unsigned long kMebibyte = 1024 * 1024;
constexpr const char *kOldLog = "000000001\n";

class MemoryTest : public testing::Test {
  protected:
    void SetUp() override {
        WriteFile(directory_.File("numbers.log"), kOldLog);
    }

    ProcessOptions Command() const {
        ProcessOptions options = NumbersServerCommand({"--port=0"});
        options.working_directory = directory_.path();
        return options;
    }

    // One line that names the limit, and nothing touched. Returns the MiB that it asks for.
    unsigned long ExpectRefusal(const ProcessOptions &options, const std::string &limit) const {
        const std::string start = "not enough memory: ";
        const ProcessResult result = RunToEnd(options);
        EXPECT_EQ(result.status, Exited(1));
        EXPECT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
        EXPECT_NE(result.errors.find(limit), std::string::npos) << result.errors;
        EXPECT_EQ(ReadFile(directory_.File("numbers.log")), kOldLog);
        const size_t at = result.errors.find(start);
        EXPECT_NE(at, std::string::npos) << result.errors;
        return at == std::string::npos
                   ? 0
                   : std::strtoul(result.errors.c_str() + at + start.size(), nullptr, 10);
    }

    const TemporaryDirectory directory_;
};

// What it asks for is enough, and it is honest about less.
TEST_F(MemoryTest, LimitOfAddressSpace) {
    if (kIsSanitized) {
        GTEST_SKIP() << "sanitizers take all of the address space";
    }
    const std::pair<int, std::string> limits[] = {{RLIMIT_AS, "RLIMIT_AS (ulimit -v)"},
                                                  {RLIMIT_DATA, "RLIMIT_DATA (ulimit -d)"}};
    for (const auto &[resource, name] : limits) {
        SCOPED_TRACE(name);
        unsigned long needed = 0;
        for (const unsigned long size : {50ul, 100ul, 180ul, 220ul}) {
            ProcessOptions options = Command();
            options.limits.emplace_back(resource, rlimit{size * kMebibyte, size * kMebibyte});
            needed = ExpectRefusal(options, name + " allows " + std::to_string(size) + " MiB");
        }
        ASSERT_GT(needed, 220u);
        ProcessOptions base = NumbersServerCommand({});
        base.limits.emplace_back(resource, rlimit{needed * kMebibyte, needed * kMebibyte});
        NumbersServer server({}, base);
        EXPECT_EQ(server.Deliver(NumberLines(0, 1000)), Ending::kFin);
        EXPECT_EQ(server.Stop(), Exited(0));
    }
}

// A control group of the test's own, inside the one that it runs in.
class ControlGroup {
  public:
    explicit ControlGroup(unsigned long size) {
        std::ifstream memberships("/proc/self/cgroup");
        for (std::string line; std::getline(memberships, line);) {
            const size_t group = line.find(":memory:");
            if (group != std::string::npos) {
                path_ = "/sys/fs/cgroup/memory" + line.substr(group + 8);
                file_ = "memory.limit_in_bytes";
            } else if (line.rfind("0::", 0) == 0 && path_.empty()) {
                path_ = "/sys/fs/cgroup" + line.substr(3);
                file_ = "memory.max";
            }
        }
        path_ += "/numbers_test." + std::to_string(getpid());
        exists_ = mkdir(path_.c_str(), 0700) == 0;
        std::ofstream limit(path_ + "/" + file_);
        limit << size << std::flush;
        is_ready_ = exists_ && limit.good();
    }
    ~ControlGroup() {
        if (exists_) {
            rmdir(path_.c_str());
        }
    }
    ControlGroup(const ControlGroup &) = delete;
    ControlGroup &operator=(const ControlGroup &) = delete;

    bool is_ready() const {
        return is_ready_;
    }
    const std::string &path() const {
        return path_;
    }

  private:
    std::string path_;
    std::string file_;
    bool exists_ = false;
    bool is_ready_ = false;
};

TEST_F(MemoryTest, LimitOfTheControlGroup) {
    const ControlGroup group(100 * kMebibyte);
    if (!group.is_ready()) {
        GTEST_SKIP() << "no control group can be made here";
    }
    ProcessOptions options = Command();
    options.arguments.insert(
        options.arguments.begin(),
        {"/bin/sh", "-c", "echo $$ >" + group.path() + "/cgroup.procs; exec \"$@\"", "sh"});
    EXPECT_GT(ExpectRefusal(options, group.path()), 200u);
}

} // namespace
} // namespace harness
