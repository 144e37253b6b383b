#include "server/numbers/log/lock_holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/runtime/os.h"

/* /proc/<pid>/fdinfo/<fd> is the longest path; what is read there is a few hundred bytes. */
enum { PATH_CAPACITY = 64, TEXT_CAPACITY = 4096 };

/* The number that a directory entry is named by, or -1. */
static int number_of(const char *name) {
    char *end;
    long number = strtol(name, &end, 10);
    return name[0] >= '0' && name[0] <= '9' && *end == '\0' && number <= INT32_MAX ? (int)number
                                                                                   : -1;
}

/* Reads a small file of /proc as text; an empty one if it cannot be read. */
static void read_text(const char *path, char *text) {
    ssize_t size = 0;
    int fd = os_open(path, O_RDONLY, 0);
    if (fd >= 0) {
        size = os_read(fd, text, TEXT_CAPACITY - 1);
        (void)os_close(fd);
    }
    text[size > 0 ? size : 0] = '\0';
}

/* Whether the lock of the file is held through this descriptor of that process. */
static bool holds(pid_t pid, int fd, const struct stat *file) {
    char path[PATH_CAPACITY];
    char text[TEXT_CAPACITY];
    struct stat status;
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    if (stat(path, &status) != 0 || status.st_dev != file->st_dev ||
        status.st_ino != file->st_ino) {
        return false;
    }
    (void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)pid, fd);
    read_text(path, text);
    return strstr(text, "FLOCK") != NULL;
}

/* The descriptor of a process through which it holds the lock, or -1. */
static int find_descriptor(pid_t pid, const struct stat *file, int except_fd) {
    char path[PATH_CAPACITY];
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return -1;
    }
    int found_fd = -1;
    const struct dirent *entry;
    while (found_fd < 0 && (entry = readdir(directory)) != NULL) {
        int fd = number_of(entry->d_name);
        if (fd >= 0 && fd != except_fd && holds(pid, fd, file)) {
            found_fd = fd;
        }
    }
    (void)closedir(directory);
    return found_fd;
}

/* Name and state stand in /proc/<pid>/stat as "123 (name) T ...", and a name may hold anything. */
static void describe(struct lock_holder *holder) {
    char path[PATH_CAPACITY];
    char text[TEXT_CAPACITY];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)holder->pid);
    read_text(path, text);
    const char *name = strchr(text, '(');
    const char *end = strrchr(text, ')');
    if (name == NULL || end == NULL || strlen(end) < 3) {
        return;
    }
    size_t name_size = (size_t)(end - name - 1);
    for (size_t index = 0; index < name_size && index + 1 < sizeof holder->name; index++) {
        char letter = name[1 + index];
        /* Anybody chooses a name, and this one goes to a terminal. */
        holder->name[index] = letter > ' ' && letter <= '~' ? letter : '?';
    }
    holder->is_stopped = end[2] == 'T';
}

struct lock_holder lock_holder_find(int fd) {
    struct lock_holder holder = {0};
    struct stat file;
    DIR *directory = opendir("/proc");
    if (directory == NULL) {
        return holder;
    }
    const struct dirent *entry;
    while (fstat(fd, &file) == 0 && holder.pid == 0 && (entry = readdir(directory)) != NULL) {
        int pid = number_of(entry->d_name);
        int found_fd = pid <= 0 ? -1 : find_descriptor(pid, &file, pid == getpid() ? fd : -1);
        if (found_fd >= 0) {
            holder.pid = pid;
            holder.fd = found_fd;
            describe(&holder);
        }
    }
    (void)closedir(directory);
    return holder;
}
