#include "server/runtime/profile.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gperftools/profiler.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/runtime/os.h"
#include "server/runtime/startup.h"

static const char LIBRARY[] = "libprofiler.so.0";

enum {
    /* A profile grows with the number of places in the code where samples fall, not with time:
     * usual ones stay far below. No samples are taken beyond this. */
    SAMPLES_SIZE_MAX = 8 * 1024 * 1024,
    /* At the end the profiler adds what it still keeps, some megabytes at most. */
    PROFILE_SIZE_MAX = 3 * SAMPLES_SIZE_MAX,
    PATH_CAPACITY = 32,
};

static enum exit_code fail(const char *action, const char *path, int error,
                           const struct logger *logger) {
    logger_print(logger, LOG_LEVEL_ERROR, "cannot %s %s: %s", action, path, strerror(-error));
    return EXIT_CODE_START_FAILURE;
}

static bool is_open_at(const struct stat *file, int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_dev == file->st_dev &&
           status.st_ino == file->st_ino;
}

/* Whether the profile can go into the file that is open at profile->fd. */
static enum exit_code check_file(const struct profile *profile, int log_fd,
                                 const struct logger *logger) {
    struct stat file;
    if (fstat(profile->fd, &file) != 0) {
        return fail("examine", profile->path, -errno, logger);
    }
    if (S_ISCHR(file.st_mode)) {
        return EXIT_CODE_OK;
    }
    if (!S_ISREG(file.st_mode)) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot write a profile to %s: it is no regular file",
                     profile->path);
        return EXIT_CODE_START_FAILURE;
    }
    if (is_open_at(&file, log_fd)) {
        logger_print(logger, LOG_LEVEL_ERROR, "--profile and --log are the same file");
        return EXIT_CODE_USAGE;
    }
    if (is_open_at(&file, STDOUT_FILENO) || is_open_at(&file, STDERR_FILENO)) {
        logger_print(logger, LOG_LEVEL_ERROR,
                     "--profile and standard output or standard error are the same file");
        return EXIT_CODE_USAGE;
    }
    /* Most likely another server's log. A file system without locks has no say in it. */
    if (os_lock_exclusive(profile->fd) == -EWOULDBLOCK) {
        logger_print(logger, LOG_LEVEL_ERROR,
                     "cannot write a profile to %s: another process has locked it", profile->path);
        return EXIT_CODE_START_FAILURE;
    }
    return EXIT_CODE_OK;
}

/* Runs in the signal handler, before each sample. */
static int has_room(void *context) {
    struct profile *profile = context;
    return atomic_load_explicit(&profile->size, memory_order_relaxed) < SAMPLES_SIZE_MAX;
}

/* The collector: takes what comes out of the pipe, until the profiler has closed it. It is not
 * sampled itself, because the signal handler may wait for it. */
static void *collect(void *context) {
    struct profile *profile = context;
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGPROF);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    size_t size = 0;
    ssize_t count;
    do {
        /* The last byte stands for all that there is no room for. */
        size_t offset = size < PROFILE_SIZE_MAX ? size : PROFILE_SIZE_MAX - 1;
        count = os_read(profile->pipe_fds[0], profile->bytes + offset, PROFILE_SIZE_MAX - offset);
        size = count > 0 ? offset + (size_t)count : size;
        atomic_store_explicit(&profile->size, size, memory_order_relaxed);
    } while (count > 0);
    return NULL;
}

static enum exit_code fail_to_load(const struct logger *logger) {
    logger_print(logger, LOG_LEVEL_ERROR,
                 "cannot load the profiler (Debian: libgoogle-perftools4): %s", dlerror());
    return EXIT_CODE_START_FAILURE;
}

static enum exit_code load_profiler(struct profile *profile, const struct logger *logger) {
    /* Never closed: the profiler's signal handler and its threads' keys point into it. */
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return fail_to_load(logger);
    }
    profile->start =
        (__typeof__(&ProfilerStartWithOptions))dlsym(library, "ProfilerStartWithOptions");
    if (profile->start != NULL) {
        profile->stop = (__typeof__(&ProfilerStop))dlsym(library, "ProfilerStop");
    }
    return profile->start == NULL || profile->stop == NULL ? fail_to_load(logger) : EXIT_CODE_OK;
}

static enum exit_code start_profiler(struct profile *profile, const struct logger *logger) {
    char pipe_path[PATH_CAPACITY];
    (void)snprintf(pipe_path, sizeof pipe_path, "/proc/self/fd/%d", profile->pipe_fds[1]);
    struct ProfilerOptions options = {.filter_in_thread = has_room,
                                      .filter_in_thread_arg = profile};
    if (!profile->start(pipe_path, &options)) {
        logger_print(logger, LOG_LEVEL_ERROR, "cannot profile: %s cannot be opened", pipe_path);
        return EXIT_CODE_START_FAILURE;
    }
    return EXIT_CODE_OK;
}

/* Opens the file, and checks it. */
static enum exit_code open_file(struct profile *profile, int creating_flags, int log_fd,
                                const struct logger *logger) {
    /* Non-blocking: a FIFO would wait for its reader. Not truncated: it may be the log. */
    profile->fd = os_open(profile->path, O_WRONLY | O_NONBLOCK | O_NOCTTY | creating_flags, 0644);
    if (profile->fd == -ENOENT && creating_flags == 0) {
        return EXIT_CODE_OK; /* it is yet to be made */
    }
    return profile->fd < 0 ? fail("write a profile to", profile->path, profile->fd, logger)
                           : check_file(profile, log_fd, logger);
}

/* Starts the profiler with the collector behind it. */
static enum exit_code start_with_pipe(struct profile *profile, int log_fd,
                                      const struct logger *logger) {
    int error = os_thread_create(&profile->collector, "profile", collect, profile);
    if (error != 0) {
        (void)os_close(profile->pipe_fds[1]);
        return startup_fail(logger, "start the profile's thread", error);
    }
    /* A new file is made last: a start that fails leaves none behind. */
    enum exit_code exit_code =
        profile->fd < 0 ? open_file(profile, O_CREAT, log_fd, logger) : EXIT_CODE_OK;
    if (exit_code == EXIT_CODE_OK) {
        exit_code = start_profiler(profile, logger);
    }
    /* The profiler has opened it for itself, and the collector ends when that is closed. */
    (void)os_close(profile->pipe_fds[1]);
    if (exit_code != EXIT_CODE_OK) {
        (void)pthread_join(profile->collector, NULL);
    }
    return exit_code;
}

static enum exit_code start_with_memory(struct profile *profile, int log_fd,
                                        const struct logger *logger) {
    enum exit_code exit_code;
    profile->bytes = malloc(PROFILE_SIZE_MAX);
    if (profile->bytes == NULL || pipe2(profile->pipe_fds, O_CLOEXEC) != 0) {
        exit_code = startup_fail(logger, "set up the profile", -errno);
    } else {
        exit_code = start_with_pipe(profile, log_fd, logger);
        if (exit_code != EXIT_CODE_OK) {
            (void)os_close(profile->pipe_fds[0]);
        }
    }
    if (exit_code != EXIT_CODE_OK) {
        free(profile->bytes);
    }
    return exit_code;
}

enum exit_code profile_start(struct profile *profile, const char *path, int log_fd,
                             const struct logger *logger) {
    *profile = (struct profile){.path = path};
    enum exit_code exit_code = open_file(profile, 0, log_fd, logger);
    if (exit_code == EXIT_CODE_OK) {
        exit_code = load_profiler(profile, logger);
    }
    if (exit_code == EXIT_CODE_OK) {
        exit_code = start_with_memory(profile, log_fd, logger);
    }
    if (exit_code != EXIT_CODE_OK && profile->fd >= 0) {
        (void)os_close(profile->fd);
    }
    return exit_code;
}

/* Replaces what is in the file by the profile: 0, or a negative errno value. */
static int write_file(const struct profile *profile) {
    int error = os_ftruncate(profile->fd, 0);
    if (error == -EINVAL) {
        error = 0; /* a device has no length */
    }
    for (size_t offset = 0; error == 0 && offset < profile->size;) {
        ssize_t count = os_write(profile->fd, profile->bytes + offset, profile->size - offset);
        if (count <= 0) {
            error = count < 0 ? (int)count : -EIO;
        } else {
            offset += (size_t)count;
        }
    }
    return error;
}

void profile_stop(struct profile *profile, const struct logger *logger) {
    if (!has_room(profile)) {
        logger_print(logger, LOG_LEVEL_WARNING,
                     "the profile is of the run's beginning only: it would have grown too large");
    }
    profile->stop();
    (void)pthread_join(profile->collector, NULL);
    int error = write_file(profile);
    if (error != 0) {
        logger_print(logger, LOG_LEVEL_WARNING, "cannot write the profile to %s: %s", profile->path,
                     strerror(-error));
    }
    free(profile->bytes);
    (void)os_close(profile->pipe_fds[0]);
    (void)os_close(profile->fd);
}
