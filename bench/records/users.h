/*
 * Users of the records server, many at a time: each sends its records one after the other, every
 * one over a connection of its own.
 *
 * A request is over when the server has ended the connection in an orderly way; under the server's
 * --ack that means that the record is in the store. Anything else is a failed request; only where
 * this machine has no free port or descriptor for another connection is it tried again.
 *
 * Ownership: the structure owns sockets and memory. Threading: one thread.
 */
#ifndef BENCH_RECORDS_USERS_H_
#define BENCH_RECORDS_USERS_H_

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/epoll_loop.h"

#ifdef __cplusplus
extern "C" {
#endif

struct records_users_configuration {
    struct sockaddr_storage address;
    socklen_t address_size;
    size_t user_count;
    uint64_t requests_per_user;
    int64_t delay_us; /* between two requests of a user */
};

struct records_user;

struct records_users {
    struct records_users_configuration configuration;
    struct epoll_loop loop;
    struct records_user *users;
    size_t active_count;
    double *latencies_ms; /* of the orderly requests, sent_count */
    uint64_t sent_count;
    uint64_t failed_count; /* records of connections that did not end in an orderly way */
    uint64_t error_count;  /* lines that the server answered with {"error": ...} */
    int last_error;        /* errno of the last connection that failed, 0 if none */
};

/* 0, or a negative errno value with nothing left over. */
int records_users_init(struct records_users *users,
                       const struct records_users_configuration *configuration);
void records_users_destroy(struct records_users *users);

/* Goes on for a moment. False: all users are done. */
bool records_users_run_once(struct records_users *users);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_RECORDS_USERS_H_ */
