/*
 * Keeps the log free of torn lines even when the server is killed (kill -9, a crash).
 *
 * The kernel gives up a write in the middle when its process is killed, at a page boundary, which
 * is seldom the end of a line. Nothing inside the process can mend that any more. So a tiny second
 * process, started before the first thread, sleeps on a pipe whose other end the server holds. When
 * the server is gone, however it ended, the guard wakes up, cuts a torn last line off, and exits.
 * It shares the server's lock on the log, so no new server can have the log before that is done.
 *
 * A guard that is gone while the server runs shows as POLLERR at the server's end of the pipe. The
 * server says so and goes on without one: to fork a process of many threads and 200 MiB in the
 * middle of its work is a greater risk than the torn line that a kill -9 may leave from then on.
 *
 * Not covered: both processes killed (the whole control group, one after the other, or power loss).
 * The next start with --resume then cuts the torn line off.
 *
 * Threading: main thread; tail_guard_start after signals_open and before any other thread exists.
 */
#ifndef SERVER_NUMBERS_LOG_TAIL_GUARD_H_
#define SERVER_NUMBERS_LOG_TAIL_GUARD_H_

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tail_guard {
    pid_t pid;
    int pipe_fd; /* the server's end; POLLERR: the guard is gone */
};

/* Starts the guard for a regular file whose lines have line_size bytes. Children are from now on
 * kept until they are waited for, even if the parent process had set SIGCHLD to be ignored. 0, or a
 * negative errno value. */
int tail_guard_start(struct tail_guard *guard, int log_fd, int line_size);

/* From now on the guard may cut. Before, the log is not yet known to be ours. 0, or a negative
 * errno value: if the guard is gone already, the one that ended it. */
int tail_guard_arm(const struct tail_guard *guard);

/* Ends the guard, if it is not gone already, and waits for it. */
void tail_guard_finish(struct tail_guard *guard);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_TAIL_GUARD_H_ */
