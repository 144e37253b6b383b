#include "server/runtime/listener.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"

enum { HOST_TEXT_CAPACITY = 64, PORT_TEXT_CAPACITY = 8 };

static_assert(HOST_TEXT_CAPACITY + PORT_TEXT_CAPACITY + 3 <= LISTENER_ADDRESS_CAPACITY,
              "host and port, brackets and colon have room");

/* After a minute of silence probe every ten seconds; a peer that answers none of six is gone. */
enum { KEEPALIVE_IDLE_S = 60, KEEPALIVE_INTERVAL_S = 10, KEEPALIVE_PROBE_COUNT = 6 };

enum {
    KEEPALIVE_S_MAX = 32767, /* the kernel's */
    /* What waits in the kernel for a peer to take (the kernel doubles it for its own needs). */
    SEND_BUFFER_SIZE = 65536,
};

static int set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

static int bind_and_listen(int fd, const struct addrinfo *address) {
    int error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0) {
        /* An urgent byte is part of the stream. Accepted connections inherit that, and what
         * follows, at no call of their own. */
        error = set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    }
    listener_tune_connection(fd);
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

const char *listener_format_address(const struct sockaddr_storage *address, char *text) {
    char host[HOST_TEXT_CAPACITY] = "?";
    char port[PORT_TEXT_CAPACITY] = "0";
    (void)getnameinfo((const struct sockaddr *)address, sizeof *address, host, sizeof host, port,
                      sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(text, LISTENER_ADDRESS_CAPACITY, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s",
                   host, port);
    return text;
}

const char *listener_name_peer(int fd, char *text) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &size) == 0) {
        return listener_format_address(&address, text);
    }
    (void)snprintf(text, LISTENER_ADDRESS_CAPACITY, "?");
    return text;
}

/* Fills text with a socket's own address and returns the port. */
static uint16_t describe(int fd, char *text) {
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t address_size = sizeof address;
    (void)getsockname(fd, (struct sockaddr *)&address, &address_size);
    (void)listener_format_address(&address, text);
    return (uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10);
}

static void set_port(struct sockaddr *address, uint16_t port) {
    if (address->sa_family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    }
}

/* Which protocols are listened on at all of the machine's addresses. */
struct wildcards {
    bool ipv4, ipv6;
};

static const struct in_addr *ipv4_of(const struct sockaddr *address) {
    return &((const struct sockaddr_in *)(const void *)address)->sin_addr;
}

static const struct sockaddr_in6 *ipv6_of(const struct sockaddr *address) {
    return (const struct sockaddr_in6 *)(const void *)address;
}

static bool is_wildcard(const struct sockaddr *address) {
    return address->sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&ipv6_of(address)->sin6_addr)
                                          : ipv4_of(address)->s_addr == htonl(INADDR_ANY);
}

/* Whether two addresses are one, ports aside. */
static bool is_same_address(const struct sockaddr *left, const struct sockaddr *right) {
    if (left->sa_family != right->sa_family) {
        return false;
    }
    if (left->sa_family == AF_INET6) {
        return IN6_ARE_ADDR_EQUAL(&ipv6_of(left)->sin6_addr, &ipv6_of(right)->sin6_addr) &&
               ipv6_of(left)->sin6_scope_id == ipv6_of(right)->sin6_scope_id;
    }
    return ipv4_of(left)->s_addr == ipv4_of(right)->s_addr;
}

/* Whether an address needs no socket: it has one already, or a wildcard will take its peers. */
static bool is_covered(const struct listener *listener, const struct sockaddr *address,
                       const struct wildcards *wildcards) {
    if (!is_wildcard(address) &&
        (address->sa_family == AF_INET6 ? wildcards->ipv6 : wildcards->ipv4)) {
        return true;
    }
    for (size_t index = 0; index < listener->count; index++) {
        struct sockaddr_storage other;
        socklen_t size = sizeof other;
        if (getsockname(listener->fds[index], (struct sockaddr *)&other, &size) == 0 &&
            is_same_address(address, (const struct sockaddr *)&other)) {
            return true;
        }
    }
    return false;
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
    char text[LISTENER_ADDRESS_CAPACITY];
    *port = describe(fd, text);
    return 0;
}

/* Adds all addresses of a name. One that this machine does not have (::1 without IPv6, say, in the
 * usual /etc/hosts) is no failure where another one works. */
static int add_addresses(struct listener *listener, const struct addrinfo *addresses,
                         const struct wildcards *wildcards, uint16_t *port) {
    bool has_one = false;
    int missing_error = 0;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        int error = is_covered(listener, address->ai_addr, wildcards)
                        ? 0
                        : add_address(listener, address, port);
        if (error == 0) {
            has_one = true;
        } else if (error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT) {
            missing_error = error;
        } else {
            return error;
        }
    }
    return has_one ? 0 : missing_error;
}

/* Makes "::ffff:127.0.0.1" 127.0.0.1: a socket of IPv6 only cannot be bound to it. */
static void unmap_ipv4(struct addrinfo *address) {
    if (address->ai_family != AF_INET6 ||
        !IN6_IS_ADDR_V4MAPPED(&ipv6_of(address->ai_addr)->sin6_addr)) {
        return;
    }
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    memcpy(&ipv4.sin_addr, &ipv6_of(address->ai_addr)->sin6_addr.s6_addr[12], sizeof ipv4.sin_addr);
    memcpy(address->ai_addr, &ipv4, sizeof ipv4);
    address->ai_family = AF_INET;
    address->ai_addrlen = sizeof ipv4;
}

/* getaddrinfo, which knows "[::1]" as "::1" too, as listener_announce writes it, and "*" as all
 * addresses of IPv4 and of IPv6. No network is asked what "300.1.1.1" is: it is nothing. */
static int get_addresses(const char *name, struct addrinfo **addresses) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    char inner[NI_MAXHOST];
    if (strcmp(name, "*") == 0) {
        return getaddrinfo(NULL, "0", &hints, addresses);
    }
    size_t size = strlen(name);
    if (size >= 2 && size < sizeof inner && name[0] == '[' && name[size - 1] == ']') {
        (void)snprintf(inner, sizeof inner, "%.*s", (int)(size - 2), name + 1);
        name = inner;
    }
    if (name[strspn(name, "0123456789.")] == '\0') {
        hints.ai_flags |= AI_NUMERICHOST;
    }
    return getaddrinfo(name, NULL, &hints, addresses);
}

static int look_up(const char *name, struct addrinfo **addresses) {
    int lookup = get_addresses(name, addresses);
    for (struct addrinfo *next = lookup == 0 ? *addresses : NULL; next != NULL;
         next = next->ai_next) {
        unmap_ipv4(next);
    }
    return lookup;
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

/* Notes the wildcards among the names. What cannot be looked up is told by add_name. */
static struct wildcards find_wildcards(const char *const *names, size_t name_count) {
    struct wildcards wildcards = {false, false};
    for (size_t index = 0; index < name_count; index++) {
        struct addrinfo *found;
        if (look_up(names[index], &found) != 0) {
            continue;
        }
        for (const struct addrinfo *next = found; next != NULL; next = next->ai_next) {
            bool *wildcard = next->ai_family == AF_INET6 ? &wildcards.ipv6 : &wildcards.ipv4;
            *wildcard = *wildcard || is_wildcard(next->ai_addr);
        }
        freeaddrinfo(found);
    }
    return wildcards;
}

/* Listens on all that name stands for: "localhost" may be both 127.0.0.1 and ::1. */
static int add_name(struct listener *listener, const char *name, const struct wildcards *wildcards,
                    uint16_t *port, const struct logger *logger) {
    struct addrinfo *addresses;
    int lookup = look_up(name, &addresses);
    if (lookup != 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot listen on %s: %s", name,
                     gai_strerror(lookup));
        return -EADDRNOTAVAIL;
    }
    int error = add_addresses(listener, addresses, wildcards, port);
    freeaddrinfo(addresses);
    if (error != 0) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot listen on %s port %u: %s", name, *port,
                     error == -ENOSPC ? "too many addresses" : strerror(-error));
    }
    return error;
}

int listener_open(struct listener *listener, const char *const *addresses, size_t address_count,
                  uint16_t port, const struct logger *logger) {
    const struct wildcards wildcards = find_wildcards(addresses, address_count);
    listener->count = 0;
    listener->is_inherited = false;
    for (size_t index = 0; index < address_count; index++) {
        int error = add_name(listener, addresses[index], &wildcards, &port, logger);
        if (error != 0) {
            listener_close(listener);
            return error;
        }
    }
    return 0;
}

void listener_announce(const struct listener *listener, const struct logger *logger) {
    bool has_ipv4 = false;
    bool takes_all_ipv6 = false;
    for (size_t index = 0; index < listener->count; index++) {
        char text[LISTENER_ADDRESS_CAPACITY];
        (void)describe(listener->fds[index], text);
        logger_announce(logger, "listening on %s", text);
        has_ipv4 = has_ipv4 || text[0] != '[';
        takes_all_ipv6 = takes_all_ipv6 || strncmp(text, "[::]", 4) == 0;
    }
    if (takes_all_ipv6 && !has_ipv4) {
        logger_print(logger, LOG_LEVEL_INFO, "[::] takes IPv6 only; --bind='*' takes IPv4, too");
    }
}

uint16_t listener_port(const struct listener *listener) {
    char text[LISTENER_ADDRESS_CAPACITY];
    return listener->count == 0 ? 0 : describe(listener->fds[0], text);
}

void listener_close(struct listener *listener) {
    for (size_t index = 0; index < listener->count; index++) {
        (void)os_close(listener->fds[index]);
    }
    listener->count = 0;
}

static int at_least_one(int64_t seconds) {
    return seconds < 1 ? 1 : seconds < KEEPALIVE_S_MAX ? (int)seconds : KEEPALIVE_S_MAX;
}

void listener_bound_connection(int fd, int64_t timeout_ms) {
    int64_t seconds = timeout_ms / 1000;
    /* Probes from half of the time on; the last comes when it is over. */
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, at_least_one(seconds / 2));
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, at_least_one(seconds / 4));
    (void)set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                     timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX);
    (void)set_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_SIZE);
}

void listener_tune_connection(int fd) {
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    (void)set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBE_COUNT);
    /* What was sent and is not acknowledged ends a connection as soon as an unanswered probe. */
    (void)set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
                     (KEEPALIVE_IDLE_S + KEEPALIVE_PROBE_COUNT * KEEPALIVE_INTERVAL_S) * 1000);
}

void listener_set_reset_on_close(int fd, bool resets) {
    /* Lingering for no time at all is how a socket is told to close with RST. */
    struct linger linger = {.l_onoff = resets ? 1 : 0, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

void listener_finish_connection(int fd) {
    /* Much more than the kernel keeps of a peer that goes on sending. */
    enum { PIECE_SIZE = 16 * 1024, PIECE_COUNT_MAX = 1024 };
    char bytes[PIECE_SIZE];
    listener_set_reset_on_close(fd, false);
    (void)shutdown(fd, SHUT_WR);
    for (int count = 0; count < PIECE_COUNT_MAX && os_recv(fd, bytes, sizeof bytes) > 0; count++) {
    }
    (void)os_close(fd);
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
