#include "testing/process_facts.h"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

namespace harness {
namespace {

std::string PathOf(pid_t pid, const std::string &name) {
    return "/proc/" + std::to_string(pid) + "/" + name;
}

// The fields of /proc/PID/stat, or of a thread's, from the state on, which is the third: the second
// is the program's name in parentheses, with any characters in it.
std::istringstream StatFromState(pid_t pid, const std::string &name = "stat") {
    std::ifstream file(PathOf(pid, name));
    std::string text;
    const bool is_read = static_cast<bool>(std::getline(file, text));
    const size_t name_end = text.rfind(") ");
    if (!is_read || name_end == std::string::npos) {
        throw std::runtime_error("no such process: " + std::to_string(pid));
    }
    return std::istringstream(text.substr(name_end + 2));
}

// What its descriptors lead to: paths, and names such as "socket:[4711]".
std::set<std::string> ReadDescriptorLinks(pid_t pid) {
    std::set<std::string> links;
    for (const auto &entry : std::filesystem::directory_iterator(PathOf(pid, "fd"))) {
        std::error_code error; // it may be closed by now
        links.insert(std::filesystem::read_symlink(entry.path(), error).string());
    }
    return links;
}

} // namespace

ResidentMemory ReadResidentMemory(pid_t pid) {
    std::ifstream file(PathOf(pid, "status"));
    ResidentMemory memory;
    std::string word;
    while (file >> word) {
        if (word == "VmHWM:") {
            file >> memory.highest_kib;
        } else if (word == "VmRSS:") {
            file >> memory.current_kib;
        }
    }
    if (memory.current_kib == 0) {
        throw std::runtime_error("no such process: " + std::to_string(pid));
    }
    return memory;
}

std::set<int> ReadDescriptors(pid_t pid) {
    std::set<int> descriptors;
    for (const auto &entry : std::filesystem::directory_iterator(PathOf(pid, "fd"))) {
        descriptors.insert(std::stoi(entry.path().filename().string()));
    }
    return descriptors;
}

std::chrono::nanoseconds ReadProcessorTime(pid_t pid) {
    clockid_t clock = 0;
    timespec used{};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        throw std::runtime_error("no such process: " + std::to_string(pid));
    }
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

std::vector<ThreadTime> ReadThreadTimes(pid_t pid) {
    const double tick_seconds = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
    std::vector<ThreadTime> times;
    for (const auto &entry : std::filesystem::directory_iterator(PathOf(pid, "task"))) {
        const std::string id = entry.path().filename().string();
        std::string name;
        std::string skipped;
        if (!std::getline(std::ifstream(entry.path() / "comm"), name)) {
            continue; // it has ended meanwhile
        }
        std::istringstream fields = StatFromState(pid, "task/" + id + "/stat");
        for (int field = 3; field < 14; ++field) {
            fields >> skipped;
        }
        double user_ticks = 0;
        double kernel_ticks = 0;
        fields >> user_ticks >> kernel_ticks;
        times.push_back({name, id == std::to_string(pid), user_ticks * tick_seconds,
                         kernel_ticks * tick_seconds});
    }
    return times;
}

char ReadState(pid_t pid) {
    char state = '\0';
    StatFromState(pid) >> state;
    return state;
}

std::uint16_t ReadListeningPort(pid_t pid) {
    const std::set<std::string> links = ReadDescriptorLinks(pid);
    constexpr unsigned kListening = 0x0A;
    unsigned lowest_port = 0;
    std::ifstream rows("/proc/net/tcp");
    std::string text;
    while (std::getline(rows, text)) {
        unsigned port = 0;
        unsigned state = 0;
        unsigned long inode = 0;
        if (std::sscanf(text.c_str(), " %*d: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
                        &port, &state, &inode) == 3 &&
            state == kListening && links.count("socket:[" + std::to_string(inode) + "]") != 0 &&
            (lowest_port == 0 || port < lowest_port)) {
            lowest_port = port;
        }
    }
    return static_cast<std::uint16_t>(lowest_port);
}

std::set<pid_t> ReadChildren(pid_t pid) {
    std::ifstream file(PathOf(pid, "task/" + std::to_string(pid) + "/children"));
    if (!file) {
        throw std::runtime_error("no such process: " + std::to_string(pid));
    }
    std::set<pid_t> children;
    pid_t child = 0;
    while (file >> child) {
        children.insert(child);
    }
    return children;
}

} // namespace harness
