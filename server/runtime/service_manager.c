#include "server/runtime/service_manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/runtime/decimal_text.h"
#include "server/runtime/os.h"

enum {
    STATUS_CAPACITY = 512,
    MICROSECONDS_PER_MS = 1000,
    /* How long the manager may have no room for a message that it waits for. */
    ROOM_WAIT_MS = 5000,
};

/* The descriptor of a socket that is connected to the name, or a negative errno value. */
static int connect_to(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length < 2) {
        return -EINVAL;
    }
    if (length >= sizeof address.sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(address.sun_path, name, length);
    if (name[0] == '@') {
        address.sun_path[0] = '\0'; /* an abstract name: all of its bytes count, and no more */
    }
    int fd = os_socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) {
        return fd;
    }
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (connect(fd, (const struct sockaddr *)&address, size) != 0) {
        int error = -errno;
        (void)os_close(fd);
        return error;
    }
    return fd;
}

/* How often the manager wants to hear of the loop; 0: never, as its variables are not for this
 * process, and -1 where they say nothing that makes sense. */
static int64_t watchdog_interval_ms(void) {
    const char *microseconds_text = getenv("WATCHDOG_USEC");
    const char *process_text = getenv("WATCHDOG_PID");
    uint64_t microseconds;
    uint64_t process;
    if (microseconds_text == NULL) {
        return 0;
    }
    if (process_text != NULL) {
        if (!decimal_text_read(process_text, INT32_MAX, &process)) {
            return -1;
        }
        if (process != (uint64_t)getpid()) {
            return 0;
        }
    }
    if (!decimal_text_read(microseconds_text, INT64_MAX, &microseconds) || microseconds == 0) {
        return -1;
    }
    /* Twice in the time after which the manager loses patience, as its manual wants it. */
    int64_t interval_ms = (int64_t)(microseconds / 2 / MICROSECONDS_PER_MS);
    return interval_ms > 0 ? interval_ms : 1;
}

static void start_timer(struct service_manager *manager, const struct logger *logger) {
    int64_t interval_ms = watchdog_interval_ms();
    if (interval_ms == 0) {
        return;
    }
    int fd = interval_ms < 0 ? -EINVAL : os_timer(interval_ms);
    if (fd < 0) {
        logger_print(logger, LOG_LEVEL_WARNING, "the watchdog cannot be served: %s", strerror(-fd));
        return;
    }
    manager->timer_fd = fd;
    manager->has_timer = true;
}

void service_manager_open(struct service_manager *manager, const struct logger *logger) {
    *manager = (struct service_manager){0};
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL || name[0] == '\0') {
        return;
    }
    int fd = connect_to(name);
    if (fd < 0) {
        logger_print(logger, LOG_LEVEL_WARNING, "the service manager cannot be told: %s: %s", name,
                     strerror(-fd));
        return;
    }
    manager->socket_fd = fd;
    manager->is_connected = true;
    start_timer(manager, logger);
}

int service_manager_timer_fd(const struct service_manager *manager) {
    return manager->has_timer ? manager->timer_fd : -1;
}

/* A message is a datagram: all of it or nothing. That it could not be sent changes nothing here. */
static void say(const struct service_manager *manager, const char *message) {
    if (manager->is_connected) {
        (void)os_send(manager->socket_fd, message, strlen(message));
    }
}

/* Says what the manager waits for, so that it has a moment to make room. */
static void say_surely(const struct service_manager *manager, const char *message) {
    struct pollfd polled = {.fd = manager->socket_fd, .events = POLLOUT};
    if (manager->is_connected) {
        (void)os_poll(&polled, 1, ROOM_WAIT_MS);
        say(manager, message);
    }
}

void service_manager_handle_timer(void *context, short events) {
    (void)events;
    const struct service_manager *manager = context;
    uint64_t count;
    (void)os_read(manager->timer_fd, &count, sizeof count);
    say(manager, "WATCHDOG=1");
}

void service_manager_say_ready(const struct service_manager *manager) {
    say_surely(manager, "READY=1\nSTATUS=Serving.");
}

void service_manager_say_stopping(const struct service_manager *manager) {
    say_surely(manager, "STOPPING=1\nSTATUS=Shutting down.");
}

void service_manager_say_status(const struct service_manager *manager, const char *text) {
    char message[STATUS_CAPACITY];
    (void)snprintf(message, sizeof message, "STATUS=%.*s", (int)strcspn(text, "\n"), text);
    say(manager, message);
}

void service_manager_close(struct service_manager *manager) {
    if (manager->has_timer) {
        (void)os_close(manager->timer_fd);
    }
    if (manager->is_connected) {
        (void)os_close(manager->socket_fd);
    }
    *manager = (struct service_manager){0};
}
