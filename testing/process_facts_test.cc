#include "testing/process_facts.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "testing/patience.h"
#include "testing/process.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

TEST(ProcessFactsTest, MemoryGrowsWithUse) {
    constexpr size_t kGrowthKib = 32 * 1024;
    const ResidentMemory before = ReadResidentMemory(getpid());
    const std::string block(kGrowthKib * 1024, 'x');
    const ResidentMemory after = ReadResidentMemory(getpid());
    EXPECT_GE(after.current_kib, before.current_kib + kGrowthKib / 2) << block.size();
    EXPECT_GE(after.highest_kib, after.current_kib);
}

TEST(ProcessFactsTest, DescriptorsAreThoseThatAreOpen) {
    ProcessOptions options;
    options.arguments = {"/bin/sh", "-c", "exec 7</dev/null; echo ready; kill -STOP $$"};
    Process process(options);
    EXPECT_TRUE(process.WaitForOutput(HasLineWith("ready")));
    EXPECT_EQ(ReadDescriptors(process.pid()), (std::set<int>{0, 1, 2, 7}));
}

TEST(ProcessFactsTest, ProcessorTimeGoesOnWithWork) {
    const std::chrono::nanoseconds before = ReadProcessorTime(getpid());
    EXPECT_TRUE(Await([before] {
        for (volatile int step = 0; step < 1000000; step = step + 1) {
        }
        return ReadProcessorTime(getpid()) > before;
    }));
}

TEST(ProcessFactsTest, ThreadsAreToldApartByTheirNames) {
    std::thread([] {
        pthread_setname_np(pthread_self(), "a (busy) one");
        EXPECT_TRUE(Await([] {
            for (volatile int step = 0; step < 1000000; step = step + 1) {
            }
            for (const ThreadTime &thread : ReadThreadTimes(getpid())) {
                if (thread.name == "a (busy) one" && thread.user_seconds > 0) {
                    return !thread.is_main;
                }
            }
            return false;
        }));
    }).join();
    const std::vector<ThreadTime> threads = ReadThreadTimes(getpid());
    EXPECT_EQ(std::count_if(threads.begin(), threads.end(),
                            [](const ThreadTime &thread) { return thread.is_main; }),
              1);
}

TEST(ProcessFactsTest, StateShowsAStoppedProcess) {
    ProcessOptions options;
    options.arguments = {"/bin/sh", "-c", "exec sleep 1000"};
    Process process(options);
    EXPECT_TRUE(Await([&] { return ReadState(process.pid()) == 'S'; }));
    process.Signal(SIGSTOP);
    EXPECT_TRUE(Await([&] { return ReadState(process.pid()) == 'T'; }));
}

TEST(ProcessFactsTest, ChildrenAreThoseNotWaitedFor) {
    const pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    EXPECT_TRUE(Await([&] { return ReadState(child) == 'Z'; }));
    EXPECT_EQ(ReadChildren(getpid()), std::set<pid_t>{child});
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
    EXPECT_EQ(ReadChildren(getpid()), std::set<pid_t>{});
}

TEST(ProcessFactsTest, ListeningPortIsThatOfItsOwnListener) {
    EXPECT_EQ(ReadListeningPort(getpid()), 0);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), size), 0);
    EXPECT_EQ(ReadListeningPort(getpid()), 0) << "it does not listen yet";
    ASSERT_EQ(listen(listener, 1), 0);
    ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr *>(&address), &size), 0);
    EXPECT_EQ(ReadListeningPort(getpid()), ntohs(address.sin_port));
    EXPECT_EQ(ReadListeningPort(getppid()), 0);
    close(listener);
}

TEST(ProcessFactsTest, ThrowsWhenTheProcessIsGone) {
    // Linux gives no process an id above 2^22.
    const pid_t nobody = 1 << 23;
    EXPECT_THROW(ReadProcessorTime(nobody), std::runtime_error);
    EXPECT_THROW(ReadState(nobody), std::runtime_error);
    EXPECT_THROW(ReadResidentMemory(nobody), std::runtime_error);
    EXPECT_THROW(ReadChildren(nobody), std::runtime_error);
}

} // namespace
} // namespace harness
