#include "server/records/mysql_canceller.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>

#include "server/runtime/os.h"

int mysql_canceller_init(struct mysql_canceller *canceller) {
    *canceller = (struct mysql_canceller){0};
    return -pthread_mutex_init(&canceller->mutex, NULL);
}

void mysql_canceller_destroy(struct mysql_canceller *canceller) {
    (void)pthread_mutex_destroy(&canceller->mutex);
}

/* Finds the entry of a connection, or with NULL a free one. NULL: there is none. */
static struct mysql_canceller_entry *find_entry(struct mysql_canceller *canceller,
                                                const MYSQL *connection) {
    for (size_t index = 0; index < MYSQL_CONNECTIONS_MAX; index++) {
        if (canceller->entries[index].connection == connection) {
            return &canceller->entries[index];
        }
    }
    return NULL;
}

static int add(struct mysql_canceller *canceller, MYSQL *connection) {
    struct mysql_canceller_entry *entry = find_entry(canceller, NULL);
    if (canceller->is_cancelled || entry == NULL) {
        return canceller->is_cancelled ? -ECANCELED : -EMFILE;
    }
    int duplicate = fcntl(mysql_get_socket(connection), F_DUPFD_CLOEXEC, 0);
    if (duplicate < 0) {
        return -errno;
    }
    *entry = (struct mysql_canceller_entry){.connection = connection, .socket = duplicate};
    return 0;
}

int mysql_canceller_add(struct mysql_canceller *canceller, MYSQL *connection) {
    (void)pthread_mutex_lock(&canceller->mutex);
    int error = add(canceller, connection);
    (void)pthread_mutex_unlock(&canceller->mutex);
    return error;
}

void mysql_canceller_remove(struct mysql_canceller *canceller, const MYSQL *connection) {
    (void)pthread_mutex_lock(&canceller->mutex);
    struct mysql_canceller_entry *entry = find_entry(canceller, connection);
    if (entry != NULL) {
        (void)os_close(entry->socket);
        entry->connection = NULL;
    }
    (void)pthread_mutex_unlock(&canceller->mutex);
}

void mysql_canceller_cancel(struct mysql_canceller *canceller) {
    (void)pthread_mutex_lock(&canceller->mutex);
    canceller->is_cancelled = true;
    for (size_t index = 0; index < MYSQL_CONNECTIONS_MAX; index++) {
        if (canceller->entries[index].connection != NULL) {
            (void)shutdown(canceller->entries[index].socket, SHUT_RDWR);
        }
    }
    (void)pthread_mutex_unlock(&canceller->mutex);
}

bool mysql_canceller_is_cancelled(struct mysql_canceller *canceller) {
    (void)pthread_mutex_lock(&canceller->mutex);
    bool is_cancelled = canceller->is_cancelled;
    (void)pthread_mutex_unlock(&canceller->mutex);
    return is_cancelled;
}
