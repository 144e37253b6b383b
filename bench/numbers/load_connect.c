#include "bench/numbers/load_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/runtime/listener.h"

enum {
    CONNECT_TIMEOUT_SECONDS = 10,

    /* Within one machine, what is on its way stays in the processor's cache if it is this little
     * (the kernel doubles it); sending and receiving then cost half of what they do through memory.
     * Over a network the kernel finds the right size itself. */
    LOOPBACK_SEND_BUFFER_SIZE = 128 * 1024,
};

/* Connects to one address. Returns the non-blocking socket, or -1 with errno set. */
static int connect_to_address(const struct addrinfo *address) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }

    /* A send timeout also limits connect; it has no effect once the socket is non-blocking. */
    struct timeval limit = {.tv_sec = CONNECT_TIMEOUT_SECONDS};
    int yes = 1;
    int send_buffer_size = LOOPBACK_SEND_BUFFER_SIZE;
    if (listener_is_loopback(address->ai_addr)) {
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer_size, sizeof send_buffer_size);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0 &&
        connect(fd, address->ai_addr, address->ai_addrlen) == 0 &&
        fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
        return fd;
    }

    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

int load_connect(const struct addrinfo *addresses) {
    int fd = -1;
    for (const struct addrinfo *address = addresses; address != NULL && fd < 0;
         address = address->ai_next) {
        fd = connect_to_address(address);
    }
    return fd;
}

int load_terminate(const struct addrinfo *addresses, uint32_t timeout_ms) {
    static const char line[] = "terminate\n";
    int error = 0;
    int fd = load_connect(addresses);
    if (fd < 0) {
        return errno;
    }
    if (send(fd, line, sizeof line - 1, MSG_NOSIGNAL) < 0) {
        error = errno;
    } else {
        /* Fails if the server has ended the connection already, which is all that is wanted. */
        (void)shutdown(fd, SHUT_WR);
        struct pollfd end = {.fd = fd, .events = POLLIN};
        int ready;
        do {
            ready = poll(&end, 1, timeout_ms > 0 ? (int)timeout_ms : -1);
        } while (ready < 0 && errno == EINTR);
        if (ready <= 0) {
            error = ready < 0 ? errno : ETIMEDOUT;
        }
    }
    (void)close(fd);
    return error;
}
