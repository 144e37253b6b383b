// Sockets of 127.0.0.1, for servers and clients of a test's own.
//
// Ownership: the caller closes what it is given. Threading: stateless.
#ifndef TESTING_LOOPBACK_H_
#define TESTING_LOOPBACK_H_

#include <netinet/in.h>

#include <cstdint>

namespace harness {

sockaddr_in LoopbackAddress(std::uint16_t port);

// A socket that listens, with a queue for so many. Port 0: any free one. Throws std::system_error
// when there is none.
int ListenOnLoopback(std::uint16_t port = 0, int backlog = 16);

// The port that a socket is bound to.
std::uint16_t PortOf(int descriptor);

} // namespace harness

#endif // TESTING_LOOPBACK_H_
