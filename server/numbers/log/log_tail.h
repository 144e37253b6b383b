/*
 * The end of a log: where its last whole line ends, and cutting off what is behind it.
 *
 * The newline decides, not the size: whatever else somebody has done to the file, no whole line is
 * touched. Threading: none inside; functions of the file.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_TAIL_H_
#define SERVER_NUMBERS_LOG_LOG_TAIL_H_

#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The offset behind the last newline among the first `size` bytes of a file; 0 if there is none. Or
 * a negative errno value; -EAGAIN: somebody has made the file shorter meanwhile. */
off_t log_tail_find(int fd, off_t size);

/* Cuts off what is behind the last newline, and returns the size of the file then. Or a negative
 * errno value. */
off_t log_tail_cut(int fd);

/* Whether an error (a negative errno value) goes away when there is room on the disk again. On a
 * file system that copies on write, even a ftruncate may fail so. */
bool log_tail_is_disk_full(ssize_t error);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_TAIL_H_ */
