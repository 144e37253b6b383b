/*
 * Keeps the log free of torn lines even when the server is killed (kill -9, a crash).
 *
 * The kernel gives up a write in the middle when its process is killed, at a page boundary, which
 * is seldom the end of a line. Nothing inside the process can mend that any more. So a tiny second
 * process, started before the first thread, sleeps on a socket whose other end the server holds.
 * When the server is gone, however it ended, the guard wakes up, cuts off what is behind the last
 * newline, waiting for room on the disk where that takes some, and exits. It shares the server's
 * lock on the log, so no new server can have the log before that is done. When the server opens the
 * log anew, it sends the new file along.
 *
 * A guard that is gone while the server runs shows as POLLHUP at the server's end of the socket.
 * The server says so and goes on without one: to fork a process of many threads and 200 MiB in the
 * middle of its work is a greater risk than the torn line that a kill -9 may leave from then on.
 *
 * Not covered: both processes killed (the whole control group or container, or power loss). The
 * next start with --resume then cuts the torn line off.
 *
 * Threading: main thread; tail_guard_start after signals_open and before any other thread exists.
 * tail_guard_follow and tail_guard_let_go are for the one thread that opens the log anew.
 */
#ifndef SERVER_NUMBERS_LOG_TAIL_GUARD_H_
#define SERVER_NUMBERS_LOG_TAIL_GUARD_H_

#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the process is called, where processes are listed. */
#define TAIL_GUARD_NAME "numbers-guard"

struct tail_guard {
    pid_t pid;
    int socket_fd; /* the server's end; POLLHUP: the guard is gone */
};

/* Starts the guard for a regular file, and waits until it is ready. Children are from now on kept
 * until they are waited for, even if the parent process had set SIGCHLD to be ignored. 0, or a
 * negative errno value with nothing left over. */
int tail_guard_start(struct tail_guard *guard, int log_fd);

/* From now on the guard may cut. Before, the log is not yet known to be ours. A guard that is gone
 * meanwhile shows at the socket. */
void tail_guard_arm(const struct tail_guard *guard);

/* The log is about to be another file: the guard looks after both. 0, or a negative errno value. */
int tail_guard_follow(const struct tail_guard *guard, int new_log_fd);

/* The old file is no longer written to. */
void tail_guard_let_go(const struct tail_guard *guard);

/* Ends the guard, if it is not gone already, and waits for it. False where it has to wait for the
 * disk to cut a torn line off: it does so by itself, and holds the lock until then. */
bool tail_guard_finish(struct tail_guard *guard);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_TAIL_GUARD_H_ */
