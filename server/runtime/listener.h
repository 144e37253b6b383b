/*
 * Listening sockets: IPv4 and IPv6 addresses and names (which are looked up, by DNS too), several
 * at a time.
 *
 * Ownership: the listener owns its descriptors. Threading: the poll loop's thread.
 */
#ifndef SERVER_RUNTIME_LISTENER_H_
#define SERVER_RUNTIME_LISTENER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* More than the addresses that a machine usually has; each costs a descriptor. */
    LISTENER_CAPACITY = 16,
    /* How many connections the kernel keeps until they are accepted: a flood of them fits. The
     * kernel lowers it to net.core.somaxconn. */
    LISTENER_BACKLOG = 4096,
    /* An address and a port as text, with the longest name of a network interface. */
    LISTENER_ADDRESS_CAPACITY = 80,
};

struct listener {
    int fds[LISTENER_CAPACITY];
    size_t count;
    bool is_inherited; /* so a connection may be older than what is set here */
};

/* The first of the addresses that names nothing there is, nor ever will be; NULL: none. For the
 * command line: whether one can be listened on shows listener_open. */
const char *listener_find_nonsense(const char *const *addresses, size_t address_count);

/* Listens on port of each address ("127.0.0.1", "::1", "[::1]", "0.0.0.0", "localhost"; "*" is both
 * "0.0.0.0" and "::", which is of IPv6 only). Addresses that are given twice, or that another one
 * includes, are one. Port 0 takes a free one, the same for all addresses. Returns 0, or a negative
 * errno value with nothing left open and the reason printed. Peers can connect from now on and wait
 * until they are accepted. */
int listener_open(struct listener *listener, const char *const *addresses, size_t address_count,
                  uint16_t port, const struct logger *logger);

/* Says "listening on ADDRESS:PORT" for each address, at every log level: the daemon is ready, and
 * this is the port where it was told to take any. */
void listener_announce(const struct listener *listener, const struct logger *logger);

/* The port that all addresses share, also where the system chose it; 0 if it cannot be told. */
uint16_t listener_port(const struct listener *listener);

void listener_close(struct listener *listener);

/* Sets what a connection needs: TCP_NODELAY and keepalive. Accepted ones have it from their
 * listener. Failures do no harm. */
void listener_tune_connection(int fd);

/* Makes the kernel end a connection whose peer has not been heard of for `timeout_ms`, with data on
 * its way or without: it is then reported as broken. Bounds what waits in the kernel for the peer
 * to take, too. Failures do no harm. */
void listener_bound_connection(int fd, int64_t timeout_ms);

/* Closes with FIN, also where the peer goes on sending: reads away what has arrived, within bounds,
 * because a close with unread bytes sends RST. */
void listener_finish_connection(int fd);

/* Closes with RST instead of FIN: the peer learns that what it sent may not have been kept. */
void listener_reset_connection(int fd);

/* Whether an address is this machine's own: 127.0.0.0/8, ::1, or the former as an IPv6 address. */
bool listener_is_loopback(const struct sockaddr *address);

/* Writes "127.0.0.1:4000" or "[::1]:4000" to text (LISTENER_ADDRESS_CAPACITY) and returns it. */
const char *listener_format_address(const struct sockaddr_storage *address, char *text);

/* The same of the other end of a connection; "?" where the kernel does not know it any more. */
const char *listener_name_peer(int fd, char *text);

/* Chooses what a close sends from now on, the kernel's close after a crash or kill -9 too: RST
 * (true), so that a FIN is always this program's own word, or FIN (false, as at first). */
void listener_set_reset_on_close(int fd, bool resets);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_LISTENER_H_ */
