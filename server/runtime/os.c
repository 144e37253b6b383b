#include "server/runtime/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HUGE_PAGE_SIZE = 2 * 1024 * 1024 };

static int or_negative_errno(int result) {
    return result >= 0 ? result : -errno;
}

int os_open(const char *path, int flags, mode_t mode) {
    int fd;
    do {
        fd = or_negative_errno(open(path, flags | O_CLOEXEC, mode));
    } while (fd == -EINTR);
    return fd;
}

int os_close(int fd) {
    /* Linux has released the descriptor even when close() says EINTR: never repeat it. */
    int result = or_negative_errno(close(fd));
    return result == -EINTR ? 0 : result;
}

ssize_t os_read(int fd, void *bytes, size_t size) {
    ssize_t count;
    do {
        count = read(fd, bytes, size);
    } while (count < 0 && errno == EINTR);
    return count >= 0 ? count : -errno;
}

ssize_t os_write(int fd, const void *bytes, size_t size) {
    ssize_t count;
    do {
        count = write(fd, bytes, size);
    } while (count < 0 && errno == EINTR);
    return count >= 0 ? count : -errno;
}

ssize_t os_pread(int fd, void *bytes, size_t size, off_t offset) {
    ssize_t count;
    do {
        count = pread(fd, bytes, size, offset);
    } while (count < 0 && errno == EINTR);
    return count >= 0 ? count : -errno;
}

ssize_t os_append(int fd, const void *bytes, size_t size) {
    return os_write(fd, bytes, size);
}

int os_ftruncate(int fd, off_t size) {
    int result;
    do {
        result = or_negative_errno(ftruncate(fd, size));
    } while (result == -EINTR);
    return result;
}

off_t os_file_size(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_size : -errno;
}

int os_read_ahead(int fd, off_t offset, off_t size) {
    return -posix_fadvise(fd, offset, size, POSIX_FADV_WILLNEED);
}

int os_flush_range(int fd, off_t offset, off_t size) {
    const unsigned int flags =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    int result;
    do {
        result = or_negative_errno(sync_file_range(fd, offset, size, flags));
    } while (result == -EINTR);
    return result;
}

/* A call that a signal has interrupted says nothing about the data, and may be made again; after
 * any other error it must not. */
int os_fdatasync(int fd) {
    int result;
    do {
        result = or_negative_errno(fdatasync(fd));
    } while (result == -EINTR);
    return result;
}

int os_fsync(int fd) {
    int result;
    do {
        result = or_negative_errno(fsync(fd));
    } while (result == -EINTR);
    return result;
}

int os_replace_descriptor(int fd, int replacement) {
    int result;
    do {
        result = or_negative_errno(dup3(replacement, fd, O_CLOEXEC));
    } while (result == -EINTR || result == -EBUSY);
    return result < 0 ? result : 0;
}

int os_lock_exclusive(int fd) {
    int result;
    do {
        result = or_negative_errno(flock(fd, LOCK_EX | LOCK_NB));
    } while (result == -EINTR);
    return result;
}

int os_open_standard_streams(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR); /* takes the lowest number that is free */
    } while (fd >= 0 && fd <= STDERR_FILENO);
    return fd < 0 ? -errno : os_close(fd);
}

int os_enter_working_directory(void) {
    const char *directory = getenv("BUILD_WORKING_DIRECTORY");
    return directory == NULL ? 0 : or_negative_errno(chdir(directory));
}

int os_allow_descriptors(size_t count) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return -errno;
    }
    if (limit.rlim_cur >= count) {
        return 0;
    }
    bool is_enough = limit.rlim_max >= count;
    limit.rlim_cur = is_enough ? count : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return -errno;
    }
    return is_enough ? 0 : -EMFILE;
}

int os_socket(int family, int type, int protocol) {
    return or_negative_errno(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

int os_accept(int listening_fd, struct sockaddr_storage *peer) {
    int fd;
    do {
        socklen_t peer_size = sizeof *peer;
        fd = or_negative_errno(accept4(listening_fd, (struct sockaddr *)peer,
                                       peer == NULL ? NULL : &peer_size,
                                       SOCK_CLOEXEC | SOCK_NONBLOCK));
    } while (fd == -EINTR);
    return fd;
}

ssize_t os_recv(int fd, void *bytes, size_t size) {
    ssize_t count;
    do {
        count = recv(fd, bytes, size, 0);
    } while (count < 0 && errno == EINTR);
    return count >= 0 ? count : -errno;
}

static ssize_t send_with(int fd, const void *bytes, size_t size, int flags) {
    ssize_t count;
    do {
        count = send(fd, bytes, size, MSG_NOSIGNAL | flags);
    } while (count < 0 && errno == EINTR);
    return count >= 0 ? count : -errno;
}

ssize_t os_send(int fd, const void *bytes, size_t size) {
    return send_with(fd, bytes, size, 0);
}

ssize_t os_send_before(int fd, const void *bytes, size_t size) {
    return send_with(fd, bytes, size, MSG_MORE);
}

/* Room for the one descriptor that a message carries. */
union descriptor_room {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr alignment;
};

ssize_t os_send_descriptor(int socket_fd, const void *bytes, size_t size, int sent_fd) {
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    union descriptor_room room = {{0}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = room.bytes,
                             .msg_controllen = sizeof room.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof sent_fd);
    memcpy(CMSG_DATA(header), &sent_fd, sizeof sent_fd);
    ssize_t count;
    do {
        count = sendmsg(socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return count >= 0 ? count : -errno;
}

ssize_t os_receive_descriptor(int socket_fd, void *bytes, size_t size, int *received_fd) {
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    union descriptor_room room = {{0}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = room.bytes,
                             .msg_controllen = sizeof room.bytes};
    ssize_t count;
    do {
        count = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    *received_fd = -1;
    const struct cmsghdr *header = count >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        memcpy(received_fd, CMSG_DATA(header), sizeof *received_fd);
    }
    return count >= 0 ? count : -errno;
}

int os_poll(struct pollfd *polled, size_t count, int timeout_ms) {
    int fired_count = or_negative_errno(poll(polled, (nfds_t)count, timeout_ms));
    return fired_count == -EINTR ? 0 : fired_count;
}

int os_epoll_create(void) {
    return or_negative_errno(epoll_create1(EPOLL_CLOEXEC));
}

int os_epoll_control(int epoll_fd, int operation, int fd, struct epoll_event *event) {
    return or_negative_errno(epoll_ctl(epoll_fd, operation, fd, event));
}

int os_epoll_wait(int epoll_fd, struct epoll_event *events, size_t capacity, int timeout_ms) {
    int fired_count = or_negative_errno(epoll_wait(epoll_fd, events, (int)capacity, timeout_ms));
    return fired_count == -EINTR ? 0 : fired_count;
}

int os_eventfd(void) {
    return or_negative_errno(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int os_timer(int64_t interval_ms) {
    const struct timespec interval = {.tv_sec = (time_t)(interval_ms / 1000),
                                      .tv_nsec = (long)(interval_ms % 1000) * 1000000};
    const struct itimerspec times = {.it_interval = interval, .it_value = interval};
    int fd = or_negative_errno(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (fd >= 0 && timerfd_settime(fd, 0, &times, NULL) != 0) {
        int error = -errno;
        (void)os_close(fd);
        return error;
    }
    return fd;
}

void *os_map_memory(size_t size) {
    /* mmap aligns to 4 KiB only: take a huge page more and give back what sticks out. */
    size_t mapped_size = size + HUGE_PAGE_SIZE;
    char *mapped =
        mmap(NULL, mapped_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
        return NULL;
    }
    size_t head_size = (HUGE_PAGE_SIZE - (uintptr_t)mapped % HUGE_PAGE_SIZE) % HUGE_PAGE_SIZE;
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    size_t kept_size = (size + page_size - 1) / page_size * page_size;
    if (head_size > 0) {
        (void)munmap(mapped, head_size);
    }
    (void)munmap(mapped + head_size + kept_size, mapped_size - head_size - kept_size);
    char *memory = mapped + head_size;
    /* Advice only: without huge pages everything works, a little slower. */
    (void)madvise(memory, kept_size, MADV_HUGEPAGE);
    /* A page fault on a huge page zeroes 2 MiB, and in a virtual machine may have to wait for the
     * host: that belongs to the start. Kernels before 5.14 do not know the advice and fault
     * later. */
    if (madvise(memory, kept_size, MADV_POPULATE_WRITE) != 0 && errno == ENOMEM) {
        os_unmap_memory(memory, kept_size);
        return NULL;
    }
    return memory;
}

void os_unmap_memory(void *memory, size_t size) {
    (void)munmap(memory, size);
}

int os_thread_create(pthread_t *thread, const char *name, void *(*run)(void *), void *context) {
    int error = -pthread_create(thread, NULL, run, context);
    if (error == 0) {
        /* Only for those who look: a thread without its name works as well. */
        (void)pthread_setname_np(*thread, name);
    }
    return error;
}

int os_fork(void) {
    return or_negative_errno(fork());
}

int64_t os_now_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t os_now_ms(void) {
    return os_now_ns() / 1000000;
}
