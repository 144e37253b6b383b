#include "server/runtime/epoll_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <vector>

#include "server/runtime/os_faulty.h"

namespace {

constexpr size_t kCapacity = 4;

// One end is watched, the other belongs to the test.
struct Pair {
    Pair() {
        std::array<int, 2> ends;
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()),
                  0);
        watched = ends[0];
        other = ends[1];
    }
    ~Pair() {
        close(watched);
        close(other);
    }
    void Talk() const {
        EXPECT_EQ(write(other, "x", 1), 1);
    }
    int watched;
    int other;
};

// What a watch does when it fires.
struct Watch {
    std::function<void()> action = [] {};
    int fired_count = 0;
    short events = 0;
    int index = -1;
};

void Fire(void *context, short events) {
    Watch *watch = static_cast<Watch *>(context);
    watch->fired_count++;
    watch->events = events;
    watch->action();
}

class EpollLoopTest : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_TRUE(os_faulty_plan(""));
        ASSERT_EQ(epoll_loop_init(&loop_, kCapacity), 0);
    }
    void TearDown() override {
        os_faulty_plan("");
        epoll_loop_destroy(&loop_);
    }
    void Add(Watch *watch, const Pair &pair, short events) {
        watch->index = epoll_loop_add(&loop_, pair.watched, events, Fire, watch);
        ASSERT_GE(watch->index, 0);
    }

    epoll_loop loop_;
};

TEST_F(EpollLoopTest, CallsTheHandlerOfWhatHappened) {
    Pair first_pair;
    Pair second_pair;
    Watch first;
    Watch second;
    Add(&first, first_pair, POLLIN);
    Add(&second, second_pair, POLLIN);
    EXPECT_EQ(epoll_loop_run_once(&loop_, 0), 0);
    second_pair.Talk();
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1);
    EXPECT_EQ(first.fired_count, 0);
    EXPECT_EQ(second.fired_count, 1);
    EXPECT_EQ(second.events, POLLIN);
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1) << "it was not read";
}

TEST_F(EpollLoopTest, WatchesForWhatItIsTold) {
    Pair pair;
    Watch watch;
    Add(&watch, pair, POLLIN);
    EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, POLLIN | POLLOUT), 0);
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1);
    EXPECT_EQ(watch.events, POLLOUT);
    EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, POLLIN), 0);
    EXPECT_EQ(epoll_loop_run_once(&loop_, 0), 0);
}

// Even a hang-up, which epoll reports unasked.
TEST_F(EpollLoopTest, IsSilentAboutAPausedWatch) {
    Pair pair;
    Watch watch;
    Add(&watch, pair, 0);
    pair.Talk();
    shutdown(pair.other, SHUT_RDWR);
    EXPECT_EQ(epoll_loop_run_once(&loop_, 0), 0);
    EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, POLLIN), 0);
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1);
    EXPECT_EQ(watch.events & (POLLIN | POLLHUP), POLLIN | POLLHUP);
    EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, 0), 0);
    EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, 0), 0);
    EXPECT_EQ(epoll_loop_run_once(&loop_, 0), 0);
}

TEST_F(EpollLoopTest, CallsTheSystemForAChangeOnly) {
    Pair pair;
    Watch watch;
    Add(&watch, pair, POLLIN);
    EXPECT_EQ(os_faulty_call_count("epoll_control"), 1u);
    for (const int events : {POLLIN, POLLIN | POLLOUT, POLLIN | POLLOUT, 0, 0, POLLIN}) {
        EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, static_cast<short>(events)), 0);
    }
    EXPECT_EQ(os_faulty_call_count("epoll_control"), 4u);
    epoll_loop_remove(&loop_, watch.index);
    EXPECT_EQ(os_faulty_call_count("epoll_control"), 5u);
}

TEST_F(EpollLoopTest, HoldsItsCapacity) {
    std::array<Pair, kCapacity + 1> pairs;
    std::array<Watch, kCapacity> watches;
    for (size_t i = 0; i < kCapacity; i++) {
        Add(&watches[i], pairs[i], POLLIN);
    }
    EXPECT_EQ(epoll_loop_add(&loop_, pairs[kCapacity].watched, POLLIN, Fire, nullptr), -ENOSPC);
    epoll_loop_remove(&loop_, watches[2].index);
    Add(&watches[2], pairs[kCapacity], POLLIN);
    pairs[kCapacity].Talk();
    pairs[2].Talk();
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1);
    EXPECT_EQ(watches[2].fired_count, 1);
}

TEST_F(EpollLoopTest, ReportsADescriptorThatCannotBeWatched) {
    EXPECT_EQ(epoll_loop_add(&loop_, -1, POLLIN, Fire, nullptr), -EBADF);
    std::array<Pair, kCapacity> pairs;
    std::array<Watch, kCapacity> watches;
    for (size_t i = 0; i < kCapacity; i++) {
        Add(&watches[i], pairs[i], POLLIN);
    }
}

// The system has no room for one more watch: the place is free again.
TEST_F(EpollLoopTest, AFailedAddTakesNoPlace) {
    std::array<Pair, kCapacity> pairs;
    std::array<Watch, kCapacity> watches;
    ASSERT_TRUE(os_faulty_plan("epoll_control:1:ENOMEM"));
    EXPECT_EQ(epoll_loop_add(&loop_, pairs[0].watched, POLLIN, Fire, nullptr), -ENOMEM);
    for (size_t i = 0; i < kCapacity; i++) {
        Add(&watches[i], pairs[i], POLLIN);
    }
}

TEST_F(EpollLoopTest, AFailedChangeLeavesAPausedWatchPaused) {
    Pair pair;
    Watch watch;
    Add(&watch, pair, 0);
    pair.Talk();
    ASSERT_TRUE(os_faulty_plan("epoll_control:1:ENOSPC"));
    EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, POLLIN), -ENOSPC);
    EXPECT_EQ(epoll_loop_run_once(&loop_, 0), 0);
    EXPECT_EQ(epoll_loop_set_events(&loop_, watch.index, POLLIN), 0);
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1);
}

TEST_F(EpollLoopTest, ReportsAFailedWait) {
    Pair pair;
    Watch watch;
    Add(&watch, pair, POLLIN);
    pair.Talk();
    ASSERT_TRUE(os_faulty_plan("epoll_wait:1:EINVAL"));
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), -EINVAL);
    EXPECT_EQ(watch.fired_count, 0);
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1);
}

TEST(EpollLoop, AFailedStartLeavesNothingToDestroy) {
    epoll_loop loop{};
    ASSERT_TRUE(os_faulty_plan("epoll_create:1:EMFILE"));
    EXPECT_EQ(epoll_loop_init(&loop, kCapacity), -EMFILE);
    epoll_loop_destroy(&loop);
    EXPECT_EQ(os_faulty_call_count("close"), 0u);
}

// Two watches fire in one round; each one's handler removes the other: only one of them may run.
TEST_F(EpollLoopTest, DropsTheEventsOfARemovedWatch) {
    Pair pairs[2];
    Watch watches[2];
    for (int i = 0; i < 2; i++) {
        Add(&watches[i], pairs[i], POLLIN);
        watches[i].action = [this, &watches, i] {
            epoll_loop_remove(&loop_, watches[1 - i].index);
        };
        pairs[i].Talk();
    }
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 2);
    EXPECT_EQ(watches[0].fired_count + watches[1].fired_count, 1);
}

// The same, and the place is taken by a new watch meanwhile: the late event is not for that one.
TEST_F(EpollLoopTest, DoesNotMistakeANewWatchForTheRemovedOne) {
    Pair pairs[2];
    Pair new_pair;
    Watch watches[2];
    Watch newcomer;
    for (int i = 0; i < 2; i++) {
        Add(&watches[i], pairs[i], POLLIN);
        watches[i].action = [this, &watches, &newcomer, &new_pair, i] {
            epoll_loop_remove(&loop_, watches[1 - i].index);
            Add(&newcomer, new_pair, POLLIN);
            EXPECT_EQ(newcomer.index, watches[1 - i].index);
        };
        pairs[i].Talk();
    }
    EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 2);
    EXPECT_EQ(watches[0].fired_count + watches[1].fired_count, 1);
    EXPECT_EQ(newcomer.fired_count, 0);
}

TEST_F(EpollLoopTest, WatchesInputsAndLeavesOutWhatThereIsNot) {
    Pair pairs[2];
    Watch watches[2];
    const epoll_input inputs[] = {{pairs[0].watched, Fire, &watches[0]},
                                  {-1, Fire, &watches[0]},
                                  {pairs[1].watched, Fire, &watches[1]}};
    ASSERT_EQ(epoll_loop_add_inputs(&loop_, inputs, 3), 0);
    for (int i = 0; i < 2; i++) {
        pairs[i].Talk();
        EXPECT_EQ(epoll_loop_run_once(&loop_, -1), 1);
        EXPECT_EQ(watches[i].fired_count, 1);
        EXPECT_EQ(watches[i].events, POLLIN);
        char byte;
        EXPECT_EQ(read(pairs[i].watched, &byte, 1), 1);
    }
}

TEST_F(EpollLoopTest, InputThatCannotBeWatchedIsAnError) {
    const epoll_input inputs[] = {{1000000, nullptr, nullptr}, {-1, nullptr, nullptr}};
    EXPECT_EQ(epoll_loop_add_inputs(&loop_, inputs, 2), -EBADF);
}

} // namespace
