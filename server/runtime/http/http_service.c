#include "server/runtime/http/http_service.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/runtime/http/http_answers.h"
#include "server/runtime/http/http_request.h"
#include "server/runtime/http/microhttpd.h"
#include "server/runtime/http/status_page.h"
#include "server/runtime/os.h"

enum {
    /* A connection has so long for its request and its answer; less where it keeps others waiting.
     */
    CONNECTION_PATIENCE_MS = 10 * 1000,
    CROWDED_PATIENCE_MS = 1000,

    /* So many connections are taken in so long: their answers cost a few hundredths of a
     * processor at the most. */
    ACCEPT_PERIOD_MS = 100,
    ACCEPTS_PER_PERIOD_MAX = 50,

    /* Request line and headers, and those of the answer. */
    REQUEST_MEMORY_SIZE = 16 * 1024,

    /* The page with all its clients and figures takes less than half of it. */
    ANSWER_CAPACITY = 128 * 1024,

    /* How long to leave poll alone when the kernel lacks memory for it. */
    MEMORY_PAUSE_MS = 250,

};

/* A connection: of the library, with our descriptor of it to end it by. */
struct slot {
    int fd;        /* -1: free */
    bool is_begun; /* the library has told of it */
    bool is_answered;
    bool is_ended; /* by us, and the library has not seen it yet */
    int64_t since_ms;
    char *answer; /* ANSWER_CAPACITY bytes */
};

struct http_service {
    struct http_server *server;
    struct http_server_configuration configuration;
    struct microhttpd library;
    struct MHD_Daemon *daemon;
    struct wakeup stop;
    char *memory; /* of all answers */
    struct slot slots[HTTP_CONNECTION_MAX];
    size_t free_count;
    int64_t accept_period_ms; /* when it began */
    size_t accept_count;      /* since then */
    struct http_answers answers;
    int64_t sample_ms; /* when to take the next point of the chart */
    uint16_t port;
};

/* False: the library has no memory. */
static bool add_headers(const struct http_service *service, struct MHD_Response *response,
                        enum http_answer answer) {
    const struct {
        const char *name;
        const char *value;
    } headers[] = {
        {"Content-Type", http_answers_content_type(answer)},
        {"Content-Security-Policy", status_page_policy},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
        {"Connection", "close"},
        {answer == HTTP_ANSWER_BAD_METHOD ? "Allow" : NULL, "GET, HEAD"},
    };
    for (size_t index = 0; index < sizeof headers / sizeof headers[0]; index++) {
        if (headers[index].name != NULL &&
            service->library.add_response_header(response, headers[index].name,
                                                 headers[index].value) != MHD_YES) {
            return false;
        }
    }
    return true;
}

/* Of the headers that count, the value and how often they come. */
static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
    (void)kind;
    struct http_request *request = context;
    const char *text = value != NULL ? value : "";
    if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
        request->host = text;
        request->host_count++;
    } else if (strcasecmp(name, MHD_HTTP_HEADER_ORIGIN) == 0) {
        request->origin = text;
        request->origin_count++;
    }
    return MHD_YES;
}

/* The library's call when the headers are there. A body is not waited for: the answer ends the
 * connection. */
static enum MHD_Result answer_request(void *context, struct MHD_Connection *connection,
                                      const char *path, const char *method, const char *version,
                                      const char *body, size_t *body_size, void **state) {
    (void)version;
    (void)body;
    (void)body_size;
    (void)state;
    struct http_service *service = context;
    const struct microhttpd *library = &service->library;
    const union MHD_ConnectionInfo *info =
        library->get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info == NULL || info->socket_context == NULL) {
        return MHD_NO;
    }
    struct slot *slot = info->socket_context;
    slot->is_answered = true;
    struct http_request request = {.method = method, .path = path, .port = service->port};
    (void)library->get_connection_values(connection, MHD_HEADER_KIND, take_header, &request);
    enum http_answer answer = http_request_judge(&request);
    struct text_buffer text;
    text_buffer_init(&text, slot->answer, ANSWER_CAPACITY);
    unsigned int code = http_answers_write(&service->answers, answer, &text);
    if (text.is_cut) {
        return MHD_NO; /* half an answer is worse than none */
    }
    struct MHD_Response *response =
        library->create_response_from_buffer(text.size, text.bytes, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        return MHD_NO;
    }
    enum MHD_Result result = MHD_NO;
    if (add_headers(service, response, answer)) {
        result = library->queue_response(connection, code, response);
    }
    library->destroy_response(response);
    return result;
}

/* The slot with this descriptor, or of -1 a free one; NULL: there is none. */
static struct slot *find_slot(struct http_service *service, int fd) {
    for (size_t index = 0; index < HTTP_CONNECTION_MAX; index++) {
        if (service->slots[index].fd == fd) {
            return &service->slots[index];
        }
    }
    return NULL;
}

static void release(struct http_service *service, struct slot *slot) {
    slot->fd = -1;
    service->free_count++;
}

/* The library's call when a connection begins, which may be long after it was added, and when it
 * has ended. */
static void note_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode notification) {
    struct http_service *service = context;
    if (notification == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            service->library.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct slot *slot = info != NULL ? find_slot(service, info->connect_fd) : NULL;
        if (slot != NULL) {
            slot->is_begun = true;
        }
        *socket_context = slot;
        return;
    }
    struct slot *slot = *socket_context;
    if (slot != NULL && slot->fd >= 0) {
        release(service, slot);
    }
}

static bool may_accept(const struct http_service *service) {
    return service->free_count > 0 && service->accept_count < ACCEPTS_PER_PERIOD_MAX;
}

static void accept_some(struct http_service *service) {
    int64_t now_ms = os_now_ms();
    if (now_ms - service->accept_period_ms >= ACCEPT_PERIOD_MS) {
        service->accept_period_ms = now_ms;
        service->accept_count = 0;
    }
    while (may_accept(service)) {
        struct sockaddr_storage peer;
        int fd = os_accept(service->server->listener.fds[0], &peer);
        if (fd < 0) {
            return; /* nobody, or no descriptor: then it is tried again at the next turn */
        }
        struct slot *slot = find_slot(service, -1);
        slot->fd = fd;
        slot->is_begun = slot->is_answered = slot->is_ended = false;
        slot->since_ms = now_ms;
        service->free_count--;
        service->accept_count++;
        if (service->library.add_connection(service->daemon, fd, (const struct sockaddr *)&peer,
                                            sizeof(struct sockaddr_in)) != MHD_YES &&
            slot->fd >= 0) {
            release(service, slot); /* the library has closed it */
        }
    }
}

/* Of what was added, the library has begun all but what it closed for want of memory. */
static void release_refused(struct http_service *service) {
    for (size_t index = 0; index < HTTP_CONNECTION_MAX; index++) {
        struct slot *slot = &service->slots[index];
        if (slot->fd >= 0 && !slot->is_begun) {
            release(service, slot);
        }
    }
}

/* When a connection's time is over; INT64_MAX: there is none in the slot. */
static int64_t deadline_ms(const struct http_service *service, const struct slot *slot) {
    if (slot->fd < 0 || slot->is_ended) {
        return INT64_MAX;
    }
    return slot->since_ms +
           (service->free_count > 0 ? CONNECTION_PATIENCE_MS : CROWDED_PATIENCE_MS);
}

static void end(struct slot *slot) {
    (void)shutdown(slot->fd, SHUT_RDWR); /* the library sees it and tidies up */
    slot->is_ended = true;
}

/* Ends the connections whose time is over. */
static void end_overdue(struct http_service *service, int64_t now_ms) {
    for (size_t index = 0; index < HTTP_CONNECTION_MAX; index++) {
        struct slot *slot = &service->slots[index];
        if (now_ms >= deadline_ms(service, slot)) {
            end(slot);
        }
    }
}

static void take_sample(struct http_service *service, int64_t now_ms) {
    if (now_ms < service->sample_ms) {
        return;
    }
    service->sample_ms = now_ms + HTTP_ANSWERS_SAMPLE_PERIOD_MS;
    http_answers_sample(&service->answers);
}

/* How long poll may wait: for the next sample, the next one who is overdue, or the next period. */
static int wait_ms(const struct http_service *service) {
    MHD_UNSIGNED_LONG_LONG library_ms = 0;
    int64_t next_ms = service->sample_ms;
    for (size_t index = 0; index < HTTP_CONNECTION_MAX; index++) {
        int64_t slot_ms = deadline_ms(service, &service->slots[index]);
        next_ms = slot_ms < next_ms ? slot_ms : next_ms;
    }
    if (service->accept_count == ACCEPTS_PER_PERIOD_MAX) {
        int64_t period_end_ms = service->accept_period_ms + ACCEPT_PERIOD_MS;
        next_ms = period_end_ms < next_ms ? period_end_ms : next_ms;
    }
    int64_t wait_ms = next_ms - os_now_ms();
    wait_ms = wait_ms > 0 ? wait_ms : 0;
    if (service->library.get_timeout(service->daemon, &library_ms) == MHD_YES &&
        library_ms < (MHD_UNSIGNED_LONG_LONG)wait_ms) {
        wait_ms = (int64_t)library_ms;
    }
    return (int)wait_ms;
}

/* The descriptors to wait for: the stop, the library, the listener, and of each slot whether a
 * request that is not there in full has come to its end. */
enum { POLLED_STOP, POLLED_LIBRARY, POLLED_LISTENER, POLLED_SLOTS };
enum { POLLED_COUNT = POLLED_SLOTS + HTTP_CONNECTION_MAX };

static void choose_polled(const struct http_service *service, struct pollfd *polled) {
    polled[POLLED_LISTENER].fd = may_accept(service) ? service->server->listener.fds[0] : -1;
    for (size_t index = 0; index < HTTP_CONNECTION_MAX; index++) {
        const struct slot *slot = &service->slots[index];
        bool is_polled = !slot->is_answered && !slot->is_ended;
        polled[POLLED_SLOTS + index] =
            (struct pollfd){.fd = is_polled ? slot->fd : -1, .events = POLLRDHUP};
    }
}

/* Ends the connections that have ended themselves in the middle of a request: the library, which
 * has read what there was, waits for more. */
static void end_unfinished(struct http_service *service, const struct pollfd *polled) {
    for (size_t index = 0; index < HTTP_CONNECTION_MAX; index++) {
        struct slot *slot = &service->slots[index];
        const struct pollfd *entry = &polled[POLLED_SLOTS + index];
        if (entry->revents != 0 && entry->fd == slot->fd && !slot->is_answered && !slot->is_ended) {
            end(slot);
        }
    }
}

void http_service_run(struct http_service *service) {
    const union MHD_DaemonInfo *info =
        service->library.get_daemon_info(service->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int epoll_fd = info != NULL ? info->epoll_fd : -1;
    struct pollfd polled[POLLED_COUNT] = {
        [POLLED_STOP] = {.fd = service->stop.fd, .events = POLLIN},
        [POLLED_LIBRARY] = {.fd = epoll_fd, .events = POLLIN},
        [POLLED_LISTENER] = {.events = POLLIN},
    };
    while (polled[POLLED_STOP].revents == 0) {
        choose_polled(service, polled);
        if (os_poll(polled, POLLED_COUNT, wait_ms(service)) < 0) {
            (void)os_poll(NULL, 0, MEMORY_PAUSE_MS); /* the kernel lacks memory */
            continue;
        }
        accept_some(service);
        (void)service->library.run(service->daemon);
        release_refused(service);
        end_unfinished(service, polled);
        int64_t now_ms = os_now_ms();
        end_overdue(service, now_ms);
        take_sample(service, now_ms);
    }
}

void http_service_stop(struct http_service *service) {
    wakeup_signal(&service->stop);
}

static bool fail(const struct http_service *service, const char *reason) {
    logger_print(service->configuration.logger, LOG_LEVEL_ERROR, "cannot serve the status page: %s",
                 reason);
    return false;
}

static bool set_up(struct http_service *service) {
    const char *problem = microhttpd_load(&service->library);
    if (problem != NULL) {
        logger_print(service->configuration.logger, LOG_LEVEL_ERROR,
                     "cannot load the library for --http-port (Debian: libmicrohttpd12): %s",
                     problem);
        return false;
    }
    int error = wakeup_init(&service->stop);
    if (error != 0) {
        return fail(service, strerror(-error));
    }
    service->memory = malloc((size_t)HTTP_CONNECTION_MAX * ANSWER_CAPACITY);
    if (service->memory == NULL) {
        return fail(service, strerror(ENOMEM));
    }
    for (size_t index = 0; index < HTTP_CONNECTION_MAX; index++) {
        service->slots[index] =
            (struct slot){.fd = -1, .answer = service->memory + index * ANSWER_CAPACITY};
    }
    service->daemon = service->library.start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, answer_request, service,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTION_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY_SIZE,
        MHD_OPTION_NOTIFY_CONNECTION, note_connection, service, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_END);
    return service->daemon != NULL || fail(service, "the HTTP library does not start");
}

struct http_service *http_service_create(struct http_server *server,
                                         const struct http_server_configuration *configuration) {
    struct http_service *service = calloc(1, sizeof *service);
    if (service == NULL) {
        logger_print(configuration->logger, LOG_LEVEL_ERROR,
                     "cannot serve the status page: no memory");
        return NULL;
    }
    int64_t now_ms = os_now_ms();
    service->server = server;
    service->configuration = *configuration;
    service->stop.fd = -1;
    service->free_count = HTTP_CONNECTION_MAX;
    service->sample_ms = now_ms;
    service->port = listener_port(&server->listener);
    http_answers_init(&service->answers, &server->inquiry, configuration->settings, now_ms);
    if (!set_up(service)) {
        http_service_destroy(service);
        return NULL;
    }
    return service;
}

void http_service_destroy(struct http_service *service) {
    if (service->daemon != NULL) {
        service->library.stop_daemon(service->daemon);
    }
    wakeup_destroy(&service->stop);
    free(service->memory);
    free(service);
}
