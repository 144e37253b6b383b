#include "server/runtime/startup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <string>

#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "gtest/gtest.h"

namespace {

class StartupTest : public testing::Test {
  protected:
    StartupTest() {
        unsetenv("BUILD_WORKING_DIRECTORY");
        os_faulty_plan("");
    }
    ~StartupTest() override {
        os_faulty_plan("");
    }

    CapturedLogger logger_;
};

TEST_F(StartupTest, AFailureSaysWhatAndWhy) {
    EXPECT_EQ(startup_fail(logger_.get(), "do it", -EACCES), EXIT_CODE_START_FAILURE);
    EXPECT_EQ(logger_.Count(" error cannot do it: Permission denied\n"), 1u) << logger_.Text();
}

TEST_F(StartupTest, APreparedProcessHasADescriptorForSignals) {
    const int signal_fd = startup_prepare_process(logger_.get());
    ASSERT_GE(signal_fd, 0);
    EXPECT_EQ(fcntl(signal_fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(os_close(signal_fd), 0);
    EXPECT_EQ(logger_.Text(), "");
}

TEST_F(StartupTest, AFailedPreparationSaysWhyAndLeavesNothingOpen) {
    const std::map<std::string, std::string> faults = {
        {"open_standard_streams:1:EMFILE", "cannot open /dev/null: Too many open files\n"},
        {"enter_working_directory:1:ENOENT",
         "cannot go to BUILD_WORKING_DIRECTORY: No such file or directory\n"},
    };
    const int lowest_fd = dup(STDIN_FILENO);
    ASSERT_EQ(os_close(lowest_fd), 0);
    for (const auto &[plan, message] : faults) {
        ASSERT_TRUE(os_faulty_plan(plan.c_str()));
        EXPECT_LT(startup_prepare_process(logger_.get()), 0) << plan;
        EXPECT_EQ(logger_.Count(message), 1u) << logger_.Text();
        const int fd = dup(STDIN_FILENO);
        EXPECT_EQ(fd, lowest_fd) << plan;
        os_close(fd);
    }
}

TEST_F(StartupTest, WarnsOfTooFewDescriptors) {
    startup_allow_clients(5, 32, logger_.get());
    EXPECT_EQ(logger_.Text(), "");
    ASSERT_TRUE(os_faulty_plan("allow_descriptors:1:EMFILE"));
    startup_allow_clients(5, 32, logger_.get());
    EXPECT_EQ(logger_.Count(" warning the limit of open descriptors (ulimit -n) is too low to "
                            "serve 5 clients\n"),
              1u)
        << logger_.Text();
}

} // namespace
