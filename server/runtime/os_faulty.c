#include "server/runtime/os_faulty.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/runtime/os.h"
#include "server/runtime/os_fault_plan.h"

/* Every function of os.h, by its name, and the real one. */
#define OS_FUNCTION(name) #name,
static const char *const function_names[] = {
#include "server/runtime/os_functions.h"
};
#undef OS_FUNCTION
#define OS_FUNCTION(name) extern __typeof__(os_##name) real_os_##name;
#include "server/runtime/os_functions.h"

enum { FUNCTION_COUNT = sizeof function_names / sizeof function_names[0] };

/* What becomes of one call. */
struct fate {
    int error;
    size_t short_size;
    int delay_ms;
};

static struct {
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    struct os_fault_rule rules[OS_FAULT_RULE_CAPACITY];
    size_t rule_count;
    uint64_t call_counts[FUNCTION_COUNT];
    uint64_t fault_count;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* FUNCTION_COUNT: there is none of that name. */
static size_t find_function(const char *name) {
    size_t index = 0;
    while (index < FUNCTION_COUNT && strcmp(function_names[index], name) != 0) {
        index++;
    }
    return index;
}

bool os_faulty_plan(const char *plan) {
    struct os_fault_rule rules[OS_FAULT_RULE_CAPACITY];
    size_t rule_count;
    bool is_understood = os_fault_plan_read(plan, rules, &rule_count);
    for (size_t index = 0; index < rule_count; index++) {
        is_understood = is_understood && find_function(rules[index].function) < FUNCTION_COUNT;
    }
    rule_count = is_understood ? rule_count : 0;
    (void)pthread_mutex_lock(&state.mutex);
    state.rule_count = rule_count;
    memcpy(state.rules, rules, rule_count * sizeof rules[0]);
    memset(state.call_counts, 0, sizeof state.call_counts);
    state.fault_count = 0;
    (void)pthread_cond_broadcast(&state.changed);
    (void)pthread_mutex_unlock(&state.mutex);
    return is_understood;
}

uint64_t os_faulty_call_count(const char *function) {
    size_t index = find_function(function);
    (void)pthread_mutex_lock(&state.mutex);
    uint64_t count = index == FUNCTION_COUNT ? 0 : state.call_counts[index];
    (void)pthread_mutex_unlock(&state.mutex);
    return count;
}

uint64_t os_faulty_fault_count(void) {
    (void)pthread_mutex_lock(&state.mutex);
    uint64_t count = state.fault_count;
    (void)pthread_mutex_unlock(&state.mutex);
    return count;
}

void os_faulty_await_call(const char *function, uint64_t call_count) {
    size_t index = find_function(function);
    (void)pthread_mutex_lock(&state.mutex);
    while (index != FUNCTION_COUNT && state.call_counts[index] < call_count) {
        (void)pthread_cond_wait(&state.changed, &state.mutex);
    }
    (void)pthread_mutex_unlock(&state.mutex);
}

void os_faulty_release(void) {
    (void)pthread_mutex_lock(&state.mutex);
    for (size_t index = 0; index < state.rule_count; index++) {
        state.rules[index].holds = false;
    }
    (void)pthread_cond_broadcast(&state.changed);
    (void)pthread_mutex_unlock(&state.mutex);
}

static bool applies(const struct os_fault_rule *rule, const char *function, uint64_t call) {
    return strcmp(rule->function, function) == 0 && call >= rule->first_call &&
           call <= rule->last_call;
}

/* Whether a rule that still holds applies. Call with the mutex held. */
static bool is_held(const char *function, uint64_t call) {
    for (size_t index = 0; index < state.rule_count; index++) {
        if (state.rules[index].holds && applies(&state.rules[index], function, call)) {
            return true;
        }
    }
    return false;
}

/* Counts a call and says what is to become of it. */
static struct fate decide(const char *function) {
    struct fate fate = {.short_size = SIZE_MAX};
    (void)pthread_mutex_lock(&state.mutex);
    uint64_t call = ++state.call_counts[find_function(function)];
    bool is_changed = is_held(function, call);
    (void)pthread_cond_broadcast(&state.changed);
    while (is_held(function, call)) {
        (void)pthread_cond_wait(&state.changed, &state.mutex);
    }
    for (size_t index = 0; index < state.rule_count; index++) {
        const struct os_fault_rule *rule = &state.rules[index];
        if (!applies(rule, function, call)) {
            continue;
        }
        is_changed = true;
        fate.delay_ms += rule->delay_ms;
        fate.error = fate.error == 0 ? rule->error : fate.error;
        fate.short_size = rule->short_size < fate.short_size ? rule->short_size : fate.short_size;
    }
    state.fault_count += is_changed;
    (void)pthread_mutex_unlock(&state.mutex);
    if (fate.delay_ms > 0) {
        (void)real_os_poll(NULL, 0, fate.delay_ms);
    }
    return fate;
}

static size_t shorten(size_t size, struct fate fate) {
    return size < fate.short_size ? size : fate.short_size;
}

int os_open(const char *path, int flags, mode_t mode) {
    struct fate fate = decide("open");
    return fate.error != 0 ? -fate.error : real_os_open(path, flags, mode);
}

int os_close(int fd) {
    struct fate fate = decide("close");
    /* A close that fails has closed all the same. */
    int result = real_os_close(fd);
    return fate.error != 0 ? -fate.error : result;
}

ssize_t os_read(int fd, void *bytes, size_t size) {
    struct fate fate = decide("read");
    return fate.error != 0 ? -fate.error : real_os_read(fd, bytes, shorten(size, fate));
}

ssize_t os_write(int fd, const void *bytes, size_t size) {
    struct fate fate = decide("write");
    return fate.error != 0 ? -fate.error : real_os_write(fd, bytes, shorten(size, fate));
}

ssize_t os_pread(int fd, void *bytes, size_t size, off_t offset) {
    struct fate fate = decide("pread");
    return fate.error != 0 ? -fate.error : real_os_pread(fd, bytes, shorten(size, fate), offset);
}

ssize_t os_append(int fd, const void *bytes, size_t size) {
    struct fate fate = decide("append");
    return fate.error != 0 ? -fate.error : real_os_append(fd, bytes, shorten(size, fate));
}

off_t os_file_size(int fd) {
    struct fate fate = decide("file_size");
    return fate.error != 0 ? -fate.error : real_os_file_size(fd);
}

int os_open_standard_streams(void) {
    struct fate fate = decide("open_standard_streams");
    return fate.error != 0 ? -fate.error : real_os_open_standard_streams();
}

int os_ftruncate(int fd, off_t size) {
    struct fate fate = decide("ftruncate");
    return fate.error != 0 ? -fate.error : real_os_ftruncate(fd, size);
}

int os_fdatasync(int fd) {
    struct fate fate = decide("fdatasync");
    return fate.error != 0 ? -fate.error : real_os_fdatasync(fd);
}

int os_fsync(int fd) {
    struct fate fate = decide("fsync");
    return fate.error != 0 ? -fate.error : real_os_fsync(fd);
}

int os_read_ahead(int fd, off_t offset, off_t size) {
    struct fate fate = decide("read_ahead");
    return fate.error != 0 ? -fate.error : real_os_read_ahead(fd, offset, size);
}

int os_flush_range(int fd, off_t offset, off_t size) {
    struct fate fate = decide("flush_range");
    return fate.error != 0 ? -fate.error : real_os_flush_range(fd, offset, size);
}

int os_replace_descriptor(int fd, int replacement) {
    struct fate fate = decide("replace_descriptor");
    return fate.error != 0 ? -fate.error : real_os_replace_descriptor(fd, replacement);
}

int os_lock_exclusive(int fd) {
    struct fate fate = decide("lock_exclusive");
    return fate.error != 0 ? -fate.error : real_os_lock_exclusive(fd);
}

int os_enter_working_directory(void) {
    struct fate fate = decide("enter_working_directory");
    return fate.error != 0 ? -fate.error : real_os_enter_working_directory();
}

int os_allow_descriptors(size_t count) {
    struct fate fate = decide("allow_descriptors");
    return fate.error != 0 ? -fate.error : real_os_allow_descriptors(count);
}

int os_socket(int family, int type, int protocol) {
    struct fate fate = decide("socket");
    return fate.error != 0 ? -fate.error : real_os_socket(family, type, protocol);
}

int os_accept(int listening_fd, struct sockaddr_storage *peer) {
    struct fate fate = decide("accept");
    return fate.error != 0 ? -fate.error : real_os_accept(listening_fd, peer);
}

ssize_t os_recv(int fd, void *bytes, size_t size) {
    struct fate fate = decide("recv");
    return fate.error != 0 ? -fate.error : real_os_recv(fd, bytes, shorten(size, fate));
}

ssize_t os_send(int fd, const void *bytes, size_t size) {
    struct fate fate = decide("send");
    return fate.error != 0 ? -fate.error : real_os_send(fd, bytes, shorten(size, fate));
}

ssize_t os_send_before(int fd, const void *bytes, size_t size) {
    struct fate fate = decide("send_before");
    return fate.error != 0 ? -fate.error : real_os_send_before(fd, bytes, shorten(size, fate));
}

ssize_t os_send_descriptor(int socket_fd, const void *bytes, size_t size, int sent_fd) {
    struct fate fate = decide("send_descriptor");
    return fate.error != 0 ? -fate.error : real_os_send_descriptor(socket_fd, bytes, size, sent_fd);
}

ssize_t os_receive_descriptor(int socket_fd, void *bytes, size_t size, int *received_fd) {
    struct fate fate = decide("receive_descriptor");
    return fate.error != 0 ? -fate.error
                           : real_os_receive_descriptor(socket_fd, bytes, size, received_fd);
}

int os_poll(struct pollfd *polled, size_t count, int timeout_ms) {
    struct fate fate = decide("poll");
    return fate.error != 0 ? -fate.error : real_os_poll(polled, count, timeout_ms);
}

int os_epoll_create(void) {
    struct fate fate = decide("epoll_create");
    return fate.error != 0 ? -fate.error : real_os_epoll_create();
}

int os_epoll_control(int epoll_fd, int operation, int fd, struct epoll_event *event) {
    struct fate fate = decide("epoll_control");
    return fate.error != 0 ? -fate.error : real_os_epoll_control(epoll_fd, operation, fd, event);
}

int os_epoll_wait(int epoll_fd, struct epoll_event *events, size_t capacity, int timeout_ms) {
    struct fate fate = decide("epoll_wait");
    return fate.error != 0 ? -fate.error
                           : real_os_epoll_wait(epoll_fd, events, capacity, timeout_ms);
}

int os_eventfd(void) {
    struct fate fate = decide("eventfd");
    return fate.error != 0 ? -fate.error : real_os_eventfd();
}

int os_timer(int64_t interval_ms) {
    struct fate fate = decide("timer");
    return fate.error != 0 ? -fate.error : real_os_timer(interval_ms);
}

void *os_map_memory(size_t size) {
    struct fate fate = decide("map_memory");
    return fate.error != 0 ? NULL : real_os_map_memory(size);
}

void os_unmap_memory(void *memory, size_t size) {
    real_os_unmap_memory(memory, size);
}

int os_thread_create(pthread_t *thread, const char *name, void *(*run)(void *), void *context) {
    struct fate fate = decide("thread_create");
    return fate.error != 0 ? -fate.error : real_os_thread_create(thread, name, run, context);
}

int os_fork(void) {
    struct fate fate = decide("fork");
    return fate.error != 0 ? -fate.error : real_os_fork();
}

int64_t os_now_ns(void) {
    return real_os_now_ns();
}

int64_t os_now_ms(void) {
    return real_os_now_ms();
}

__attribute__((constructor)) static void read_environment(void) {
    const char *plan = getenv("OS_FAULT");
    if (plan != NULL && !os_faulty_plan(plan)) {
        (void)fprintf(stderr, "os_faulty: OS_FAULT cannot be understood: %s\n", plan);
        abort();
    }
}

__attribute__((destructor)) static void print_counts(void) {
    if (getenv("OS_FAULT_COUNTS") == NULL) {
        return;
    }
    (void)fprintf(stderr, "os_faulty: faults=%" PRIu64, state.fault_count);
    for (size_t index = 0; index < FUNCTION_COUNT; index++) {
        (void)fprintf(stderr, " %s=%" PRIu64, function_names[index], state.call_counts[index]);
    }
    (void)fprintf(stderr, "\n");
}
