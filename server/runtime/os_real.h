/*
 * The real system-call seam under names of its own, beside which another one can stand.
 *
 * The target os_real is os.c, compiled with each os_NAME renamed to real_os_NAME. For tests only.
 */
#ifndef SERVER_RUNTIME_OS_REAL_H_
#define SERVER_RUNTIME_OS_REAL_H_

#include "server/runtime/os.h"

extern __typeof__(os_open) real_os_open;
extern __typeof__(os_close) real_os_close;
extern __typeof__(os_read) real_os_read;
extern __typeof__(os_write) real_os_write;
extern __typeof__(os_pread) real_os_pread;
extern __typeof__(os_append) real_os_append;
extern __typeof__(os_ftruncate) real_os_ftruncate;
extern __typeof__(os_file_size) real_os_file_size;
extern __typeof__(os_fdatasync) real_os_fdatasync;
extern __typeof__(os_fsync) real_os_fsync;
extern __typeof__(os_lock_exclusive) real_os_lock_exclusive;
extern __typeof__(os_open_standard_streams) real_os_open_standard_streams;
extern __typeof__(os_enter_working_directory) real_os_enter_working_directory;
extern __typeof__(os_allow_descriptors) real_os_allow_descriptors;
extern __typeof__(os_socket) real_os_socket;
extern __typeof__(os_accept) real_os_accept;
extern __typeof__(os_recv) real_os_recv;
extern __typeof__(os_send) real_os_send;
extern __typeof__(os_poll) real_os_poll;
extern __typeof__(os_epoll_create) real_os_epoll_create;
extern __typeof__(os_epoll_control) real_os_epoll_control;
extern __typeof__(os_epoll_wait) real_os_epoll_wait;
extern __typeof__(os_eventfd) real_os_eventfd;
extern __typeof__(os_map_memory) real_os_map_memory;
extern __typeof__(os_unmap_memory) real_os_unmap_memory;
extern __typeof__(os_thread_create) real_os_thread_create;
extern __typeof__(os_fork) real_os_fork;
extern __typeof__(os_now_ns) real_os_now_ns;
extern __typeof__(os_now_ms) real_os_now_ms;

#endif /* SERVER_RUNTIME_OS_REAL_H_ */
