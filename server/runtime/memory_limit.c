#include "server/runtime/memory_limit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "server/runtime/os.h"

enum {
    MEMBERSHIP_CAPACITY = 16 * 1024, /* /proc/self/cgroup: a line for each hierarchy */
    NUMBER_CAPACITY = 32,            /* a size in bytes, or "max" */
};

/* Where the hierarchies are, and which file in each of their groups holds the limit. */
struct hierarchy {
    const char *mount;
    const char *file;
};

static const struct hierarchy version_2 = {"/sys/fs/cgroup", "memory.max"};
/* Beside version 1, as some systems have it. */
static const struct hierarchy version_2_beside_1 = {"/sys/fs/cgroup/unified", "memory.max"};
static const struct hierarchy version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"};

/* Reads a whole file as a text. False: there is none, or it is larger than capacity. */
static bool read_text(const char *path, char *text, size_t capacity) {
    int fd = os_open(path, O_RDONLY, 0);
    if (fd < 0) {
        return false;
    }
    size_t size = 0;
    ssize_t count;
    do {
        count = os_read(fd, text + size, capacity - size);
        size += count > 0 ? (size_t)count : 0;
    } while (count > 0 && size < capacity);
    (void)os_close(fd);
    if (count < 0 || size == capacity) {
        return false;
    }
    text[size] = '\0';
    return true;
}

/* Reads a text that is a decimal number and a newline; false for any other, "max" too. */
static bool read_size(const char *text, uint64_t *size) {
    char *end;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    *size = number;
    return errno == 0 && strcmp(end, "\n") == 0;
}

/* Takes the limit that a file sets, if it is the lowest one so far. */
static void take_file(struct memory_limit *limit, const char *path) {
    char text[NUMBER_CAPACITY];
    uint64_t size;
    if (read_text(path, text, sizeof text) && read_size(text, &size) && size < limit->size) {
        limit->size = size;
        (void)snprintf(limit->source, sizeof limit->source, "%s", path);
    }
}

/* Takes the limits of a group ("/system.slice/x.service") and of those above it. */
static void take_groups(struct memory_limit *limit, const char *root,
                        const struct hierarchy *hierarchy, const char *group) {
    char path[PATH_MAX];
    size_t length = strlen(group);
    for (;;) {
        while (length > 0 && group[length - 1] == '/') {
            length--;
        }
        int size = snprintf(path, sizeof path, "%s%s%.*s/%s", root, hierarchy->mount, (int)length,
                            group, hierarchy->file);
        if (size > 0 && (size_t)size < sizeof path) {
            take_file(limit, path);
        }
        if (length == 0) {
            return;
        }
        while (length > 0 && group[length - 1] != '/') {
            length--;
        }
    }
}

/* Whether a list like "cpu,memory" has the word. */
static bool has_word(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Takes a line of /proc/self/cgroup, "4:cpu,memory:/group" or "0::/group". */
static void take_membership(struct memory_limit *limit, const char *root, char *line) {
    char *controllers = strchr(line, ':');
    char *group = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (group == NULL || group[1] != '/') {
        return;
    }
    *group++ = '\0';
    controllers++;
    if (controllers[0] == '\0') {
        take_groups(limit, root, &version_2, group);
        take_groups(limit, root, &version_2_beside_1, group);
    } else if (has_word(controllers, "memory")) {
        take_groups(limit, root, &version_1, group);
    }
}

void memory_limit_of_control_groups(struct memory_limit *limit, const char *root) {
    char path[PATH_MAX];
    char text[MEMBERSHIP_CAPACITY];
    limit->size = UINT64_MAX;
    limit->source[0] = '\0';
    int size = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (size < 0 || (size_t)size >= sizeof path || !read_text(path, text, sizeof text)) {
        return;
    }
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        take_membership(limit, root, line);
    }
}

static void take_resource(struct memory_limit *limit, int resource, const char *source) {
    struct rlimit resource_limit;
    if (getrlimit((__rlimit_resource_t)resource, &resource_limit) == 0 &&
        resource_limit.rlim_cur != RLIM_INFINITY && resource_limit.rlim_cur < limit->size) {
        limit->size = resource_limit.rlim_cur;
        (void)snprintf(limit->source, sizeof limit->source, "%s", source);
    }
}

void memory_limit_of_process(struct memory_limit *limit) {
    limit->size = UINT64_MAX;
    limit->source[0] = '\0';
    take_resource(limit, RLIMIT_AS, "RLIMIT_AS (ulimit -v)");
    take_resource(limit, RLIMIT_DATA, "RLIMIT_DATA (ulimit -d)");
}

static bool check(const struct memory_limit *limit, uint64_t size, const char *what,
                  const struct logger *logger) {
    enum { MEBIBYTE = 1024 * 1024 };
    if (limit->size >= size) {
        return true;
    }
    logger_print(
        logger, LOG_LEVEL_ERROR,
        "not enough memory: %" PRIu64 " MiB of %s are needed, and %s allows %" PRIu64 " MiB",
        size / MEBIBYTE + (size % MEBIBYTE != 0), what, limit->source, limit->size / MEBIBYTE);
    return false;
}

/* What a thread's stack takes of the address space. */
static uint64_t stack_size(void) {
    pthread_attr_t attributes;
    size_t size = 0;
    if (pthread_getattr_default_np(&attributes) == 0) {
        (void)pthread_attr_getstacksize(&attributes, &size);
        (void)pthread_attr_destroy(&attributes);
    }
    return size;
}

bool memory_limit_check(uint64_t size, uint64_t thread_count, const struct logger *logger) {
    struct memory_limit limit;
    memory_limit_of_process(&limit);
    if (!check(&limit, size + thread_count * stack_size(), "address space", logger)) {
        return false;
    }
    memory_limit_of_control_groups(&limit, "");
    return check(&limit, size, "memory", logger);
}
