/*
 * Output of a daemon to a reader that may have stopped reading: a line that there is no room for is
 * left out, because whoever prints it must not wait.
 *
 * Room is what poll says. In a pipe that nobody else writes to it is enough for PIPE_BUF bytes, so
 * that a write of as much does not wait. Elsewhere that is likely, not certain: another thread or
 * process may fill the pipe between poll and write, and a terminal has room where it takes a single
 * byte. O_NONBLOCK is no way out: it would be set for everybody who shares the pipe or terminal.
 *
 * Ownership: the descriptors are the caller's. Threading: no state; the functions may be called by
 * any thread.
 */
#ifndef SERVER_RUNTIME_OUTPUT_H_
#define SERVER_RUNTIME_OUTPUT_H_

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether there is room, waiting for it for up to wait_ms. True also where a write fails at
 * once. */
bool output_has_room(int fd, int wait_ms);

/* Writes if there is room now. The bytes written, which may be fewer than size, or a negative errno
 * value: -EAGAIN without room. */
ssize_t output_write_if_room(int fd, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_OUTPUT_H_ */
