#include "server/runtime/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"

enum { ADDRESS_TEXT_CAPACITY = 128, PORT_TEXT_CAPACITY = 8 };

/* After a minute of silence probe every ten seconds; a peer that answers none of six is gone. */
enum { KEEPALIVE_IDLE_S = 60, KEEPALIVE_INTERVAL_S = 10, KEEPALIVE_PROBE_COUNT = 6 };

static int set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

static int bind_and_listen(int fd, const struct addrinfo *address) {
    int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0) {
        /* An urgent byte is part of the stream. Accepted connections inherit that. */
        error = set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    }
    if (error == 0 && address->ai_family == AF_INET6) {
        /* [::] and 0.0.0.0 can then be given side by side. */
        error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (error == 0 && bind(fd, address->ai_addr, address->ai_addrlen) != 0) {
        error = -errno;
    }
    if (error == 0 && listen(fd, LISTENER_BACKLOG) != 0) {
        error = -errno;
    }
    return error;
}

/* The descriptor, or a negative errno value. */
static int open_one(const struct addrinfo *address) {
    int fd = os_socket(address->ai_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return fd;
    }
    int error = bind_and_listen(fd, address);
    if (error != 0) {
        (void)os_close(fd);
        return error;
    }
    return fd;
}

/* Fills text with "127.0.0.1:4000" or "[::1]:4000" and returns the port. */
static uint16_t describe(int fd, char *text) {
    struct sockaddr_storage address;
    socklen_t address_size = sizeof address;
    char host[ADDRESS_TEXT_CAPACITY / 2] = "?";
    char port[PORT_TEXT_CAPACITY] = "0";
    if (getsockname(fd, (struct sockaddr *)&address, &address_size) == 0) {
        (void)getnameinfo((struct sockaddr *)&address, address_size, host, sizeof host, port,
                          sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    }
    (void)snprintf(text, ADDRESS_TEXT_CAPACITY, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s",
                   host, port);
    return (uint16_t)strtoul(port, NULL, 10);
}

static void set_port(struct sockaddr *address, uint16_t port) {
    if (address->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    }
}

/* Adds a socket for one address. *port: 0 becomes the port that the system chose. */
static int add_address(struct listener *listener, const struct addrinfo *address, uint16_t *port) {
    if (listener->count == LISTENER_CAPACITY) {
        return -ENOSPC;
    }
    set_port(address->ai_addr, *port);
    int fd = open_one(address);
    if (fd < 0) {
        return fd;
    }
    listener->fds[listener->count++] = fd;
    char text[ADDRESS_TEXT_CAPACITY];
    *port = describe(fd, text);
    return 0;
}

/* Adds all addresses of a name. One that this machine does not have (::1 without IPv6, say, in the
 * usual /etc/hosts) is no failure where another one works. */
static int add_addresses(struct listener *listener, const struct addrinfo *addresses,
                         uint16_t *port) {
    size_t count_before = listener->count;
    int missing_error = 0;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        int error = add_address(listener, address, port);
        if (error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT) {
            missing_error = error;
        } else if (error != 0) {
            return error;
        }
    }
    return listener->count > count_before ? 0 : missing_error;
}

/* getaddrinfo, which knows "[::1]" as "::1" too: that is how listener_announce writes it. */
static int look_up(const char *name, struct addrinfo **addresses) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    char inner[NI_MAXHOST];
    size_t size = strlen(name);
    if (size >= 2 && size < sizeof inner && name[0] == '[' && name[size - 1] == ']') {
        (void)snprintf(inner, sizeof inner, "%.*s", (int)(size - 2), name + 1);
        name = inner;
    }
    return getaddrinfo(name, NULL, &hints, addresses);
}

const char *listener_find_nonsense(const char *const *addresses, size_t address_count) {
    for (size_t index = 0; index < address_count; index++) {
        struct addrinfo *found;
        int lookup = look_up(addresses[index], &found);
        if (lookup == EAI_NONAME) {
            return addresses[index];
        }
        if (lookup == 0) {
            freeaddrinfo(found);
        }
    }
    return NULL;
}

/* Listens on all that name stands for: "localhost" may be both 127.0.0.1 and ::1. */
static int add_name(struct listener *listener, const char *name, uint16_t *port,
                    const struct logger *logger) {
    struct addrinfo *addresses;
    int lookup = look_up(name, &addresses);
    if (lookup != 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot listen on %s: %s", name,
                     gai_strerror(lookup));
        return -EADDRNOTAVAIL;
    }
    int error = add_addresses(listener, addresses, port);
    freeaddrinfo(addresses);
    if (error != 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot listen on %s port %u: %s", name, *port,
                     error == -ENOSPC ? "too many addresses" : strerror(-error));
    }
    return error;
}

int listener_open(struct listener *listener, const char *const *addresses, size_t address_count,
                  uint16_t port, const struct logger *logger) {
    listener->count = 0;
    for (size_t index = 0; index < address_count; index++) {
        int error = add_name(listener, addresses[index], &port, logger);
        if (error != 0) {
            listener_close(listener);
            return error;
        }
    }
    return 0;
}

void listener_announce(const struct listener *listener, const struct logger *logger) {
    for (size_t index = 0; index < listener->count; index++) {
        char text[ADDRESS_TEXT_CAPACITY];
        (void)describe(listener->fds[index], text);
        logger_announce(logger, "listening on %s", text);
    }
}

uint16_t listener_port(const struct listener *listener) {
    char text[ADDRESS_TEXT_CAPACITY];
    return listener->count == 0 ? 0 : describe(listener->fds[0], text);
}

void listener_close(struct listener *listener) {
    for (size_t index = 0; index < listener->count; index++) {
        (void)os_close(listener->fds[index]);
    }
    listener->count = 0;
}

void listener_tune_connection(int fd) {
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBE_COUNT);
}

void listener_set_reset_on_close(int fd, bool resets) {
    /* Lingering for no time at all is how a socket is told to close with RST. */
    struct linger linger = {.l_onoff = resets ? 1 : 0, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

void listener_reset_connection(int fd) {
    listener_set_reset_on_close(fd, true);
    (void)os_close(fd);
}

bool listener_is_loopback(const struct sockaddr *address) {
    enum { LOOPBACK_NETWORK = 127 };
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)address;
        return ntohl(ipv4->sin_addr.s_addr) >> 24 == LOOPBACK_NETWORK;
    }
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *ipv6 =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(ipv6) ||
               (IN6_IS_ADDR_V4MAPPED(ipv6) && ipv6->s6_addr[12] == LOOPBACK_NETWORK);
    }
    return false;
}

bool listener_has_loopback_peer(int fd) {
    struct sockaddr_storage address;
    socklen_t address_size = sizeof address;
    return getpeername(fd, (struct sockaddr *)&address, &address_size) == 0 &&
           listener_is_loopback((const struct sockaddr *)&address);
}
