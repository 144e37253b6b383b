/*
 * A blocking connection to a server, with a time limit.
 *
 * Threading: any thread; it blocks.
 */
#ifndef SERVER_STATION_CLIENT_SOCKET_H_
#define SERVER_STATION_CLIENT_SOCKET_H_

#include <stdint.h>

/* Connects to one of the host's addresses. The descriptor, or a negative errno value; -ENOENT: the
 * name leads nowhere. */
int client_socket_connect(const char *host, uint16_t port, int64_t timeout_ms);

/* Waits for poll events until deadline_ms. The events that happened, 0 when the time is over, or a
 * negative errno value. */
int client_socket_wait(int fd, short events, int64_t deadline_ms);

#endif /* SERVER_STATION_CLIENT_SOCKET_H_ */
