/*
 * What the daemon tells the program that started it and watches over it, as systemd(1) wants it
 * from a service of Type=notify (sd_notify(3) has the protocol): that it serves, that it ends, how
 * it is, and, again and again, that its event loop still turns.
 *
 * Without NOTIFY_SOCKET in the environment nobody wants to know, and all of this does nothing.
 *
 * Ownership: the manager owns its two descriptors. Threading: service_manager_say_status may be
 * called by any thread while the manager is open, the rest belongs to the event loop's.
 */
#ifndef SERVER_RUNTIME_SERVICE_MANAGER_H_
#define SERVER_RUNTIME_SERVICE_MANAGER_H_

#include <stdbool.h>
#include <stdint.h>

#include "server/runtime/logger.h"

#ifdef __cplusplus
extern "C" {
#endif

struct service_manager {
    bool is_connected;
    bool has_timer;
    int socket_fd; /* if it is connected */
    int timer_fd;  /* if it has a timer: readable whenever the manager wants to hear of the loop */
};

/* Reads NOTIFY_SOCKET, a path or "@" and an abstract name, WATCHDOG_USEC and WATCHDOG_PID. What
 * cannot be used is warned of: the daemon serves without a manager, too. */
void service_manager_open(struct service_manager *manager, const struct logger *logger);

/* What the event loop has to watch for POLLIN, with service_manager_handle_timer as its handler and
 * the manager as its context; -1: nothing. */
int service_manager_timer_fd(const struct service_manager *manager);

/* Says that the loop turns. A handler of both loops (poll_loop.h, epoll_loop.h). */
void service_manager_handle_timer(void *context, short events);

/* Says that clients are served from now on. */
void service_manager_say_ready(const struct service_manager *manager);

/* Says that the daemon is about to end, which may take a while. */
void service_manager_say_stopping(const struct service_manager *manager);

/* Says in a line for people how the daemon is; left out when the manager has no room for it. Of a
 * text of several lines the first one counts. */
void service_manager_say_status(const struct service_manager *manager, const char *text);

/* Does nothing to a zeroed manager. */
void service_manager_close(struct service_manager *manager);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_SERVICE_MANAGER_H_ */
