#include "server/station/client_socket.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "server/runtime/os.h"

enum { PORT_TEXT_SIZE = 8 };

int client_socket_wait(int fd, short events, int64_t deadline_ms) {
    struct pollfd polled = {.fd = fd, .events = events};
    for (;;) {
        int64_t left_ms = deadline_ms - os_now_ms();
        if (left_ms < 0) {
            left_ms = 0;
        }
        int count = os_poll(&polled, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        if (count != 0) {
            return count < 0 ? count : polled.revents;
        }
        if (os_now_ms() >= deadline_ms) {
            return 0;
        }
    }
}

/* Waits for the end of a connect() under way. 0, or a negative errno value. */
static int finish_connect(int fd, int64_t timeout_ms) {
    int error = 0;
    socklen_t error_size = sizeof error;
    int events = client_socket_wait(fd, POLLOUT, os_now_ms() + timeout_ms);
    if (events <= 0) {
        return events == 0 ? -ETIMEDOUT : events;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 ? -error : -errno;
}

static int connect_to(const struct addrinfo *address, int64_t timeout_ms) {
    int fd = os_socket(address->ai_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return fd;
    }
    int error = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : -errno;
    if (error == -EINPROGRESS || error == -EINTR) {
        error = finish_connect(fd, timeout_ms);
    }
    if (error != 0) {
        (void)os_close(fd);
        return error;
    }
    int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

int client_socket_connect(const char *host, uint16_t port, int64_t timeout_ms) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char port_text[PORT_TEXT_SIZE];
    (void)snprintf(port_text, sizeof port_text, "%u", port);
    int lookup = getaddrinfo(host, port_text, &hints, &addresses);
    if (lookup != 0) {
        return lookup == EAI_AGAIN ? -EAGAIN : -ENOENT;
    }
    int fd = -EHOSTUNREACH;
    for (const struct addrinfo *address = addresses; address != NULL && fd < 0;
         address = address->ai_next) {
        fd = connect_to(address, timeout_ms);
    }
    freeaddrinfo(addresses);
    return fd;
}
