/*
 * What the daemons of sessions have in common beside their service: options, the parts that are
 * built before the server, which are signals, status page, store and service manager, and the event
 * loop with the port and its clients. What clients are told, and how the daemon ends, is the
 * service's business.
 *
 * Ownership: the daemon owns its parts; it refers to its settings, whose texts are those of argv.
 * Threading: one thread.
 */
#ifndef SERVER_SESSIONS_SESSION_DAEMON_H_
#define SERVER_SESSIONS_SESSION_DAEMON_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/clients.h"
#include "server/runtime/epoll_loop.h"
#include "server/runtime/http/http_server.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"
#include "server/runtime/option_settings.h"
#include "server/runtime/options.h"
#include "server/runtime/service_manager.h"
#include "server/sessions/session_store_measured.h"
#include "server/sessions/session_store_open.h"

/* What each can be told on its command line, in the units of the options. */
struct session_daemon_settings {
    int64_t port; /* 0: any free one */
    struct option_list addresses;
    int64_t connection_count_max;
    int64_t peer_connection_count_max; /* as clients_configuration.peer_max */
    int64_t session_count_max;
    int64_t session_ttl_ms;
    const char *store;
    struct session_store_choice store_choice; /* what `store` says */
    int64_t http_port;                        /* HTTP_PORT_NONE: no status page */
    int log_level;
    char in_force[OPTION_SETTINGS_CAPACITY]; /* the options, for the page */
};

/* Fills in the defaults but for what the services' limits say: port and counts. */
void session_daemon_set_defaults(struct session_daemon_settings *settings);

/* Judges what options_parse cannot, the store and the addresses. False: complains of it. */
bool session_daemon_check(struct session_daemon_settings *settings, const struct options *options);

/* What the service does in the loop. */
struct session_daemon_service {
    struct clients_handlers clients;
    /* A signal came that ends the daemon: the first one, or another. It was told of. */
    void (*end)(void *context, bool is_first);
    size_t refused_max; /* as clients_configuration.refused_max */
};

/* The parts, in the order in which they are built. */
struct session_daemon {
    const struct session_daemon_settings *settings;
    struct logger logger;
    int signal_fd;
    struct http_server http;
    struct session_store store;
    struct session_store_measured measured; /* the store's figures, where there is a page */
    struct service_manager manager;
    const struct session_daemon_service *service;
    void *context; /* the service's */
    struct epoll_loop loop;
    struct clients clients;
    struct listener listener;
    bool is_ending; /* a signal came */
};

/* Builds all that comes before the loop. Keys in Redis begin with `prefix`; notes are kept for
 * note_ttl_ms, 0: there are none. False: the reason was printed; either way the daemon is to be
 * stopped and taken down. */
bool session_daemon_build(struct session_daemon *daemon,
                          const struct session_daemon_settings *settings, const char *prefix,
                          int64_t note_ttl_ms);

/* Makes room for the clients, and watches everything but the port. 0, or a negative errno value
 * with the reason printed. */
int session_daemon_open_loop(struct session_daemon *daemon,
                             const struct session_daemon_service *service, void *context);

/* Listens on `port`, and accepts connections. 0, or a negative errno value with nothing left open
 * and `logger` told the reason. */
int session_daemon_listen(struct session_daemon *daemon, uint16_t port,
                          const struct logger *logger);
void session_daemon_stop_listening(struct session_daemon *daemon);

/* Tells the user and the service manager that clients are served. */
void session_daemon_say_ready(const struct session_daemon *daemon);

/* Starts the status page, if one is wanted. False: the reason was printed. */
bool session_daemon_start_page(struct session_daemon *daemon, struct status_source source);

/* Waits until something happens, or the time is due_ms, or a client's (clients_due_ms), and handles
 * the events. 0, or a negative errno value with the reason printed. */
int session_daemon_run_until(struct session_daemon *daemon, int64_t due_ms);

/* Stops the page, and ends all clients and the loop: nothing is asked of the server after that. */
void session_daemon_stop(struct session_daemon *daemon);

/* Takes down what there is, in reverse. */
void session_daemon_take_down(struct session_daemon *daemon);

#endif /* SERVER_SESSIONS_SESSION_DAEMON_H_ */
