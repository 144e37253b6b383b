/*
 * Signals as events of the poll loop, through a signalfd.
 *
 * SIGTERM, SIGINT, SIGQUIT and SIGHUP are blocked in every thread and read from a descriptor, so no
 * code of ours ever runs inside a signal handler. A SIGHUP that the parent process had set to be
 * ignored (nohup) stays ignored; the others are obeyed even then, because a shell's script ignores
 * SIGINT for what it starts in the background. SIGPIPE and SIGXFSZ are ignored: the failed write
 * reports EPIPE or EFBIG instead. SIGUSR1 and SIGUSR2 are ignored, so that no stray one ends a
 * daemon, but for one that asks to be told (signals_add).
 *
 * Threading: call signals_open before any thread is created, so that all inherit the mask.
 */
#ifndef SERVER_RUNTIME_SIGNALS_H_
#define SERVER_RUNTIME_SIGNALS_H_

#ifdef __cplusplus
extern "C" {
#endif

/* The descriptor to watch for POLLIN, or a negative errno value. */
int signals_open(void);

/* Lets one more signal arrive at the descriptor. Before any thread is created. 0, or a negative
 * errno value. */
int signals_add(int signal_fd, int signal_number);

/* The number of a signal that has arrived, 0 if none has, or a negative errno value if one has that
 * cannot be read. */
int signals_next(int signal_fd);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_SIGNALS_H_ */
