// What /proc tells about a running process: its memory, descriptors, port, children, time.
//
// Threading: stateless. All throw std::runtime_error when the process is gone.
#ifndef TESTING_PROCESS_FACTS_H_
#define TESTING_PROCESS_FACTS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace harness {

// Memory in RAM, in KiB: now, and at its highest.
struct ResidentMemory {
    size_t current_kib = 0;
    size_t highest_kib = 0;
};
ResidentMemory ReadResidentMemory(pid_t pid);

// The numbers of its open descriptors.
std::set<int> ReadDescriptors(pid_t pid);

// The processor time that all its threads have used, in user and kernel mode.
std::chrono::nanoseconds ReadProcessorTime(pid_t pid);

// The same of one thread, to the tick (10 ms).
struct ThreadTime {
    std::string name;
    bool is_main = false; // the thread that the process began with
    double user_seconds = 0;
    double kernel_seconds = 0;
};
std::vector<ThreadTime> ReadThreadTimes(pid_t pid);

// Its state as one letter: 'R' running, 'S' sleeping, 'T' stopped by a signal, …
char ReadState(pid_t pid);

// The IPv4 port that it listens at, the lowest one; 0 when there is none (yet).
std::uint16_t ReadListeningPort(pid_t pid);

// The processes that its main thread has started and that nobody has waited for, ended ones too.
std::set<pid_t> ReadChildren(pid_t pid);

} // namespace harness

#endif // TESTING_PROCESS_FACTS_H_
