/*
 * Who holds the lock of a file: for the message that tells why a server cannot have its log.
 *
 * Threading: main thread.
 */
#ifndef SERVER_NUMBERS_LOG_LOCK_HOLDER_H_
#define SERVER_NUMBERS_LOG_LOCK_HOLDER_H_

#include <stdbool.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lock_holder {
    pid_t pid; /* 0: nobody was found, or the system does not show it */
    int fd;    /* the descriptor in that process */
    char name[16];
    bool is_stopped; /* by a signal such as SIGSTOP */
};

/* Finds a process with a descriptor through which the file behind fd is locked, this one included;
 * fd itself is left out. */
struct lock_holder lock_holder_find(int fd);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOCK_HOLDER_H_ */
