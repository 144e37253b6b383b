/*
 * The system-call seam: the calls that go wrong in a running daemon (files, sockets, memory,
 * threads, waiting) go through here, so that tests can make them. What is set up once at the start
 * (signals, addresses, the tail guard's descriptors), the options of sockets, the kind of a file,
 * the date, and randomness ask the kernel directly.
 *
 * Every function but os_map_memory hands an error back as a negative errno value (-ENOSPC, -EAGAIN,
 * ...), so that callers have one thing to check. A call that a signal interrupted (EINTR) is
 * repeated here, except where a repetition is wrong: os_close has closed all the same, and os_poll
 * and os_epoll_wait report no events. After any other error nothing is repeated, least of all
 * os_fsync and os_fdatasync: a second call may succeed without the data being safe.
 * Descriptors from here are close-on-exec, but for the standard streams.
 *
 * Tests link //server/runtime:os_faulty in place of //server/runtime:os: the same functions, of
 * which the N-th call can be made to fail (see os_faulty.h). A function is written down here, in
 * os.c and in os_faulty.c, and nowhere else.
 *
 * Threading: no state of its own; as thread-safe as the system calls.
 */
#ifndef SERVER_RUNTIME_OS_H_
#define SERVER_RUNTIME_OS_H_

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Files. Sizes and offsets in bytes. */
int os_open(const char *path, int flags, mode_t mode);
int os_close(int fd);
ssize_t os_read(int fd, void *bytes, size_t size);
ssize_t os_write(int fd, const void *bytes, size_t size);
ssize_t os_pread(int fd, void *bytes, size_t size, off_t offset);

/* Asks for a part of a file to be read into the page cache meanwhile, without waiting for it. */
int os_read_ahead(int fd, off_t offset, off_t size);

/* Writes at the end of a file that is open with O_APPEND. */
ssize_t os_append(int fd, const void *bytes, size_t size);
int os_ftruncate(int fd, off_t size);

/* The size of a file in bytes, or a negative errno value. */
off_t os_file_size(int fd);

int os_fdatasync(int fd);
int os_fsync(int fd);

/* Writes what the page cache holds of a range of the file to the disk, and waits for it. That makes
 * nothing durable: the file may not have its new size there yet. */
int os_flush_range(int fd, off_t offset, off_t size);

/* Makes the number fd mean what `replacement` means, at one stroke: threads that use fd have an
 * open file at every moment. */
int os_replace_descriptor(int fd, int replacement);

/* Takes an exclusive lock without waiting; -EWOULDBLOCK while another process holds it. */
int os_lock_exclusive(int fd);

/* Opens /dev/null in place of standard streams that are closed, so that no file or socket gets
 * their numbers and with them output that was never meant for it. 0, or a negative errno value. */
int os_open_standard_streams(void);

/* Goes to where the user is: `bazel run` starts programs elsewhere and tells the place in the
 * variable BUILD_WORKING_DIRECTORY. 0, also without that variable, or a negative errno value. */
int os_enter_working_directory(void);

/* Makes sure that the process may have count descriptors open. -EMFILE: the system allows fewer,
 * and the process has as many of them as it may. */
int os_allow_descriptors(size_t count);

/* Sockets. Accepted and created ones are non-blocking. */
int os_socket(int family, int type, int protocol);

/* peer: where the other end's address is written, which later on cannot be asked for if it resets
 * the connection; NULL: nowhere. */
int os_accept(int listening_fd, struct sockaddr_storage *peer);

ssize_t os_recv(int fd, void *bytes, size_t size);
ssize_t os_send(int fd, const void *bytes, size_t size);

/* The same for bytes that may wait for what follows at once, more of them or the end of the stream,
 * and leave together with it. */
ssize_t os_send_before(int fd, const void *bytes, size_t size);

/* Sends bytes and with them a descriptor to another process, and takes such a message; *received_fd
 * is -1 where none came along. The sending does not wait. Both are for AF_UNIX. */
ssize_t os_send_descriptor(int socket_fd, const void *bytes, size_t size, int sent_fd);
ssize_t os_receive_descriptor(int socket_fd, void *bytes, size_t size, int *received_fd);

/* Waits for events; timeout_ms < 0 waits without end. -EINTR is not repeated here but reported as 0
 * events, because the time to wait has changed by then. */
int os_poll(struct pollfd *polled, size_t count, int timeout_ms);

/* The same for many descriptors: epoll_create1, epoll_ctl, and a wait for at most `capacity` events
 * that reports a signal as 0 events, too. */
int os_epoll_create(void);
int os_epoll_control(int epoll_fd, int operation, int fd, struct epoll_event *event);
int os_epoll_wait(int epoll_fd, struct epoll_event *events, size_t capacity, int timeout_ms);

/* An eventfd counter that wakes a poll; non-blocking. */
int os_eventfd(void);

/* A timer that becomes readable after each interval (at least 1 ms); a read of 8 bytes makes it
 * wait for the next one. */
int os_timer(int64_t interval_ms);

/* Zeroed private memory, aligned to 2 MiB, on huge pages where the system has them, and present: no
 * page fault is left to whoever uses it. NULL if there is not so much. */
void *os_map_memory(size_t size);
void os_unmap_memory(void *memory, size_t size);

/* The name, at most 15 characters, is what tools that list threads show. */
int os_thread_create(pthread_t *thread, const char *name, void *(*run)(void *), void *context);
int os_fork(void);

/* Nanoseconds and milliseconds of the monotonic clock, which no change of the date moves. */
int64_t os_now_ns(void);
int64_t os_now_ms(void);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_OS_H_ */
