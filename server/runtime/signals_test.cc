#include "server/runtime/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "server/runtime/os.h"
#include "testing/files.h"
#include "gtest/gtest.h"

namespace {

// Runs the steps in a process of their own, because signal settings are the whole process's. Each
// step is named by its number: the first one that fails is the exit code; 0 is success.
int RunInChild(const std::function<int()> &steps) {
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(steps());
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool IsReadable(int fd) {
    pollfd polled{fd, POLLIN, 0};
    return poll(&polled, 1, 0) == 1;
}

class ShutdownSignalTest : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Signals, ShutdownSignalTest, testing::Values(SIGTERM, SIGINT, SIGHUP));

TEST_P(ShutdownSignalTest, BecomesAnEvent) {
    EXPECT_EQ(RunInChild([] {
                  signal(GetParam(), SIG_DFL);
                  const int fd = signals_open();
                  if (fd < 0 || IsReadable(fd) || signals_next(fd) != 0) {
                      return 1;
                  }
                  kill(getpid(), GetParam());
                  if (!IsReadable(fd) || signals_next(fd) != GetParam()) {
                      return 2;
                  }
                  return signals_next(fd) == 0 && !IsReadable(fd) ? 0 : 3;
              }),
              0);
}

// The signal that arrives although the parent had set it to be ignored, or 0.
int SignalDespiteIgnorance(int signal_number) {
    return RunInChild([signal_number] {
        signal(signal_number, SIG_IGN);
        const int fd = signals_open();
        kill(getpid(), signal_number);
        return signals_next(fd);
    });
}

TEST(SignalsTest, NohupIsRespected) {
    EXPECT_EQ(SignalDespiteIgnorance(SIGHUP), 0);
}

TEST(SignalsTest, AScriptsBackgroundProcessCanBeStopped) {
    EXPECT_EQ(SignalDespiteIgnorance(SIGINT), SIGINT);
    EXPECT_EQ(SignalDespiteIgnorance(SIGTERM), SIGTERM);
}

TEST(SignalsTest, SeveralAreHandedOutOneByOne) {
    EXPECT_EQ(RunInChild([] {
                  const int fd = signals_open();
                  kill(getpid(), SIGTERM);
                  kill(getpid(), SIGINT);
                  const int first = signals_next(fd);
                  const int second = signals_next(fd);
                  return first != second && first != 0 && second != 0 && signals_next(fd) == 0;
              }),
              1);
}

TEST(SignalsTest, ASignalThatCannotBeReadIsAnError) {
    EXPECT_EQ(signals_next(-1), -EBADF);
}

TEST(SignalsTest, ABrokenPipeIsAnError) {
    EXPECT_EQ(RunInChild([] {
                  int ends[2];
                  if (signals_open() < 0 || pipe(ends) != 0) {
                      return 1;
                  }
                  close(ends[0]);
                  return os_write(ends[1], "x", 1) == -EPIPE ? 0 : 2;
              }),
              0);
}

TEST(SignalsTest, AFileThatIsTooLongIsAnError) {
    harness::TemporaryDirectory directory;
    EXPECT_EQ(RunInChild([&] {
                  const rlimit limit{4, 4};
                  const int fd = os_open(directory.File("file").c_str(), O_RDWR | O_CREAT, 0644);
                  if (signals_open() < 0 || fd < 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
                      return 1;
                  }
                  if (os_write(fd, "12345", 5) != 4) {
                      return 2;
                  }
                  return os_write(fd, "5", 1) == -EFBIG ? 0 : 3;
              }),
              0);
}

} // namespace
