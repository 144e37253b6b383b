#include "server/runtime/poll_loop.h"

#include <unistd.h>

#include <cerrno>
#include <functional>
#include <initializer_list>
#include <vector>

#include "server/runtime/os.h"
#include "server/runtime/os_faulty.h"
#include "gtest/gtest.h"

namespace {

// A watched eventfd that is readable after Fire() and stays so until Calm().
class Source {
  public:
    explicit Source(std::function<void(Source *)> action = nullptr)
        : fd_(os_eventfd()), action_(std::move(action)) {}
    ~Source() {
        os_close(fd_);
    }
    Source(const Source &) = delete;
    Source &operator=(const Source &) = delete;

    int Watch(poll_loop *loop, short events = POLLIN) {
        watch_index_ = poll_loop_add(loop, fd_, events, OnEvents, this);
        return watch_index_;
    }
    void Fire() {
        const uint64_t one = 1;
        EXPECT_EQ(os_write(fd_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    }
    void Calm() {
        uint64_t count = 0;
        EXPECT_EQ(os_read(fd_, &count, sizeof count), static_cast<ssize_t>(sizeof count));
    }
    int watch_index() const {
        return watch_index_;
    }
    int fd() const {
        return fd_;
    }

    int fired_count = 0;
    short last_events = 0;

  private:
    static void OnEvents(void *context, short events) {
        auto *source = static_cast<Source *>(context);
        ++source->fired_count;
        source->last_events = events;
        if (source->action_) {
            source->action_(source);
        }
    }

    int fd_;
    int watch_index_ = -1;
    std::function<void(Source *)> action_;
};

class PollLoopTest : public testing::Test {
  protected:
    PollLoopTest() {
        os_faulty_plan("");
        EXPECT_EQ(poll_loop_init(&loop_, 3), 0);
    }
    ~PollLoopTest() override {
        os_faulty_plan("");
        poll_loop_destroy(&loop_);
    }

    void WatchFired(std::initializer_list<Source *> sources) {
        for (Source *source : sources) {
            source->Watch(&loop_);
            source->Fire();
        }
    }

    int RunOnce() {
        return poll_loop_run_once(&loop_, 0);
    }

    poll_loop loop_{};
};

TEST_F(PollLoopTest, CallsTheHandlersOfWhatFired) {
    Source calm, first, second;
    calm.Watch(&loop_);
    first.Watch(&loop_);
    second.Watch(&loop_);
    EXPECT_EQ(RunOnce(), 0);
    first.Fire();
    second.Fire();
    EXPECT_EQ(RunOnce(), 2);
    EXPECT_EQ(calm.fired_count, 0);
    EXPECT_EQ(first.fired_count, 1);
    EXPECT_EQ(first.last_events, POLLIN);
    EXPECT_EQ(second.fired_count, 1);
    first.Calm();
    EXPECT_EQ(RunOnce(), 1) << "what is still readable fires again";
    EXPECT_EQ(second.fired_count, 2);
}

TEST_F(PollLoopTest, ARefilledLoopHasNoRoomForMoreThanItsCapacity) {
    Source sources[3];
    Source extra;
    for (Source &source : sources) {
        EXPECT_GE(source.Watch(&loop_), 0);
    }
    EXPECT_EQ(extra.Watch(&loop_), -ENOSPC);
    poll_loop_remove(&loop_, sources[1].watch_index());
    EXPECT_EQ(extra.Watch(&loop_), sources[1].watch_index());
    EXPECT_EQ(sources[1].Watch(&loop_), -ENOSPC);
    extra.Fire();
    sources[1].Fire();
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(extra.fired_count, 1);
    EXPECT_EQ(sources[1].fired_count, 0);
}

TEST_F(PollLoopTest, AllCanBeRemovedAndAddedAgain) {
    for (int round = 0; round < 5; ++round) {
        Source sources[3];
        for (Source &source : sources) {
            EXPECT_GE(source.Watch(&loop_), 0);
            source.Fire();
        }
        EXPECT_EQ(RunOnce(), 3);
        for (const int index : {1, 2, 0}) {
            poll_loop_remove(&loop_, sources[index].watch_index());
        }
        EXPECT_EQ(RunOnce(), 0);
    }
}

TEST_F(PollLoopTest, APausedWatchDoesNotFire) {
    Source source;
    source.Watch(&loop_, 0);
    source.Fire();
    EXPECT_EQ(RunOnce(), 0);
    poll_loop_set_events(&loop_, source.watch_index(), POLLIN);
    EXPECT_EQ(RunOnce(), 1);
    poll_loop_set_events(&loop_, source.watch_index(), 0);
    poll_loop_set_events(&loop_, source.watch_index(), 0);
    EXPECT_EQ(RunOnce(), 0);
    poll_loop_set_events(&loop_, source.watch_index(), POLLIN);
    poll_loop_set_events(&loop_, source.watch_index(), POLLIN);
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(source.fired_count, 2);
}

TEST_F(PollLoopTest, AHangUpDoesNotFireAPausedWatch) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    int fired_count = 0;
    const int watch_index = poll_loop_add(
        &loop_, ends[0], 0, [](void *context, short) { ++*static_cast<int *>(context); },
        &fired_count);
    close(ends[1]);
    EXPECT_EQ(RunOnce(), 0);
    poll_loop_set_events(&loop_, watch_index, POLLIN);
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(fired_count, 1);
    close(ends[0]);
}

TEST_F(PollLoopTest, AWatchForErrorsAloneTellsThatAPipesReaderIsGone) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    short last_events = 0;
    poll_loop_add(
        &loop_, ends[1], POLLERR,
        [](void *context, short events) { *static_cast<short *>(context) = events; }, &last_events);
    EXPECT_EQ(RunOnce(), 0) << "that there is room in the pipe is nothing it asks for";
    close(ends[0]);
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(last_events, POLLERR);
    close(ends[1]);
}

TEST_F(PollLoopTest, DescriptorZeroCanBePaused) {
    Source source;
    const int saved_fd = dup(0);
    ASSERT_EQ(dup2(source.fd(), 0), 0);
    int fired_count = 0;
    const int watch_index = poll_loop_add(
        &loop_, 0, 0, [](void *context, short) { ++*static_cast<int *>(context); }, &fired_count);
    source.Fire();
    EXPECT_EQ(RunOnce(), 0);
    poll_loop_set_events(&loop_, watch_index, POLLIN);
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(fired_count, 1);
    dup2(saved_fd, 0);
    close(saved_fd);
}

TEST_F(PollLoopTest, AHandlerCanRemoveItself) {
    Source source([this](Source *self) { poll_loop_remove(&loop_, self->watch_index()); });
    source.Watch(&loop_);
    source.Fire();
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(RunOnce(), 0);
    EXPECT_EQ(source.fired_count, 1);
}

TEST_F(PollLoopTest, AnEventOfAWatchRemovedInTheSameRoundIsDropped) {
    Source second;
    Source first([&](Source *) { poll_loop_remove(&loop_, second.watch_index()); });
    WatchFired({&first, &second});
    EXPECT_EQ(RunOnce(), 2);
    EXPECT_EQ(first.fired_count, 1);
    EXPECT_EQ(second.fired_count, 0);
}

TEST_F(PollLoopTest, AnEventOfAWatchPausedInTheSameRoundIsDropped) {
    Source second;
    Source first([&](Source *) { poll_loop_set_events(&loop_, second.watch_index(), 0); });
    WatchFired({&first, &second});
    RunOnce();
    EXPECT_EQ(second.fired_count, 0);
}

TEST_F(PollLoopTest, AnOldEventDoesNotReachTheNewOwnerOfASlot) {
    Source newcomer;
    Source second;
    Source first([&](Source *) {
        poll_loop_remove(&loop_, second.watch_index());
        EXPECT_EQ(newcomer.Watch(&loop_), second.watch_index());
    });
    WatchFired({&first, &second});
    RunOnce();
    EXPECT_EQ(second.fired_count, 0);
    EXPECT_EQ(newcomer.fired_count, 0);
    first.Calm();
    newcomer.Fire();
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(newcomer.fired_count, 1);
}

TEST_F(PollLoopTest, AHandlerCanAddWatchesForTheNextRound) {
    Source newcomers[2];
    Source first([&](Source *self) {
        self->Calm();
        for (Source &newcomer : newcomers) {
            newcomer.Fire();
            EXPECT_GE(newcomer.Watch(&loop_), 0);
        }
    });
    first.Watch(&loop_);
    first.Fire();
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(newcomers[0].fired_count, 0);
    EXPECT_EQ(RunOnce(), 2);
    EXPECT_EQ(newcomers[0].fired_count, 1);
    EXPECT_EQ(newcomers[1].fired_count, 1);
}

TEST_F(PollLoopTest, ALaterHandlerCanRemoveAnEarlierWatch) {
    Source first;
    Source second([&](Source *) { poll_loop_remove(&loop_, first.watch_index()); });
    WatchFired({&first, &second});
    RunOnce();
    EXPECT_EQ(first.fired_count, 1);
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(first.fired_count, 1);
    EXPECT_EQ(second.fired_count, 2);
}

TEST_F(PollLoopTest, ARoundStartsBehindTheWatchItIsTold) {
    std::vector<int> order;
    const auto note = [&](Source *self) { order.push_back(self->watch_index()); };
    Source sources[3] = {Source(note), Source(note), Source(note)};
    for (Source &source : sources) {
        source.Watch(&loop_);
        source.Fire();
    }
    const std::vector<std::vector<int>> orders = {{1, 2, 0}, {2, 0, 1}, {0, 1, 2}};
    for (int last = 0; last < 3; ++last) {
        poll_loop_start_behind(&loop_, last);
        order.clear();
        EXPECT_EQ(RunOnce(), 3);
        EXPECT_EQ(order, orders[static_cast<size_t>(last)]);
    }
}

// Each handler pauses the others, so that only the first one of each round gets a turn.
TEST_F(PollLoopTest, WhoEverEndsARoundTheOthersGetTheirTurns) {
    std::vector<Source *> all;
    const auto stall = [&](Source *self) {
        for (Source *source : all) {
            poll_loop_set_events(&loop_, source->watch_index(), 0);
        }
        poll_loop_start_behind(&loop_, self->watch_index());
    };
    Source sources[3] = {Source(stall), Source(stall), Source(stall)};
    for (Source &source : sources) {
        all.push_back(&source);
        source.Watch(&loop_);
        source.Fire();
    }
    for (int round = 0; round < 30; ++round) {
        for (Source *source : all) {
            poll_loop_set_events(&loop_, source->watch_index(), POLLIN);
        }
        RunOnce();
    }
    for (const Source &source : sources) {
        EXPECT_EQ(source.fired_count, 10);
    }
}

TEST_F(PollLoopTest, AllCanBeRemovedWhereverARoundStarts) {
    Source sources[3];
    for (Source &source : sources) {
        source.Watch(&loop_);
        source.Fire();
    }
    poll_loop_start_behind(&loop_, 2);
    poll_loop_remove(&loop_, sources[2].watch_index());
    poll_loop_remove(&loop_, sources[1].watch_index());
    EXPECT_EQ(RunOnce(), 1);
    EXPECT_EQ(sources[0].fired_count, 1);
}

TEST_F(PollLoopTest, ReportsAFailedPollAndCallsNobody) {
    Source source;
    source.Watch(&loop_);
    source.Fire();
    ASSERT_TRUE(os_faulty_plan("poll:1:ENOMEM"));
    EXPECT_EQ(RunOnce(), -ENOMEM);
    EXPECT_EQ(source.fired_count, 0);
    EXPECT_EQ(RunOnce(), 1);
}

TEST_F(PollLoopTest, KnowsTheTimeAfterEachRound) {
    const int64_t start_ms = os_now_ms();
    RunOnce();
    EXPECT_GE(loop_.now_ms, start_ms);
    EXPECT_LE(loop_.now_ms, os_now_ms());
}

} // namespace
