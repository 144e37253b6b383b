#include "server/records/store/mysql_connection.h"

#include <string.h>

#include "server/records/message.h"

enum {
    CONNECT_TIMEOUT_S = 5,
    /* Longer than a statement should take, short enough to notice a server that is gone. */
    ANSWER_TIMEOUT_S = 30,
};

bool mysql_connection_run(MYSQL *connection, const char *statement) {
    return mysql_real_query(connection, statement, strlen(statement)) == 0;
}

void mysql_connection_describe_error(MYSQL *connection, char *message) {
    message_format(message, "MySQL: %s", mysql_error(connection));
}

static void set_options(MYSQL *connection) {
    const unsigned connect_s = CONNECT_TIMEOUT_S;
    const unsigned answer_s = ANSWER_TIMEOUT_S;
    const unsigned tcp = MYSQL_PROTOCOL_TCP;
    (void)mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    (void)mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &answer_s);
    (void)mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
    (void)mysql_options(connection, MYSQL_OPT_PROTOCOL, &tcp);
    (void)mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
}

MYSQL *mysql_connection_open(const struct mysql_location *location, const char *password,
                             char *message) {
    MYSQL *connection = mysql_init(NULL);
    if (connection == NULL) {
        message_format(message, "MySQL: no memory");
        return NULL;
    }
    set_options(connection);
    /* Strict, so that what does not fit is refused instead of changed. */
    if (mysql_real_connect(connection, location->host, location->user, password, location->database,
                           location->port, NULL, 0) == NULL ||
        !mysql_connection_run(connection, "SET SESSION sql_mode = 'STRICT_ALL_TABLES'") ||
        mysql_autocommit(connection, 0) != 0) {
        mysql_connection_describe_error(connection, message);
        mysql_close(connection);
        return NULL;
    }
    return connection;
}
