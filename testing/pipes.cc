#include "testing/pipes.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "testing/patience.h"

namespace harness {

Pipe OpenPipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        ThrowErrno("pipe2");
    }
    return Pipe{ends[0], ends[1]};
}

Pipe OpenTerminal(unsigned short column_count) {
    const winsize size{25, column_count, 0, 0};
    std::array<char, 64> path{};
    termios modes{};
    const Pipe ends{posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), -1};
    if (ends.read_end < 0 || grantpt(ends.read_end) != 0 || unlockpt(ends.read_end) != 0 ||
        ptsname_r(ends.read_end, path.data(), path.size()) != 0) {
        ThrowErrno("posix_openpt");
    }
    const int write_end = open(path.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (write_end < 0 || tcgetattr(write_end, &modes) != 0) {
        ThrowErrno("open a terminal");
    }
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    if (tcsetattr(write_end, TCSANOW, &modes) != 0 || ioctl(write_end, TIOCSWINSZ, &size) != 0) {
        ThrowErrno("set a terminal up");
    }
    return Pipe{ends.read_end, write_end};
}

void CloseIfOpen(int *descriptor) {
    if (*descriptor >= 0) {
        close(*descriptor);
        *descriptor = -1;
    }
}

void FillPipe(int write_end) {
    const int flags = fcntl(write_end, F_GETFL);
    if (flags < 0 || fcntl(write_end, F_SETFL, flags | O_NONBLOCK) != 0) {
        ThrowErrno("fcntl");
    }
    while (write(write_end, "\n", 1) == 1) {
    }
    if (fcntl(write_end, F_SETFL, flags) != 0) {
        ThrowErrno("fcntl");
    }
}

} // namespace harness
