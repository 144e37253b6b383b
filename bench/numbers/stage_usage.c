#include "bench/numbers/stage_usage.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A thread's stat is one line; the peak memory stands behind the list of groups in status. */
enum { PATH_CAPACITY = 320, TEXT_CAPACITY = 8192 };

const char *const stage_names[STAGE_KIND_COUNT] = {"receive", "parse+stage", "insert+format",
                                                   "write"};

/* Reads the start of a file of /proc as text. An unreadable file is an empty one. */
static void read_text(const char *path, char text[TEXT_CAPACITY]) {
    FILE *stream = fopen(path, "re");
    size_t size = stream == NULL ? 0 : fread(text, 1, TEXT_CAPACITY - 1, stream);
    text[size] = '\0';
    if (stream != NULL) {
        (void)fclose(stream);
    }
}

/* Adds one thread's times; `is_main` is the thread that the process started with. */
static void add_thread(struct stage_usage *usage, const char *stat_text, bool is_main) {
    /* The name is in brackets and may hold anything: what follows starts at the last one. */
    const char *name = strchr(stat_text, '(');
    const char *rest = strrchr(stat_text, ')');
    unsigned long user_ticks;
    unsigned long system_ticks;
    if (name == NULL || rest == NULL ||
        sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user_ticks,
               &system_ticks) != 2) {
        return;
    }
    double tick_seconds = 1.0 / (double)sysconf(_SC_CLK_TCK);
    double user_seconds = (double)user_ticks * tick_seconds;
    double system_seconds = (double)system_ticks * tick_seconds;
    if (is_main) {
        usage->cpu_seconds[STAGE_RECEIVE] += system_seconds;
        usage->cpu_seconds[STAGE_PARSE] += user_seconds;
    } else if (strncmp(name, "(worker)", strlen("(worker)")) == 0) {
        usage->cpu_seconds[STAGE_INSERT] += user_seconds + system_seconds;
    } else if (strncmp(name, "(log-", strlen("(log-")) == 0) {
        usage->cpu_seconds[STAGE_WRITE] += user_seconds + system_seconds;
    }
}

static void add_threads(struct stage_usage *usage, pid_t pid) {
    char path[PATH_CAPACITY];
    char text[TEXT_CAPACITY];
    (void)snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
    DIR *directory = opendir(path);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        long thread_id = strtol(entry->d_name, NULL, 10);
        if (thread_id > 0) {
            (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/stat", (long)pid, thread_id);
            read_text(path, text);
            add_thread(usage, text, thread_id == (long)pid);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
}

static uint64_t read_peak_memory(pid_t pid) {
    char path[PATH_CAPACITY];
    char text[TEXT_CAPACITY];
    unsigned long long kibibytes = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    read_text(path, text);
    const char *line = strstr(text, "VmHWM:");
    if (line == NULL || sscanf(line, "VmHWM: %llu kB", &kibibytes) != 1) {
        return 0;
    }
    return (uint64_t)kibibytes * 1024;
}

struct stage_usage stage_usage_read(pid_t pid) {
    struct stage_usage usage = {.peak_memory_size = read_peak_memory(pid)};
    add_threads(&usage, pid);
    return usage;
}
