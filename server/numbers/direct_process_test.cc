// RELIABILITY row 24: the log past the page cache, on a real ext4 file system that fills up while
// the server writes to it, and has room again.

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <system_error>

#include "server/numbers/fault_table.h"
#include "server/numbers/numbers_process.h"
#include "testing/files.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/process_facts.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

constexpr char kLogName[] = "numbers.log";
constexpr char kWaitsForRoom[] = "cannot write the log: ";
constexpr char kWentDirectly[] = "bytes of the log went past the page cache";
// Many whole blocks, and few enough for the stages to take them in while the disk is full.
constexpr size_t kLineCount = 1500000;

// An ext4 file system in a file, in a mount namespace of this thread, which its children share. It
// goes with the namespace at the latest.
class Ext4Disk {
  public:
    Ext4Disk() {
        const std::string image = image_directory_.File("image");
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0) {
            problem_ = std::strerror(errno);
            return;
        }
        ProcessOptions command;
        command.arguments = {"/bin/sh", "-c",
                             "PATH=$PATH:/usr/sbin:/sbin; truncate --size=96M " + image +
                                 " && mkfs.ext4 -q -m 0 " + image + " && mount -t ext4 -o loop " +
                                 image + " " + directory_.path()};
        const ProcessResult result = RunToEnd(command);
        if (result.status != Exited(0)) {
            problem_ = result.errors;
        }
    }
    ~Ext4Disk() {
        if (problem_.empty()) {
            umount2(directory_.path().c_str(), MNT_DETACH);
        }
    }
    Ext4Disk(const Ext4Disk &) = delete;
    Ext4Disk &operator=(const Ext4Disk &) = delete;

    // Why there is none; empty when there is.
    const std::string &problem() const {
        return problem_;
    }
    std::string File(const std::string &name) const {
        return directory_.File(name);
    }

    // Empty but for a ballast that leaves room for a part of the log only.
    void Fill() const {
        (void)unlink(File(kLogName).c_str());
        struct statvfs room {};
        const int fd = open(File("ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || statvfs(File("ballast").c_str(), &room) != 0 ||
            posix_fallocate(fd, 0, static_cast<off_t>(room.f_bavail * room.f_bsize) - 3000000) !=
                0) {
            throw std::system_error(errno, std::generic_category(), File("ballast"));
        }
        close(fd);
    }
    void MakeRoom() const {
        EXPECT_EQ(unlink(File("ballast").c_str()), 0);
    }

  private:
    TemporaryDirectory image_directory_;
    TemporaryDirectory directory_;
    std::string problem_;
};

class DirectTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!disk_.problem().empty()) {
            FaultTable::Get().Add("24: ext4 image", 0, "skipped: cannot mount: " + disk_.problem());
            GTEST_SKIP() << "cannot mount an ext4 image: " << disk_.problem();
        }
        log_path_ = disk_.File(kLogName);
    }

    const Ext4Disk disk_;
    std::string log_path_;
};

TEST_F(DirectTest, ADiskThatFillsUpAndHasRoomAgainLosesNothing) {
    for (const char *durability : {"never", "interval", "always"}) {
        SCOPED_TRACE(durability);
        disk_.Fill();
        NumbersServer server(
            {"--log=" + log_path_, "--log-level=debug", std::string("--fsync=") + durability});
        TcpClient client = server.Connect();
        ASSERT_TRUE(client.Send(NumberLines(0, kLineCount)));
        client.HalfClose();
        ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
        disk_.MakeRoom();
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
        EXPECT_EQ(server.Stop(), Exited(0));
        EXPECT_EQ(ReadNumberLog(log_path_), NumberRange(0, kLineCount));
        EXPECT_EQ(CountLinesWith(server.process().errors(), kWaitsForRoom), 1u);
        EXPECT_EQ(CountLinesWith(server.process().errors(), kWentDirectly), 1u)
            << server.process().errors();
    }
    FaultTable::Get().Add("24: full ext4, direct writes", 3, "whole lines, nothing lost");
}

TEST_F(DirectTest, KilledItLeavesWholeLines) {
    std::mt19937 random(24);
    const int round_count = IsLongForm() ? 100 : 3;
    for (int round = 0; round < round_count && !HasFailure(); ++round) {
        disk_.Fill();
        NumbersServer server({"--log=" + log_path_});
        TcpClient client = server.Connect();
        ASSERT_TRUE(client.Send(NumberLines(0, kLineCount)));
        ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
        disk_.MakeRoom();
        const size_t size = random() % (kLineCount / 2) * kLineSize;
        ASSERT_TRUE(Await([&] {
            const int fd = open(log_path_.c_str(), O_RDONLY | O_CLOEXEC);
            const off_t log_size = lseek(fd, 0, SEEK_END);
            close(fd);
            return log_size >= static_cast<off_t>(size);
        }));
        server.process().Signal(SIGKILL);
        ASSERT_EQ(server.process().WaitForExit(), Killed(SIGKILL));
        NumbersServer next({"--resume", "--log=" + log_path_}); // waits for the guard
        EXPECT_EQ(CountLinesWith(next.process().errors(), " is cut off"), 0u) << "a torn line";
        EXPECT_EQ(next.Stop(), Exited(0));
        EXPECT_GE(ReadNumberLog(log_path_).size(), size / kLineSize);
    }
    FaultTable::Get().Add("24: kill -9, direct writes, ext4", round_count,
                          "no torn and no duplicate line");
}

TEST_F(DirectTest, NeverMeansNever) {
    NumbersServer server({"--log=" + log_path_, "--log-level=debug", "--direct-io=never"});
    EXPECT_EQ(server.Deliver(NumberLines(0, kLineCount)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(ReadNumberLog(log_path_), NumberRange(0, kLineCount));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWentDirectly), 0u);
}

} // namespace
} // namespace harness
