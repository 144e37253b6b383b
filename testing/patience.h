// How long a test waits for something that must happen, and the one way of waiting for what sends
// no event of its own (a file's content, a row of /proc).
//
// The bound only decides when a failure is declared: a test that passes never waits for it. It is
// long because the sanitizers and a loaded machine are slow.
//
// Threading: stateless.
#ifndef TESTING_PATIENCE_H_
#define TESTING_PATIENCE_H_

#include <chrono>
#include <functional>

#include "testing/sanitizer.h"

namespace harness {

using Clock = std::chrono::steady_clock;

inline constexpr std::chrono::milliseconds kPatience{kIsUnderValgrind ? 300000 : 30000};

// The milliseconds until `deadline` for poll(): never negative, rounded up so as not to spin.
int MillisecondsUntil(Clock::time_point deadline);

// Calls `condition` until it returns true (then true) or `patience` has passed (then its last
// answer). Between two calls the thread rests for a millisecond.
bool Await(const std::function<bool()> &condition, std::chrono::milliseconds patience = kPatience);

// Throws std::system_error with errno and `what`: for steps that a test cannot do without.
[[noreturn]] void ThrowErrno(const char *what);

} // namespace harness

#endif // TESTING_PATIENCE_H_
