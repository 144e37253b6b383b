#include "server/sessions/session_daemon.h"

#include <string.h>

#include "server/runtime/os.h"
#include "server/runtime/signals.h"
#include "server/runtime/startup.h"

enum {
    /* The signals, the service manager's timer, and the status page. */
    OWN_WATCH_COUNT = 3,
    /* Standard streams, signals, listening sockets, the store's connection, those of the status
     * page, and some to spare. */
    OTHER_DESCRIPTOR_COUNT = LISTENER_CAPACITY + HTTP_DESCRIPTOR_COUNT + 32,
};

void session_daemon_set_defaults(struct session_daemon_settings *settings) {
    *settings = (struct session_daemon_settings){
        .addresses = {.items = {"127.0.0.1"}, .count = 1},
        .peer_connection_count_max = -1,
        .session_ttl_ms = 30 * 1000,
        .store = "memory",
        .http_port = HTTP_PORT_NONE,
        .log_level = LOG_LEVEL_INFO,
    };
}

bool session_daemon_check(struct session_daemon_settings *settings, const struct options *options) {
    const char *problem = session_store_choose(settings->store, &settings->store_choice);
    if (problem != NULL) {
        options_complain(options, "--store takes memory, or a URL of Redis: %s", problem);
        return false;
    }
    return startup_check_addresses(options, &settings->addresses);
}

bool session_daemon_build(struct session_daemon *daemon,
                          const struct session_daemon_settings *settings, const char *prefix,
                          int64_t note_ttl_ms) {
    const struct session_store_limits limits = {
        .capacity = (size_t)settings->session_count_max,
        .peer_max = session_store_peer_max(settings->peer_connection_count_max),
        .ttl_ms = settings->session_ttl_ms,
        .note_capacity = note_ttl_ms > 0 ? (size_t)settings->session_count_max : 0,
        .note_ttl_ms = note_ttl_ms,
    };
    const struct logger *logger = &daemon->logger;
    daemon->settings = settings;
    logger_init(&daemon->logger, (enum log_level)settings->log_level);
    daemon->signal_fd = startup_prepare_process(logger);
    if (daemon->signal_fd < 0 || !http_server_open(&daemon->http, settings->http_port, logger) ||
        session_store_open(&daemon->store, &settings->store_choice, prefix, &limits, logger) != 0) {
        return false;
    }
    if (http_server_inquiry(&daemon->http) != NULL) {
        session_store_measure(&daemon->measured, &daemon->store);
    }
    service_manager_open(&daemon->manager, logger);
    return true;
}

static void handle_signal(void *context, short events) {
    struct session_daemon *daemon = context;
    (void)events;
    int signal_number = signals_next(daemon->signal_fd);
    if (signal_number == 0) {
        return;
    }
    bool is_first = !daemon->is_ending;
    daemon->is_ending = true;
    logger_print(&daemon->logger, LOG_LEVEL_INFO, "shutting down%s: %s", is_first ? "" : " at once",
                 signal_number > 0 ? strsignal(signal_number)
                                   : "a signal came that cannot be read");
    if (is_first) {
        service_manager_say_stopping(&daemon->manager);
    }
    daemon->service->end(daemon->context, is_first);
}

static int make_room(struct session_daemon *daemon) {
    const size_t served_max = (size_t)daemon->settings->connection_count_max;
    const size_t refused_max = daemon->service->refused_max;
    const struct clients_configuration configuration = {
        .handlers = &daemon->service->clients,
        .context = daemon->context,
        .loop = &daemon->loop,
        .served_max = served_max,
        .refused_max = refused_max,
        .peer_max = daemon->settings->peer_connection_count_max,
        .logger = &daemon->logger,
    };
    startup_allow_clients(served_max, OTHER_DESCRIPTOR_COUNT + refused_max, &daemon->logger);
    int error = epoll_loop_init(&daemon->loop,
                                clients_watch_count_max(served_max, refused_max) + OWN_WATCH_COUNT);
    error = error != 0 ? error : clients_init(&daemon->clients, &configuration);
    if (error != 0) {
        logger_print(&daemon->logger, LOG_LEVEL_ERROR, "cannot make room for %zu connections: %s",
                     served_max, strerror(-error));
    }
    return error;
}

int session_daemon_open_loop(struct session_daemon *daemon,
                             const struct session_daemon_service *service, void *context) {
    struct inquiry *inquiry = http_server_inquiry(&daemon->http);
    const struct epoll_input inputs[OWN_WATCH_COUNT] = {
        {daemon->signal_fd, handle_signal, daemon},
        {service_manager_timer_fd(&daemon->manager), service_manager_handle_timer,
         &daemon->manager},
        {inquiry_fd(inquiry), inquiry_on_asked, inquiry},
    };
    daemon->service = service;
    daemon->context = context;
    int error = make_room(daemon);
    if (error != 0) {
        return error;
    }
    error = epoll_loop_add_inputs(&daemon->loop, inputs, OWN_WATCH_COUNT);
    if (error != 0) {
        (void)startup_fail(&daemon->logger, "watch for signals", error);
    }
    return error;
}

int session_daemon_listen(struct session_daemon *daemon, uint16_t port,
                          const struct logger *logger) {
    int error = startup_listen(&daemon->listener, NULL, &daemon->settings->addresses, port, logger);
    if (error != 0) {
        return error;
    }
    error = clients_listen(&daemon->clients, &daemon->listener);
    if (error != 0) {
        (void)startup_fail(logger, "watch the port", error);
        listener_close(&daemon->listener);
    }
    return error;
}

void session_daemon_stop_listening(struct session_daemon *daemon) {
    clients_stop_listening(&daemon->clients);
    listener_close(&daemon->listener);
}

void session_daemon_say_ready(const struct session_daemon *daemon) {
    listener_announce(&daemon->listener, &daemon->logger);
    service_manager_say_ready(&daemon->manager);
}

bool session_daemon_start_page(struct session_daemon *daemon, struct status_source source) {
    const struct http_server_configuration configuration = {
        .source = source, .settings = daemon->settings->in_force, .logger = &daemon->logger};
    return http_server_start(&daemon->http, &configuration);
}

int session_daemon_run_until(struct session_daemon *daemon, int64_t due_ms) {
    int64_t clients_ms = clients_due_ms(&daemon->clients);
    int fired_count =
        epoll_loop_run_until(&daemon->loop, due_ms < clients_ms ? due_ms : clients_ms);
    if (fired_count >= 0) {
        return 0;
    }
    logger_print(&daemon->logger, LOG_LEVEL_ERROR, "epoll failed: %s", strerror(-fired_count));
    return fired_count;
}

void session_daemon_stop(struct session_daemon *daemon) {
    http_server_stop(&daemon->http);
    clients_destroy(&daemon->clients);
    listener_close(&daemon->listener);
    epoll_loop_destroy(&daemon->loop);
}

void session_daemon_take_down(struct session_daemon *daemon) {
    service_manager_close(&daemon->manager);
    session_store_destroy(&daemon->store);
    http_server_close(&daemon->http);
    if (daemon->signal_fd >= 0) {
        (void)os_close(daemon->signal_fd);
    }
}
