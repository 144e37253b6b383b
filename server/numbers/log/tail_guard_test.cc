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
#include "server/runtime/os_faulty.h"
#include "server/runtime/signals.h"
#include "testing/files.h"
#include "testing/patience.h"
#include "testing/process_facts.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace {

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

    // In that process.
    static tail_guard StartGuard(int fd) {
        tail_guard guard{};
        if (tail_guard_start(&guard, fd) != 0) {
            _exit(1);
        }
        return guard;
    }
    static tail_guard StartArmed(int fd) {
        tail_guard guard = StartGuard(fd);
        tail_guard_arm(&guard);
        return guard;
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
        StartArmed(fd);
        WriteAll(fd, kTorn);
    });
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
}

TEST_F(TailGuardTest, LeavesWholeLinesAlone) {
    RunServer([](int fd) {
        StartArmed(fd);
        WriteAll(fd, kWhole);
    });
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
}

TEST_F(TailGuardTest, UnarmedItTouchesNothing) {
    RunServer([](int fd) {
        StartGuard(fd);
        WriteAll(fd, kTorn);
    });
    EXPECT_EQ(harness::ReadFile(path_), kTorn);
}

TEST_F(TailGuardTest, WorksWhateverTheDescriptorsAreNumbered) {
    for (const int log_fd : {0, 1, 2, 3, 4, 5, 6, 100}) {
        RunServer([log_fd](int fd) {
            tail_guard guard{};
            if (dup2(fd, log_fd) != log_fd || tail_guard_start(&guard, log_fd) != 0) {
                _exit(1);
            }
            tail_guard_arm(&guard);
            WriteAll(log_fd, kTorn);
        });
        EXPECT_EQ(harness::ReadFile(path_), kWhole) << "log at " << log_fd;
        harness::WriteFile(path_, "");
    }
}

TEST_F(TailGuardTest, SignalsToTheWholeGroupDoNotEndIt) {
    RunServer([](int fd) {
        tail_guard guard{};
        if (signals_open() < 0 || tail_guard_start(&guard, fd) != 0) {
            _exit(1);
        }
        tail_guard_arm(&guard);
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
    ASSERT_EQ(tail_guard_start(&guard, fd), 0);
    const std::set<int> own = {0, 1, 2, 3, 4};
    EXPECT_TRUE(harness::Await([&] { return harness::ReadDescriptors(guard.pid) == own; }));
    EXPECT_TRUE(tail_guard_finish(&guard));
    EXPECT_EQ(kill(guard.pid, 0), -1) << "it is gone, and waited for";
    close(fd);
}

TEST_F(TailGuardTest, AStoppedOneDoesNotHoldTheEndUp) {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd), 0);
    ASSERT_EQ(kill(guard.pid, SIGSTOP), 0);
    ASSERT_TRUE(harness::Await([&] { return harness::ReadState(guard.pid) == 'T'; }));
    EXPECT_TRUE(tail_guard_finish(&guard));
    EXPECT_EQ(kill(guard.pid, 0), -1);
    close(fd);
}

TEST_F(TailGuardTest, AKilledOneIsWaitedForByItsOwnPid) {
    signal(SIGCHLD, SIG_IGN); // as a parent process may have left it
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd), 0);
    pollfd polled{guard.socket_fd, POLLERR, 0};
    EXPECT_EQ(poll(&polled, 1, 0), 0);
    ASSERT_EQ(kill(guard.pid, SIGKILL), 0);
    EXPECT_EQ(poll(&polled, 1, static_cast<int>(harness::kPatience.count())), 1);
    EXPECT_NE(polled.revents & POLLHUP, 0);
    EXPECT_TRUE(harness::Await([&] { return harness::ReadState(guard.pid) == 'Z'; }));
    EXPECT_TRUE(tail_guard_finish(&guard));
    EXPECT_EQ(kill(guard.pid, 0), -1);
    close(fd);
}

TEST_F(TailGuardTest, AGuardThatLacksDescriptorsIsAFailedStartThatSaysWhy) {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlimit low{static_cast<rlim_t>(fd) + 3, limit.rlim_max}; // the socket, and no more
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    tail_guard guard{};
    const int error = tail_guard_start(&guard, fd);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(error, -EMFILE);
    EXPECT_EQ(kill(guard.pid, 0), -1) << "it is gone, and waited for";
    close(fd);
}

// The newline decides: what somebody else has added or taken away costs no whole line.
TEST_F(TailGuardTest, CutsBehindTheLastNewlineWhateverTheSizeIs) {
    for (const std::string before : {"x", "00\n", "12345\n", "\n"}) {
        harness::WriteFile(path_, before);
        RunServer([](int fd) {
            StartArmed(fd);
            lseek(fd, 0, SEEK_END);
            WriteAll(fd, kTorn);
        });
        EXPECT_EQ(harness::ReadFile(path_), before + kWhole);
    }
}

TEST_F(TailGuardTest, WaitsForRoomWhereTheCutTakesSome) {
    ASSERT_TRUE(os_faulty_plan("ftruncate:1:ENOSPC:3,ftruncate:4:EDQUOT"));
    RunServer([](int fd) {
        StartArmed(fd);
        WriteAll(fd, kTorn);
    });
    os_faulty_plan("");
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
}

TEST_F(TailGuardTest, OneThatWaitsForRoomDoesNotHoldTheEndUp) {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_TRUE(os_faulty_plan("ftruncate:*:ENOSPC"));
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd), 0);
    tail_guard_arm(&guard);
    WriteAll(fd, kTorn);
    EXPECT_FALSE(tail_guard_finish(&guard));
    os_faulty_plan("");
    EXPECT_EQ(kill(guard.pid, SIGKILL), 0);
    EXPECT_EQ(waitpid(guard.pid, nullptr, 0), guard.pid);
    close(fd);
}

// At which moment of the opening anew the server is killed makes no difference.
TEST_F(TailGuardTest, FollowsToTheNewFile) {
    for (const bool lets_go : {false, true}) {
        const std::string new_path = directory_.File("new.log");
        harness::WriteFile(path_, "");
        harness::WriteFile(new_path, "");
        RunServer([&](int fd) {
            const int new_fd = open(new_path.c_str(), O_RDWR | O_CLOEXEC);
            tail_guard guard = StartArmed(fd);
            if (tail_guard_follow(&guard, new_fd) != 0) {
                _exit(1);
            }
            if (lets_go) {
                tail_guard_let_go(&guard);
            }
            WriteAll(fd, kTorn);
            WriteAll(new_fd, kTorn);
        });
        // Its lock is on the old file, which it may have let go before it was done with the new.
        EXPECT_TRUE(harness::Await([&] { return harness::ReadFile(new_path) == kWhole; }));
        EXPECT_EQ(harness::ReadFile(path_), lets_go ? kTorn : kWhole);
    }
}

TEST_F(TailGuardTest, AnOrderlyEndCutsTooWhatCouldNotBeCutBefore) {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    tail_guard guard{};
    ASSERT_EQ(tail_guard_start(&guard, fd), 0);
    tail_guard_arm(&guard);
    WriteAll(fd, kTorn);
    EXPECT_TRUE(tail_guard_finish(&guard));
    EXPECT_EQ(harness::ReadFile(path_), kWhole);
    close(fd);
}

} // namespace
