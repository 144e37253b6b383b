// RELIABILITY row 24: the log past the page cache, on real file systems that fill up while the
// server writes to them, and have room again.

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
#include "testing/sanitizer.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

constexpr char kLogName[] = "numbers.log";
constexpr char kWaitsForRoom[] = "cannot write the log: ";
constexpr char kWentDirectly[] = "bytes of the log went past the page cache";
// Many whole blocks, and few enough for the stages to take them in while the disk is full.
constexpr size_t kLineCount = 1500000;

struct FileSystem {
    const char *name;
    const char *options; // of its mkfs
};

std::ostream &operator<<(std::ostream &stream, const FileSystem &file_system) {
    return stream << file_system.name;
}

// A file system in a file, in a mount namespace of this thread, which its children share. It goes
// with the namespace at the latest.
class DiskImage {
  public:
    explicit DiskImage(const FileSystem &file_system) {
        const std::string name = file_system.name;
        const std::string image = image_directory_.File("image");
        if (unshare(CLONE_NEWNS) != 0 ||
            mount("none", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0) {
            problem_ = std::strerror(errno);
            return;
        }
        ProcessOptions command;
        command.arguments = {"/bin/sh", "-c",
                             "PATH=$PATH:/usr/sbin:/sbin; truncate --size=320M " + image +
                                 " && mkfs." + name + " -q " + file_system.options + " " + image +
                                 " && mount -t " + name + " -o loop " + image + " " +
                                 directory_.path()};
        const ProcessResult result = RunToEnd(command);
        if (result.status != Exited(0)) {
            problem_ = result.errors;
        }
    }
    ~DiskImage() {
        if (problem_.empty()) {
            umount2(directory_.path().c_str(), MNT_DETACH);
        }
    }
    DiskImage(const DiskImage &) = delete;
    DiskImage &operator=(const DiskImage &) = delete;

    // Why there is none; empty when there is.
    const std::string &problem() const {
        return problem_;
    }
    std::string File(const std::string &name) const {
        return directory_.File(name);
    }

    // Leaves room for a part of the log only. For a new image: one that has held a log gives its
    // room back when it likes.
    void Fill() const {
        struct statvfs room {};
        const int fd = open(File("ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        int error = fd < 0 || statvfs(File("ballast").c_str(), &room) != 0 ? errno : 0;
        if (error == 0) {
            error =
                posix_fallocate(fd, 0, static_cast<off_t>(room.f_bavail * room.f_bsize) - 3000000);
            close(fd);
        }
        if (error != 0) {
            throw std::system_error(error, std::generic_category(), File("ballast"));
        }
    }
    void MakeRoom() const {
        EXPECT_EQ(unlink(File("ballast").c_str()), 0);
    }

  private:
    TemporaryDirectory image_directory_;
    TemporaryDirectory directory_;
    std::string problem_;
};

class DirectTest : public testing::TestWithParam<FileSystem> {
  protected:
    void SetUp() override {
        TakeNewDisk();
        if (!disk_->problem().empty()) {
            FaultTable::Get().Add("24: " + name_ + " image", 0,
                                  "skipped: cannot mount: " + disk_->problem());
            GTEST_SKIP() << "cannot mount the image: " << disk_->problem();
        }
    }
    void TakeNewDisk() {
        disk_.reset(); // its mount is of the namespace that is left
        disk_ = std::make_unique<DiskImage>(GetParam());
        log_path_ = disk_->File(kLogName);
    }
    void TakeFullDisk() {
        TakeNewDisk();
        disk_->Fill();
    }

    const std::string name_ = GetParam().name;
    std::unique_ptr<const DiskImage> disk_;
    std::string log_path_;
};

INSTANTIATE_TEST_SUITE_P(FileSystems, DirectTest,
                         testing::Values(FileSystem{"ext4", "-m 0"}, FileSystem{"xfs", ""},
                                         FileSystem{"btrfs", ""}),
                         [](const auto &instance) { return std::string(instance.param.name); });

TEST_P(DirectTest, ADiskThatFillsUpAndHasRoomAgainLosesNothing) {
    for (const char *durability : {"never", "interval", "always"}) {
        SCOPED_TRACE(durability);
        TakeFullDisk();
        NumbersServer server(
            {"--log=" + log_path_, "--log-level=debug", std::string("--fsync=") + durability});
        TcpClient client = server.Connect();
        ASSERT_TRUE(client.Send(NumberLines(0, kLineCount)));
        client.HalfClose();
        ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
        disk_->MakeRoom();
        EXPECT_EQ(client.WaitForEnding(), Ending::kFin);
        EXPECT_EQ(server.Stop(), Exited(0));
        EXPECT_EQ(ReadNumberLog(log_path_), NumberRange(0, kLineCount));
        EXPECT_EQ(CountLinesWith(server.process().errors(), kWaitsForRoom), 1u);
        // A server that is slow itself has no whole blocks to write.
        if (!kIsSanitized) {
            EXPECT_EQ(CountLinesWith(server.process().errors(), kWentDirectly), 1u)
                << server.process().errors();
        }
    }
    FaultTable::Get().Add("24: full " + name_ + ", direct writes", 3, "whole lines, nothing lost");
}

TEST_P(DirectTest, KilledItLeavesWholeLines) {
    std::mt19937 random(24);
    const int round_count = IsLongForm() ? 100 : 3;
    for (int round = 0; round < round_count && !HasFailure(); ++round) {
        TakeFullDisk();
        NumbersServer server({"--log=" + log_path_});
        TcpClient client = server.Connect();
        ASSERT_TRUE(client.Send(NumberLines(0, kLineCount)));
        ASSERT_TRUE(server.process().WaitForErrors(HasLineWith(kWaitsForRoom)));
        disk_->MakeRoom();
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
    FaultTable::Get().Add("24: kill -9, direct writes, " + name_, round_count,
                          "no torn and no duplicate line");
}

TEST_P(DirectTest, NeverMeansNever) {
    NumbersServer server({"--log=" + log_path_, "--log-level=debug", "--direct-io=never"});
    EXPECT_EQ(server.Deliver(NumberLines(0, kLineCount)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(ReadNumberLog(log_path_), NumberRange(0, kLineCount));
    EXPECT_EQ(CountLinesWith(server.process().errors(), kWentDirectly), 0u);
}

} // namespace
} // namespace harness
