// RELIABILITY row 2: the N-th call of each function of the system-call seam fails, for N = 1, 2,
// 3, ... until none fails any more; once, and for good. Whatever fails, the server does not hang,
// exits with a documented code, and leaves whole lines only.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "server/numbers/fault_table.h"
#include "server/numbers/faulty_server.h"
#include "server/numbers/numbers_process.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/sanitizer.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

using std::chrono::milliseconds;

// RELIABILITY: no hang over 5 s. The sanitizers are slower than that promise is meant for.
constexpr milliseconds kNoHang{kIsSanitized ? 30000 : 5000};

// How long a client waits that may never be served, because a call fails for good.
constexpr milliseconds kHopeless{200};

struct Profile {
    const char *name;
    std::vector<std::string> arguments;
    std::string old_log; // the file's content before the start
};

const Profile &Resuming() {
    static const auto *profile =
        new Profile{"resume_interval",
                    {"--resume", "--fsync=interval", "--fsync-interval=0.02", "--threads=2"},
                    NumberLines(900000000, 50) + "00000"};
    return *profile;
}

const Profile &Fresh() {
    static const auto *profile =
        new Profile{"fresh_always", {"--fsync=always"}, "what another program has left here"};
    return *profile;
}

struct Fault {
    const char *function;
    const char *error;
};

using FaultAndProfile = std::tuple<Fault, const Profile *>;

// What came out of one run of the server.
struct Outcome {
    bool has_started = false;
    std::optional<ExitStatus> status;
    bool has_fault = true; // false: the process made fewer calls than the plan's
};

class FaultSweepTest : public testing::TestWithParam<FaultAndProfile> {
  protected:
    static const Fault &fault() {
        return std::get<0>(GetParam());
    }
    static const Profile &profile() {
        return *std::get<1>(GetParam());
    }

    // Serves three clients under the plan and checks all promises.
    Outcome Try(const std::string &plan, bool is_for_good);
    void Sweep(const char *times);

  private:
    void Serve(Process *process, std::uint16_t port, bool is_for_good);
    void End(Process *process, bool is_for_good, Outcome *outcome);
    void CheckLog(const std::string &path, const Outcome &outcome);

    std::vector<std::uint32_t> confirmed_numbers_;
};

// The three clients: one ends in order, one sends what is no line, one stays. A client that a
// fault leaves without its answer would wait for good.
void FaultSweepTest::Serve(Process *process, std::uint16_t port, bool is_for_good) {
    const milliseconds patience = is_for_good ? kHopeless : kNoHang;
    try {
        TcpClient staying(port);
        staying.Send(NumberLines(200, 3) + "0000");
        TcpClient orderly(port);
        orderly.Send(NumberLines(100, 3));
        orderly.HalfClose();
        TcpClient wrong(port);
        wrong.Send(NumberLines(300, 3) + "wrong\n");
        const Ending orderly_ending = orderly.WaitForEnding(patience);
        const Ending wrong_ending = wrong.WaitForEnding(patience);
        if (orderly_ending == Ending::kFin) {
            confirmed_numbers_ = NumberRange(100, 3);
        }
        EXPECT_NE(wrong_ending, Ending::kFin);
        if (!is_for_good) {
            EXPECT_NE(orderly_ending, Ending::kNone) << "an orderly client is left waiting";
            EXPECT_NE(wrong_ending, Ending::kNone) << "a wrong client is left waiting";
        }
    } catch (const std::system_error &) {
        // The server has ended meanwhile: the exit code tells whether it may.
        EXPECT_TRUE(process->WaitForExit(kNoHang).has_value());
    }
}

// Ends the server by SIGTERM. While the disk is full it waits for room until it is asked again.
void FaultSweepTest::End(Process *process, bool is_for_good, Outcome *outcome) {
    process->Signal(SIGTERM);
    if (is_for_good && std::string(fault().error) == "ENOSPC") {
        process->WaitForErrors(HasLineWith("a second SIGTERM or SIGINT ends"), kNoHang);
        process->Signal(SIGTERM);
    }
    outcome->status = process->WaitForExit(kNoHang);
}

// Waits until nobody holds the lock of the log: the guard has tidied up then.
bool AwaitUnlocked(const std::string &path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool is_unlocked = Await([&] { return flock(descriptor, LOCK_EX | LOCK_NB) == 0; });
    close(descriptor);
    return is_unlocked;
}

void FaultSweepTest::CheckLog(const std::string &path, const Outcome &outcome) {
    EXPECT_TRUE(AwaitUnlocked(path));
    const std::string content = ReadFile(path);
    if (outcome.status == Exited(1)) {
        EXPECT_EQ(content, profile().old_log) << "a failed start has touched the old log";
        return;
    }
    if (!outcome.has_started && content == profile().old_log) {
        return; // a server that did not start has left the file alone
    }
    const NumberLog log = ParseNumberLog(content);
    EXPECT_EQ(log.problem, "");
    EXPECT_TRUE(std::includes(log.numbers.begin(), log.numbers.end(), confirmed_numbers_.begin(),
                              confirmed_numbers_.end()))
        << "a client's confirmed numbers are missing";
    const NumberLog old_log = ParseNumberLog(profile().old_log.substr(0, 500));
    if (old_log.problem.empty()) {
        EXPECT_TRUE(std::includes(log.numbers.begin(), log.numbers.end(), old_log.numbers.begin(),
                                  old_log.numbers.end()))
            << "numbers of the old log are missing";
    }
}

Outcome FaultSweepTest::Try(const std::string &plan, bool is_for_good) {
    SCOPED_TRACE("OS_FAULT=" + plan);
    TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    WriteFile(path, profile().old_log);
    ProcessOptions options = Faulty(plan);
    options.arguments.insert(options.arguments.end(), {"--port=0", "--log=" + path});
    options.arguments.insert(options.arguments.end(), profile().arguments.begin(),
                             profile().arguments.end());
    confirmed_numbers_.clear();
    Outcome outcome;
    Process process(options);
    const auto listens = [](const std::string &errors) {
        return FindListeningPort(errors, "127.0.0.1") != 0;
    };
    // Without standard error nothing is said, so ask for the answer of the signal in that case.
    outcome.has_started = process.WaitForErrors(listens, is_for_good ? kNoHang / 5 : kNoHang);
    if (outcome.has_started) {
        Serve(&process, FindListeningPort(process.errors(), "127.0.0.1"), is_for_good);
    }
    End(&process, is_for_good, &outcome);

    EXPECT_TRUE(outcome.status.has_value()) << "it hangs; it said:\n" << process.errors();
    if (outcome.status.has_value()) {
        const ExitStatus status = *outcome.status;
        EXPECT_TRUE(status == Exited(0) || status == Exited(74) ||
                    (!outcome.has_started && status == Exited(1)))
            << status << " after it said:\n"
            << process.errors();
        // The guard is a process of its own: a fault there shows in the exit code only.
        outcome.has_fault = status != Exited(0) ||
                            process.errors().find("os_faulty: faults=0 ") == std::string::npos;
        CheckLog(path, outcome);
    }
    EXPECT_EQ(process.errors().find("Sanitizer"), std::string::npos) << process.errors();
    EXPECT_EQ(process.errors().find("runtime error:"), std::string::npos) << process.errors();
    return outcome;
}

// Moves the fault from the first call to the last.
void FaultSweepTest::Sweep(const char *times) {
    const bool is_for_good = std::string(times) == "always";
    const size_t highest_call = IsLongForm() ? 1000 : 30;
    std::map<std::string, size_t> counts;
    size_t try_count = 0;
    for (size_t call = 1; call <= highest_call && !HasFailure(); ++call) {
        const Outcome outcome = Try(std::string(fault().function) + ":" + std::to_string(call) +
                                        ":" + fault().error + ":" + times,
                                    is_for_good);
        if (!outcome.has_fault) {
            break;
        }
        ++try_count;
        ++counts["exit " + std::to_string(outcome.status.value_or(Exited(-1)).code)];
    }
    std::string text;
    for (const auto &[exit_text, count] : counts) {
        text += exit_text + ": " + std::to_string(count) + ", ";
    }
    FaultTable::Get().Add(std::string("2: ") + fault().function + " " + fault().error + ", " +
                              times + ", " + profile().name,
                          try_count,
                          text + (HasFailure() ? "FAILED" : "no hang, whole lines only"));
}

TEST_P(FaultSweepTest, OnceNoHangNoTornLine) {
    Sweep("once");
}

TEST_P(FaultSweepTest, ForGoodNoHangNoTornLine) {
    Sweep("always");
}

std::string TestName(const testing::TestParamInfo<FaultAndProfile> &information) {
    const Fault &fault = std::get<0>(information.param);
    return std::string(fault.function) + "_" + fault.error + "_" +
           std::get<1>(information.param)->name;
}

INSTANTIATE_TEST_SUITE_P(
    Calls, FaultSweepTest,
    testing::Combine(
        testing::Values(
            Fault{"open", "EMFILE"}, Fault{"close", "EIO"}, Fault{"read", "EIO"},
            Fault{"write", "EIO"}, Fault{"pread", "EIO"}, Fault{"append", "EIO"},
            Fault{"append", "ENOSPC"}, Fault{"ftruncate", "EIO"}, Fault{"fdatasync", "EIO"},
            Fault{"fsync", "EIO"}, Fault{"lock_exclusive", "EIO"},
            Fault{"receive_descriptor", "EIO"}, Fault{"send", "EPIPE"}, Fault{"file_size", "EIO"},
            Fault{"open_standard_streams", "EMFILE"}, Fault{"enter_working_directory", "ENOENT"},
            Fault{"allow_descriptors", "EPERM"}, Fault{"socket", "EMFILE"},
            Fault{"accept", "EMFILE"}, Fault{"recv", "ECONNRESET"}, Fault{"poll", "ENOMEM"},
            Fault{"eventfd", "EMFILE"}, Fault{"map_memory", "ENOMEM"},
            Fault{"thread_create", "EAGAIN"}, Fault{"fork", "EAGAIN"}),
        testing::Values(&Resuming(), &Fresh())),
    TestName);

} // namespace
} // namespace harness
