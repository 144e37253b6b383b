#include "server/sequence/client_link.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server/runtime/os.h"

enum {
    /* The longest reply, and what a stream may have sent behind it. */
    BUFFER_SIZE = PROTOCOL_REPLY_SIZE_MAX + 65536,
    PORT_TEXT_SIZE = 8,
};

int client_link_init(struct client_link *link, int64_t timeout_ms) {
    *link = (struct client_link){.fd = -1, .timeout_ms = timeout_ms};
    link->bytes = malloc(BUFFER_SIZE);
    return link->bytes == NULL ? -ENOMEM : 0;
}

void client_link_destroy(struct client_link *link) {
    free(link->bytes);
}

/* Waits for `events` until `deadline_ms`. 0, or -ETIMEDOUT or what poll() reported. */
static int wait_for(struct client_link *link, short events, int64_t deadline_ms) {
    struct pollfd polled = {.fd = link->fd, .events = events};
    for (;;) {
        int64_t left_ms = deadline_ms - os_now_ms();
        if (left_ms < 0) {
            left_ms = 0;
        }
        int count = os_poll(&polled, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        if (count != 0) {
            return count < 0 ? count : 0;
        }
        if (os_now_ms() >= deadline_ms) {
            return -ETIMEDOUT;
        }
    }
}

/* Connects to one of the host's addresses. */
static int connect_to(struct client_link *link, const struct addrinfo *address) {
    int error = 0;
    socklen_t error_size = sizeof error;
    link->fd = os_socket(address->ai_family, SOCK_STREAM, 0);
    if (link->fd < 0) {
        return link->fd;
    }
    if (connect(link->fd, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS || error == EINTR) {
            error = -wait_for(link, POLLOUT, os_now_ms() + link->timeout_ms);
        }
        if (error == 0 && getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) {
            error = errno;
        }
    }
    if (error != 0) {
        client_link_close(link);
        return -error;
    }
    int yes = 1;
    /* Each request is a segment of its own; without this it works too, only slower. */
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return 0;
}

/* What a failed lookup means for client_link_open(). */
static int judge_lookup(struct client_link *link, int lookup) {
    bool may_pass = lookup == EAI_AGAIN || lookup == EAI_MEMORY || lookup == EAI_SYSTEM;
    link->problem = lookup == EAI_SYSTEM ? strerror(errno) : gai_strerror(lookup);
    return may_pass ? -EAGAIN : -ENOENT;
}

int client_link_open(struct client_link *link, const char *host, uint16_t port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char port_text[PORT_TEXT_SIZE];
    link->start = 0;
    link->end = 0;
    link->problem = NULL;
    (void)snprintf(port_text, sizeof port_text, "%u", port);
    int lookup = getaddrinfo(host, port_text, &hints, &addresses);
    if (lookup != 0) {
        return judge_lookup(link, lookup);
    }
    int error = -EHOSTUNREACH;
    for (const struct addrinfo *address = addresses; address != NULL && error != 0;
         address = address->ai_next) {
        error = connect_to(link, address);
    }
    freeaddrinfo(addresses);
    return error;
}

void client_link_close(struct client_link *link) {
    if (link->fd >= 0) {
        (void)os_close(link->fd);
    }
    link->fd = -1;
}

int client_link_send(struct client_link *link, const char *bytes, size_t size) {
    int64_t deadline_ms = os_now_ms() + link->timeout_ms;
    while (size > 0) {
        ssize_t sent_size = os_send(link->fd, bytes, size);
        if (sent_size == -EAGAIN) {
            sent_size = wait_for(link, POLLOUT, deadline_ms);
        }
        if (sent_size < 0) {
            return (int)sent_size;
        }
        bytes += sent_size;
        size -= (size_t)sent_size;
    }
    return 0;
}

/* Receives what there is, waiting for it if need be. */
static int receive_more(struct client_link *link) {
    if (link->end == BUFFER_SIZE) {
        memmove(link->bytes, link->bytes + link->start, link->end - link->start);
        link->end -= link->start;
        link->start = 0;
    }
    int64_t deadline_ms = os_now_ms() + link->timeout_ms;
    for (;;) {
        ssize_t size = os_recv(link->fd, link->bytes + link->end, BUFFER_SIZE - link->end);
        if (size > 0) {
            link->end += (size_t)size;
            return 0;
        }
        if (size == 0) {
            link->problem = "Connection closed by the server";
            return -ECONNABORTED;
        }
        if (size == -EAGAIN) {
            size = wait_for(link, POLLIN, deadline_ms);
        }
        if (size < 0) {
            return (int)size;
        }
    }
}

int client_link_receive(struct client_link *link, uint8_t *numbers, size_t capacity,
                        struct protocol_reply *reply, const char **text, size_t *text_size) {
    for (;;) {
        enum protocol_error protocol_error;
        switch (protocol_parse_reply(link->bytes + link->start, link->end - link->start, numbers,
                                     capacity, reply, text_size, &protocol_error)) {
        case PROTOCOL_COMPLETE:
            *text = link->bytes + link->start;
            link->start += *text_size;
            return 0;
        case PROTOCOL_INVALID:
            link->problem = protocol_describe_error(protocol_error);
            return -EPROTO;
        case PROTOCOL_PARTIAL:
            break;
        }
        if (link->start == link->end) {
            link->start = 0;
            link->end = 0;
        }
        int error = receive_more(link);
        if (error != 0) {
            return error;
        }
    }
}
