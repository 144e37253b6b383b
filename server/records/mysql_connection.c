#include "server/records/mysql_connection.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "server/records/record_message.h"

enum {
    CONNECT_TIMEOUT_S = 5,
    /* Longer than a statement should take, short enough to notice a server that is gone. */
    ANSWER_TIMEOUT_S = 30,
};

bool mysql_connection_run(MYSQL *connection, const char *statement) {
    return mysql_real_query(connection, statement, strlen(statement)) == 0;
}

void mysql_connection_describe_error(MYSQL *connection, char *message) {
    record_message_format(message, "MySQL: %s", mysql_error(connection));
}

static void set_timeouts(MYSQL *connection) {
    const unsigned connect_s = CONNECT_TIMEOUT_S;
    const unsigned answer_s = ANSWER_TIMEOUT_S;
    const unsigned tcp = MYSQL_PROTOCOL_TCP;
    (void)mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    (void)mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &answer_s);
    (void)mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
    (void)mysql_options(connection, MYSQL_OPT_PROTOCOL, &tcp);
    (void)mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
}

/* Connects, and makes the session what we need. False: see mysql_connection_describe_error, unless
 * `error`, a negative errno value, is set. */
static bool establish(MYSQL *connection, const struct mysql_location *location,
                      const char *password, struct mysql_canceller *canceller, int *error) {
    if (mysql_real_connect(connection, location->host, location->user, password, location->database,
                           location->port, NULL, 0) == NULL) {
        return false;
    }
    *error = mysql_canceller_add(canceller, connection);
    /* Strict, so that what does not fit is refused instead of changed. */
    return *error == 0 &&
           mysql_connection_run(connection, "SET SESSION sql_mode = 'STRICT_ALL_TABLES'") &&
           mysql_autocommit(connection, 0) == 0;
}

MYSQL *mysql_connection_open(const struct mysql_location *location, const char *password,
                             struct mysql_canceller *canceller, char *message) {
    int error = mysql_canceller_is_cancelled(canceller) ? -ECANCELED : 0;
    MYSQL *connection = error == 0 ? mysql_init(NULL) : NULL;
    if (connection == NULL) {
        record_message_format(message, "MySQL: %s", strerror(error == 0 ? ENOMEM : -error));
        return NULL;
    }
    set_timeouts(connection);
    if (!establish(connection, location, password, canceller, &error)) {
        if (error == 0) {
            mysql_connection_describe_error(connection, message);
        } else {
            record_message_format(message, "MySQL: %s", strerror(-error));
        }
        mysql_connection_close(connection, canceller);
        return NULL;
    }
    return connection;
}

void mysql_connection_close(MYSQL *connection, struct mysql_canceller *canceller) {
    /* Before its address can be another connection's. */
    mysql_canceller_remove(canceller, connection);
    mysql_close(connection);
}
