#include "testing/patience.h"

#include <cerrno>
#include <system_error>
#include <thread>

namespace harness {

int MillisecondsUntil(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

bool Await(const std::function<bool()> &condition, std::chrono::milliseconds patience) {
    const Clock::time_point deadline = Clock::now() + patience;
    while (!condition()) {
        if (Clock::now() >= deadline) {
            return condition();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

void ThrowErrno(const char *what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace harness
