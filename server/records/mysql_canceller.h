/*
 * Cuts off the connections to a MySQL server that does not answer, so that the threads that wait
 * for it go on.
 *
 * The client library may close a connection's socket at any time, in the thread that uses it, and
 * has no lock for others. The canceller therefore keeps a duplicate of each socket, which nobody
 * else closes, and shuts that down: the connection's next step, or the one it waits in, fails.
 *
 * Ownership: the canceller owns the duplicates. Threading: any thread.
 */
#ifndef SERVER_RECORDS_MYSQL_CANCELLER_H_
#define SERVER_RECORDS_MYSQL_CANCELLER_H_

#include <mariadb/mysql.h>
#include <pthread.h>
#include <stdbool.h>

#include "server/records/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MYSQL_CONNECTIONS_MAX = RECORDS_WORKERS_MAX + RECORDS_QUERY_THREADS };

struct mysql_canceller_entry {
    const MYSQL *connection; /* NULL: free */
    int socket;
};

struct mysql_canceller {
    pthread_mutex_t mutex; /* guards what follows */
    bool is_cancelled;
    struct mysql_canceller_entry entries[MYSQL_CONNECTIONS_MAX];
};

/* 0, or a negative errno value. */
int mysql_canceller_init(struct mysql_canceller *canceller);

/* Call it when all connections are closed. */
void mysql_canceller_destroy(struct mysql_canceller *canceller);

/* Takes note of a connection that is established. 0, or a negative errno value: -ECANCELED when all
 * is cancelled already, and what the system lacks for it. */
int mysql_canceller_add(struct mysql_canceller *canceller, MYSQL *connection);

/* Forgets a connection, also one that was never added. */
void mysql_canceller_remove(struct mysql_canceller *canceller, const MYSQL *connection);

/* Cuts all connections off, now and in future. */
void mysql_canceller_cancel(struct mysql_canceller *canceller);

bool mysql_canceller_is_cancelled(struct mysql_canceller *canceller);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_MYSQL_CANCELLER_H_ */
