/*
 * A server under test as a child process: started on a free port of the loopback interface, found
 * by the line "listening on ADDRESS:PORT" on its standard error, and never left behind. Children
 * die with this program, however it ends.
 *
 * Ownership: the structure owns the child and the pipe from its standard error until
 * server_process_stop. Threading: one thread.
 */
#ifndef BENCH_SERVER_PROCESS_H_
#define BENCH_SERVER_PROCESS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How much of the end of its standard error is kept, to be shown if it fails. */
#define SERVER_PROCESS_MESSAGES_CAPACITY 4096u

struct server_process {
    pid_t pid;    /* 0: not running */
    int error_fd; /* read end of the pipe from its standard error */
    uint16_t port;
    char messages[SERVER_PROCESS_MESSAGES_CAPACITY]; /* NUL-terminated */
    size_t messages_size;
};

/*
 * Starts arguments[0] with the NULL-terminated arguments and waits until it listens. Its standard
 * output goes to output_fd, or nowhere with -1. Returns false, after a message on standard error
 * and with nothing left running, if that takes more than ten seconds or the program ends.
 */
bool server_process_start(struct server_process *server, char *const *arguments, int output_fd);

/* CPU time that the running server has used so far, in seconds. */
double server_process_cpu_seconds(const struct server_process *server);

/* Takes what the server has written to its standard error, so that the pipe never fills. Does not
 * wait. Returns false when the server has closed it, that is, when it has ended. */
bool server_process_read_messages(struct server_process *server);

/*
 * Asks the server to stop (SIGTERM) and waits for its end, at most limit_seconds; after that it is
 * killed. Returns whether it ended by itself with exit code 0; if not, prints why and what it said.
 */
bool server_process_stop(struct server_process *server, unsigned limit_seconds);

/* In a child just forked by parent: die when it dies. Also for children of other kinds. */
void process_die_with_parent(pid_t parent);

#endif /* BENCH_SERVER_PROCESS_H_ */
