/*
 * The load client's way to a server: a connection to send on, and the one that says "terminate".
 *
 * Ownership: a socket that is returned is the caller's. Threading: any thread.
 */
#ifndef BENCH_NUMBERS_LOAD_CONNECT_H_
#define BENCH_NUMBERS_LOAD_CONNECT_H_

#include <netdb.h>
#include <stdint.h>

/* Connects to the first of the addresses that answers, for ten seconds each at most. Returns the
 * non-blocking socket, or -1 with errno set. */
int load_connect(const struct addrinfo *addresses);

/*
 * Sends "terminate" on a connection of its own and waits for the server to end it, timeout_ms at
 * most (0: without limit). How it does so says nothing: it ends every connection at once. Returns 0
 * or an errno value.
 */
int load_terminate(const struct addrinfo *addresses, uint32_t timeout_ms);

#endif /* BENCH_NUMBERS_LOAD_CONNECT_H_ */
