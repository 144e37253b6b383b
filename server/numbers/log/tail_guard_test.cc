#include "server/numbers/log/tail_guard.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <set>
#include <string>

#include "server/runtime/os.h"
#include "server/runtime/signals.h"
#include "testing/files.h"
#include "testing/patience.h"
#include "testing/process_facts.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace {

constexpr int kLineSize = 10;
constexpr char kTorn[] = "000000001\n000000002\n0000";
constexpr char kWhole[] = "000000001\n000000002\n";

class TailGuardTest : public testing::Test {
  protected:
    TailGuardTest() : path_(directory_.File("numbers.log")) {
        harness::WriteFile(path_, "");
    }

    // Runs a process that holds the log's lock, and then dies by SIGKILL or exits by itself.
    // Returns when nobody holds the lock any more: the guard is done then.
    void RunServer(const std::function<void(int fd)> &steps) {
        const pid_t pid = fork();
        if (pid == 0) {
            const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
            if (flock(fd, LOCK_EX) != 0) {
                _exit(1);
            }
            steps(fd);
            kill(getpid(), SIGKILL);
        }
        int status = 0;
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        EXPECT_TRUE(harness::Await([&] { return flock(fd, LOCK_EX | LOCK_NB) == 0; }));
        close(fd);
    }

    static void WriteAll(int fd, const std::string &bytes) {
        if (os_write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
            _exit(1);
        }
    }

    harness::TemporaryDirectory directory_;
    std::string path_;
};

TEST_F(TailGuardTest, CutsATornLineWhenTheServerIsKilled) {
    RunServer([](int fd) {
        tail_guard guard{};
        if (tail_guard_start(&guard, fd, kLineSize) != 0 || tail_guard_arm(&guard) != 0) {
            _exit(1);
        }
        WriteAll(fd, kTorn);
    });
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
}

TEST_F(TailGuardTest, LeavesWholeLinesAlone) {
    RunServer([](int fd) {
        tail_guard guard{};
        if (tail_guard_start(&guard, fd, kLineSize) != 0 || tail_guard_arm(&guard) != 0) {
            _exit(1);
        }
        WriteAll(fd, kWhole);
    });
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
}

TEST_F(TailGuardTest, UnarmedItTouchesNothing) {
    RunServer([](int fd) {
        tail_guard guard{};
        if (tail_guard_start(&guard, fd, kLineSize) != 0) {
            _exit(1);
        }
        WriteAll(fd, kTorn);
    });
    EXPECT_EQ(harness::ReadFile(path_), kTorn);
}

TEST_F(TailGuardTest, WorksWhateverTheDescriptorsAreNumbered) {
    for (const int log_fd : {0, 1, 2, 3, 4, 5, 6, 100}) {
        RunServer([log_fd](int fd) {
            tail_guard guard{};
            if (dup2(fd, log_fd) != log_fd || tail_guard_start(&guard, log_fd, kLineSize) != 0 ||
                tail_guard_arm(&guard) != 0) {
                _exit(1);
            }
            WriteAll(log_fd, kTorn);
        });
        EXPECT_EQ(harness::ReadFile(path_), kWhole) << "log at " << log_fd;
        harness::WriteFile(path_, "");
    }
}

TEST_F(TailGuardTest, SignalsToTheWholeGroupDoNotEndIt) {
    RunServer([](int fd) {
        tail_guard guard{};
        if (signals_open() < 0 || tail_guard_start(&guard, fd, kLineSize) != 0 ||
            tail_guard_arm(&guard) != 0) {
            _exit(1);
        }
        kill(guard.pid, SIGINT);
        kill(guard.pid, SIGTERM);
        kill(guard.pid, SIGHUP);
        WriteAll(fd, kTorn);
    });
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
}

TEST_F(TailGuardTest, HoldsNothingButItsOwnDescriptors) {
    if (harness::kIsUnderValgrind) {
        GTEST_SKIP() << "valgrind has descriptors of its own in every process";
    }
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd, kLineSize), 0);
    const std::set<int> own = {0, 1, 2, 3, 4};
    EXPECT_TRUE(harness::Await([&] { return harness::ReadDescriptors(guard.pid) == own; }));
    tail_guard_finish(&guard);
    EXPECT_EQ(kill(guard.pid, 0), -1) << "it is gone, and waited for";
    close(fd);
}

TEST_F(TailGuardTest, AStoppedOneDoesNotHoldTheEndUp) {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd, kLineSize), 0);
    ASSERT_EQ(kill(guard.pid, SIGSTOP), 0);
    ASSERT_TRUE(harness::Await([&] { return harness::ReadState(guard.pid) == 'T'; }));
    tail_guard_finish(&guard); // returns
    EXPECT_EQ(kill(guard.pid, 0), -1);
    close(fd);
}

TEST_F(TailGuardTest, AKilledOneIsWaitedForByItsOwnPid) {
    signal(SIGCHLD, SIG_IGN); // as a parent process may have left it
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd, kLineSize), 0);
    pollfd polled{guard.pipe_fd, POLLERR, 0};
    EXPECT_EQ(poll(&polled, 1, 0), 0);
    ASSERT_EQ(kill(guard.pid, SIGKILL), 0);
    EXPECT_EQ(poll(&polled, 1, static_cast<int>(harness::kPatience.count())), 1);
    EXPECT_EQ(polled.revents, POLLERR);
    EXPECT_TRUE(harness::Await([&] { return harness::ReadState(guard.pid) == 'Z'; }));
    tail_guard_finish(&guard); // returns
    EXPECT_EQ(kill(guard.pid, 0), -1);
    close(fd);
}

TEST_F(TailGuardTest, AGuardThatLacksDescriptorsIsNotArmedAndSaysWhy) {
    signal(SIGPIPE, SIG_IGN); // as in the server
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit low{static_cast<rlim_t>(fd) + 3, limit.rlim_max}; // the pipe, and no more
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    tail_guard guard{};
    const int error = tail_guard_start(&guard, fd, kLineSize);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ASSERT_EQ(error, 0);
    pollfd polled{guard.pipe_fd, POLLERR, 0};
    ASSERT_EQ(poll(&polled, 1, static_cast<int>(harness::kPatience.count())), 1);
    EXPECT_EQ(tail_guard_arm(&guard), -EMFILE);
    tail_guard_finish(&guard);
    close(fd);
}

TEST_F(TailGuardTest, AnOrderlyEndCutsTooWhatCouldNotBeCutBefore) {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd, kLineSize), 0);
    ASSERT_EQ(tail_guard_arm(&guard), 0);
    WriteAll(fd, kTorn);
    tail_guard_finish(&guard);
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
    close(fd);
}

} // namespace
