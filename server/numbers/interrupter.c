/*
 * Linked into a program, interrupts all its threads every 100 microseconds by a signal whose
 * handler does nothing and has no SA_RESTART: whatever system call a thread waits in ends with
 * EINTR. At an orderly end it says on standard error what it did:
 *
 *   interrupter: 123456 signals handled by 7 threads, one each 105 microseconds
 *
 * Threading: a thread of its own, which the program's signals do not reach. A forked process is
 * left in peace.
 */
#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    PERIOD_NS = 100 * 1000,
    THREAD_CAPACITY = 64,
    /* How many rounds until it looks for new threads again. */
    ROUNDS_PER_LOOK = 100,
};

static atomic_uint_fast64_t handled_count;
static atomic_uint_fast64_t round_count;
static atomic_size_t highest_thread_count;
static atomic_bool is_over;
static pthread_t interrupter;
static DIR *task_directory;
static struct timespec start;

static void on_signal(int signal_number) {
    (void)signal_number;
    atomic_fetch_add_explicit(&handled_count, 1, memory_order_relaxed);
}

/* The threads of the process but this one. */
static size_t list_threads(pid_t *threads) {
    size_t count = 0;
    const struct dirent *entry;
    rewinddir(task_directory);
    while (count < THREAD_CAPACITY && (entry = readdir(task_directory)) != NULL) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10); /* 0: "." or ".." */
        if (thread != 0 && thread != gettid()) {
            threads[count++] = thread;
        }
    }
    if (count > atomic_load(&highest_thread_count)) {
        atomic_store(&highest_thread_count, count);
    }
    return count;
}

static void *interrupt_all(void *unused) {
    (void)unused;
    pid_t threads[THREAD_CAPACITY];
    size_t thread_count = 0;
    const struct timespec period = {.tv_nsec = PERIOD_NS};
    /* The kernel may otherwise let a short sleep last half as long again. */
    (void)prctl(PR_SET_TIMERSLACK, 1);
    for (uint64_t round = 0; !atomic_load(&is_over); round++) {
        if (round % ROUNDS_PER_LOOK == 0) {
            thread_count = list_threads(threads);
        }
        for (size_t index = 0; index < thread_count; index++) {
            /* A thread that has ended meanwhile gets none. */
            (void)syscall(SYS_tgkill, getpid(), threads[index], SIGURG);
        }
        atomic_fetch_add(&round_count, 1);
        (void)nanosleep(&period, NULL);
    }
    return NULL;
}

__attribute__((constructor)) static void start_interrupting(void) {
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART */
    sigset_t all;
    sigset_t before;
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    (void)sigfillset(&all);
    task_directory = opendir("/proc/self/task");
    if (task_directory == NULL || sigaction(SIGURG, &action, NULL) != 0 ||
        pthread_sigmask(SIG_SETMASK, &all, &before) != 0 ||
        pthread_create(&interrupter, NULL, interrupt_all, NULL) != 0 ||
        pthread_sigmask(SIG_SETMASK, &before, NULL) != 0) {
        abort();
    }
}

__attribute__((destructor)) static void report(void) {
    struct timespec end;
    atomic_store(&is_over, true);
    (void)pthread_join(interrupter, NULL);
    (void)closedir(task_directory);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    uint64_t microseconds = (uint64_t)(end.tv_sec - start.tv_sec) * 1000000 +
                            (uint64_t)(end.tv_nsec / 1000) - (uint64_t)(start.tv_nsec / 1000);
    (void)fprintf(stderr,
                  "interrupter: %" PRIu64 " signals handled by %zu threads, one each %" PRIu64
                  " microseconds\n",
                  (uint64_t)atomic_load(&handled_count), atomic_load(&highest_thread_count),
                  microseconds / (atomic_load(&round_count) + 1));
}
