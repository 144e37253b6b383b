#include "server/runtime/inherited_sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "server/runtime/captured_logger.h"
#include "server/runtime/os.h"
#include "gtest/gtest.h"

namespace {

constexpr pid_t kProcess = 42;

// The descriptors found, or {-error}.
std::vector<int> Find(const char *process, const char *count, const char *names,
                      const char *name = nullptr) {
    const inherited_variables variables{process, count, names};
    int fds[INHERITED_COUNT_MAX];
    const int result = inherited_sockets_find(&variables, kProcess, name, fds);
    return result < 0 ? std::vector<int>{result} : std::vector<int>(fds, fds + result);
}

TEST(InheritedSocketsTest, FindsThoseOfThisProcess) {
    EXPECT_EQ(Find(nullptr, nullptr, nullptr), std::vector<int>{});
    EXPECT_EQ(Find("42", nullptr, nullptr), std::vector<int>{});
    EXPECT_EQ(Find(nullptr, "1", nullptr), std::vector<int>{});
    EXPECT_EQ(Find("43", "1", nullptr), std::vector<int>{});
    EXPECT_EQ(Find("42", "0", nullptr), std::vector<int>{});
    EXPECT_EQ(Find("42", "2", nullptr), (std::vector<int>{3, 4}));
    EXPECT_EQ(Find("42", "2", "a:b"), (std::vector<int>{3, 4}));
}

TEST(InheritedSocketsTest, FindsThoseOfAName) {
    EXPECT_EQ(Find("42", "3", "query:ingest:query", "query"), (std::vector<int>{3, 5}));
    EXPECT_EQ(Find("42", "3", "query:ingest:query", "ingest"), std::vector<int>{4});
    EXPECT_EQ(Find("42", "1", "queries", "query"), std::vector<int>{});
    EXPECT_EQ(Find("42", "1", "quer", "query"), std::vector<int>{});
    EXPECT_EQ(Find("42", "2", ":query", "query"), std::vector<int>{4});
}

TEST(InheritedSocketsTest, TakesNothingThatMakesNoSense) {
    const std::vector<int> nonsense{-EINVAL};
    for (const char *process : {"", "x", "42 ", "-42", "99999999999"}) {
        EXPECT_EQ(Find(process, "1", nullptr), nonsense) << process;
    }
    for (const char *count : {"", "x", "-1", "65", "1.0", "18446744073709551617"}) {
        EXPECT_EQ(Find("42", count, nullptr), nonsense) << count;
    }
    EXPECT_EQ(Find("42", "2", "one"), nonsense);
    EXPECT_EQ(Find("42", "1", "one:two"), nonsense);
    EXPECT_EQ(Find("42", "1", nullptr, "query"), nonsense);
}

// What a child that was given `fd` as its one socket makes of it: the count of sockets it listens
// at, or 100 and one error line.
int ListenAs(int fd) {
    const pid_t child = fork();
    if (child == 0) {
        CapturedLogger logger;
        listener listener{};
        dup2(fd, INHERITED_FIRST_FD);
        setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
        setenv("LISTEN_FDS", "1", 1);
        const int count = inherited_sockets_listen(&listener, nullptr, logger.get());
        if (count < 0) {
            _exit(100 + static_cast<int>(logger.Count("cannot use the sockets")));
        }
        const bool is_copy = listener.fds[0] != INHERITED_FIRST_FD;
        const bool is_ready = (fcntl(listener.fds[0], F_GETFL) & O_NONBLOCK) != 0 &&
                              (fcntl(INHERITED_FIRST_FD, F_GETFD) & FD_CLOEXEC) != 0 &&
                              (fcntl(listener.fds[0], F_GETFD) & FD_CLOEXEC) != 0;
        _exit(is_copy && is_ready ? count : 99);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(InheritedSocketsTest, ListensAtSocketsThatListen) {
    const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(ListenAs(socket_fd), 101) << "it does not listen yet";
    ASSERT_EQ(listen(socket_fd, 1), 0);
    EXPECT_EQ(ListenAs(socket_fd), 1);
    close(socket_fd);
    const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(ListenAs(file), 101) << "no socket";
    close(file);
    const int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr autobind{AF_UNIX, {}};
    ASSERT_EQ(bind(local, &autobind, sizeof(sa_family_t)), 0);
    ASSERT_EQ(listen(local, 1), 0);
    EXPECT_EQ(ListenAs(local), 101) << "not of the Internet";
    close(local);
}

} // namespace
