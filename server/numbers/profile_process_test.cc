// The numbers server's --profile: where the profile goes, and what it must never harm.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "server/numbers/numbers_process.h"
#include "testing/sanitizer.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

const char *const kEmulatorsOwn = "libraries and command line are the emulator's own";

class ProfileTest : public testing::Test {
  protected:
    void SetUp() override {
        WriteFile(log_path_, kOldLog);
    }

    // A server whose log is numbers.log of this test's directory, where it runs.
    ProcessOptions Command(const std::vector<std::string> &arguments) const {
        ProcessOptions options = NumbersServerCommand({"--port=0"});
        options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
        options.working_directory = directory_.path();
        return options;
    }

    // The start must fail with this exit code and one line that names the culprit.
    void ExpectRefusal(const ProcessOptions &options, int exit_code, const std::string &culprit) {
        SCOPED_TRACE(testing::PrintToString(options.arguments));
        const ProcessResult result = RunToEnd(options);
        EXPECT_EQ(result.status, Exited(exit_code));
        EXPECT_EQ(SplitLines(result.errors).size(), 1u) << result.errors;
        EXPECT_NE(result.errors.find(culprit), std::string::npos) << result.errors;
        EXPECT_EQ(ReadFile(log_path_), kOldLog);
    }

    // Serves with this profile and ends in order, with a warning that names the culprit.
    void ExpectWarning(const std::string &profile_path, const std::string &culprit) {
        SCOPED_TRACE(profile_path);
        NumbersServer server({"--profile", profile_path});
        EXPECT_EQ(server.Deliver(NumberLines(0, 100000)), Ending::kFin);
        EXPECT_EQ(server.Stop(), Exited(0));
        EXPECT_EQ(server.Log(), NumberRange(0, 100000));
        const std::string errors = server.process().errors();
        EXPECT_EQ(CountLinesWith(errors, "warning"), 1u) << errors;
        EXPECT_TRUE(HasLineWith("cannot write the profile to " + profile_path)(errors)) << errors;
        EXPECT_TRUE(HasLineWith(culprit)(errors)) << errors;
    }

    // Asks for a profile where the directory's libprofiler.so.0 is the first that is found.
    void ExpectNoProfiler(const std::string &reason) {
        ProcessOptions options = Command({"--profile=cpu.profile"});
        options.environment["LD_LIBRARY_PATH"] = directory_.path();
        ExpectRefusal(options, 1, "cannot load the profiler");
        ExpectRefusal(options, 1, reason);
        EXPECT_FALSE(std::filesystem::exists(directory_.File("cpu.profile")));
    }

    static constexpr const char *kOldLog = "000000001\n";
    static constexpr const char *kSameFile = "--profile and --log are the same file";
    const TemporaryDirectory directory_;
    const std::string log_path_ = directory_.File("numbers.log");
};

TEST_F(ProfileTest, IsWritten) {
    const std::string path = directory_.File("cpu.profile");
    WriteFile(path, std::string(1 << 20, 'x')); // an old one, longer than the new one
    NumbersServer server({"--profile", path});
    EXPECT_EQ(server.Deliver(NumberLines(0, 100000)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 100000));
    const std::string profile = ReadFile(path);
    EXPECT_GT(profile.size(), 0u);
    EXPECT_EQ(profile.find("xxxx"), std::string::npos);
    // It ends with the list of what is mapped where, which google-pprof needs.
    EXPECT_NE(profile.find("/server/numbers/server"), std::string::npos);
}

TEST_F(ProfileTest, ProfilerIsLoadedForAProfileOnly) {
    if (IsEmulated()) {
        GTEST_SKIP() << kEmulatorsOwn;
    }
    for (const bool is_wanted : {false, true}) {
        NumbersServer server(is_wanted ? std::vector<std::string>{"--profile=cpu.profile"}
                                       : std::vector<std::string>{},
                             Command({}));
        const std::string maps =
            ReadFile("/proc/" + std::to_string(server.process().pid()) + "/maps");
        for (const char *library : {"/libprofiler.so", "/libunwind.so"}) {
            EXPECT_EQ(maps.find(library) != std::string::npos, is_wanted) << library;
        }
        EXPECT_EQ(server.Stop(), Exited(0));
    }
}

TEST_F(ProfileTest, IntoTheLogIsAUsageErrorUnderEverySpelling) {
    ASSERT_EQ(mkdir(directory_.File("sub").c_str(), 0700), 0);
    ASSERT_EQ(symlink(".", directory_.File("here").c_str()), 0);
    ASSERT_EQ(symlink("numbers.log", directory_.File("another_name").c_str()), 0);
    ASSERT_EQ(link(log_path_.c_str(), directory_.File("hard_link").c_str()), 0);
    for (const std::string &spelling :
         {std::string("numbers.log"), std::string("./numbers.log"), std::string("here/numbers.log"),
          std::string("sub/../numbers.log"), std::string("another_name"), std::string("hard_link"),
          std::string("/proc/self/cwd/numbers.log"), log_path_}) {
        ExpectRefusal(Command({"--profile=" + spelling}), 2, kSameFile);
    }
}

// The same while there is no log yet, so that none can be compared with before it is made.
TEST_F(ProfileTest, IntoALogThatIsYetToBeMadeIsAUsageError) {
    ASSERT_EQ(symlink(".", directory_.File("here").c_str()), 0);
    ASSERT_EQ(symlink("new.log", directory_.File("another_name").c_str()), 0);
    for (const char *spelling :
         {"./new.log", "here/new.log", "another_name", "/proc/self/cwd/new.log"}) {
        ExpectRefusal(Command({"--log=new.log", std::string("--profile=") + spelling}), 2,
                      kSameFile);
        EXPECT_EQ(ReadFile(directory_.File("new.log")), "");
        ASSERT_EQ(unlink(directory_.File("new.log").c_str()), 0);
    }
}

// Relative paths begin where the user is, not where `bazel run` starts the program.
TEST_F(ProfileTest, IsComparedWithTheLogAfterTheChangeOfDirectory) {
    const TemporaryDirectory elsewhere;
    ProcessOptions options = Command({"--profile=" + log_path_});
    options.working_directory = elsewhere.path();
    options.environment["BUILD_WORKING_DIRECTORY"] = directory_.path();
    ExpectRefusal(options, 2, kSameFile);
}

TEST_F(ProfileTest, IntoTheStandardStreamsIsAUsageError) {
    if (IsEmulated()) {
        GTEST_SKIP() << kEmulatorsOwn;
    }
    ProcessOptions options = NumbersServerCommand({});
    options.arguments = {"/bin/sh", "-c", "exec \"$0\" --port=0 --profile=out >>out",
                         options.arguments[0]};
    options.working_directory = directory_.path();
    ExpectRefusal(options, 2, "--profile and standard output");
}

// Its own log is not the only one that a profile could replace at the end.
TEST_F(ProfileTest, IntoTheLogOfAnotherServerIsAFailedStart) {
    NumbersServer other;
    EXPECT_EQ(other.Deliver(NumberLines(0, 1000)), Ending::kFin);
    ExpectRefusal(Command({"--profile=" + other.log_path()}), 1, "another process has locked it");
    EXPECT_EQ(other.Stop(), Exited(0));
    EXPECT_EQ(other.Log(), NumberRange(0, 1000));
}

TEST_F(ProfileTest, PathThatCannotBeWrittenIsAFailedStart) {
    const std::string fifo = directory_.File("fifo");
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    for (const std::string &path :
         {directory_.File("missing/cpu.profile"), directory_.path(), fifo}) {
        ExpectRefusal(Command({"--profile=" + path}), 1, path);
    }
}

// Nor is it taken where there is a reader, who would have to be waited for.
TEST_F(ProfileTest, FifoWithAReaderIsAFailedStart) {
    const std::string fifo = directory_.File("fifo");
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(reader, 0);
    ExpectRefusal(Command({"--profile=" + fifo}), 1, fifo + ": it is no regular file");
    close(reader);
}

TEST_F(ProfileTest, FullDiskCostsTheProfileAndNothingElse) {
    ExpectWarning("/dev/full", "No space left on device");
}

// RLIMIT_FSIZE, which the log of this test fits, stands for a quota.
TEST_F(ProfileTest, FileThatMayNotGrowCostsTheProfileAndNothingElse) {
    if (kIsSanitized) {
        GTEST_SKIP() << "a sanitizer has files of its own that must grow";
    }
    const std::string path = directory_.File("cpu.profile");
    ProcessOptions options = NumbersServerCommand({});
    options.limits.emplace_back(RLIMIT_FSIZE, rlimit{1000, 1000});
    NumbersServer server({"--profile", path}, options);
    EXPECT_EQ(server.Deliver(NumberLines(0, 100)), Ending::kFin);
    EXPECT_EQ(server.Stop(), Exited(0));
    EXPECT_EQ(server.Log(), NumberRange(0, 100));
    const std::string errors = server.process().errors();
    EXPECT_TRUE(HasLineWith("cannot write the profile to " + path)(errors)) << errors;
}

// Until the run is over the file stays as it was: in particular when the port is taken.
TEST_F(ProfileTest, OldProfileSurvivesAStartThatFails) {
    const std::string path = directory_.File("cpu.profile");
    WriteFile(path, "old");
    NumbersServer other;
    ProcessOptions options = Command({"--profile=" + path});
    options.arguments.push_back("--port=" + std::to_string(other.port()));
    ExpectRefusal(options, 1, "cannot listen on");
    EXPECT_EQ(ReadFile(path), "old");
}

// As on a machine without the library: the loader finds these in its place.
TEST_F(ProfileTest, WithoutAProfilerIsAFailedStart) {
    if (IsEmulated()) {
        GTEST_SKIP() << kEmulatorsOwn;
    }
    WriteFile(directory_.File("libprofiler.so.0"), "");
    ExpectNoProfiler("libprofiler.so.0: file too short");
    Dl_info libc{};
    ASSERT_NE(dladdr(reinterpret_cast<const void *>(&getpid), &libc), 0);
    ASSERT_EQ(unlink(directory_.File("libprofiler.so.0").c_str()), 0);
    ASSERT_EQ(symlink(libc.dli_fname, directory_.File("libprofiler.so.0").c_str()), 0);
    ExpectNoProfiler("undefined symbol: ProfilerStart");
}

} // namespace
} // namespace harness
