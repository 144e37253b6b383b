#include "server/records/store/mysql_connection.h"

#include <errno.h>
#include <inttypes.h>
#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/json/message.h"

enum {
    CONNECT_TIMEOUT_S = 5,
    /* Longer than a statement should take, short enough to notice a server that is gone. */
    ANSWER_TIMEOUT_S = 30,
};

/* How long a statement waits for a row that another connection holds: less than we wait for it. */
#define LOCK_TIMEOUT_S "10"

static const char CHARACTER_SET[] = "utf8mb4";

bool mysql_connection_run(MYSQL *connection, const char *statement) {
    return mysql_real_query(connection, statement, strlen(statement)) == 0;
}

void mysql_connection_describe_error(MYSQL *connection, char *message) {
    message_format(message, "MySQL: %s", mysql_error(connection));
}

MYSQL_RES *mysql_connection_select(MYSQL *connection, const char *statement, unsigned column_count,
                                   char *message) {
    MYSQL_RES *rows =
        mysql_connection_run(connection, statement) ? mysql_store_result(connection) : NULL;
    if (rows == NULL && mysql_errno(connection) != 0) {
        mysql_connection_describe_error(connection, message);
    } else if (rows == NULL || mysql_num_fields(rows) != column_count) {
        message_format(message, "MySQL: it answers something else than it was asked for");
        mysql_free_result(rows);
        return NULL;
    }
    return rows;
}

bool mysql_connection_read_number(const char *text, uint64_t *number) {
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9') {
        return false;
    }
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

bool mysql_connection_read_packet_size(MYSQL *connection, uint64_t *size, char *message) {
    enum { SIZE_MIN = MYSQL_ROW_SIZE_MAX + MYSQL_STATEMENT_OVERHEAD };
    MYSQL_RES *rows =
        mysql_connection_select(connection, "SELECT @@max_allowed_packet", 1, message);
    if (rows == NULL) {
        return false;
    }
    MYSQL_ROW row = mysql_fetch_row(rows);
    bool is_read = row != NULL && mysql_connection_read_number(row[0], size);
    mysql_free_result(rows);
    if (!is_read) {
        message_format(message, "MySQL: it answers something else than it was asked for");
    } else if (*size < SIZE_MIN) {
        message_format(message,
                       "MySQL: max_allowed_packet is %" PRIu64
                       ", and a record may need %d; set it to 1M or more",
                       *size, SIZE_MIN);
    }
    return is_read && *size >= SIZE_MIN;
}

/* How a server may ask for the password. Never in clear, for it may lie about its encryption too;
 * and in a way that it can decrypt only if it has to prove that it is the one that is meant. Which
 * way a server begins with says nothing about the user's. */
#define FIRST_PLUGIN "mysql_native_password"
#define PLUGINS FIRST_PLUGIN ",client_ed25519"
#define PLUGINS_OF_PROVED_SERVER PLUGINS ",caching_sha2_password"

static bool set_options(MYSQL *connection, const struct mysql_location *location) {
    const unsigned connect_s = CONNECT_TIMEOUT_S;
    const unsigned answer_s = ANSWER_TIMEOUT_S;
    const unsigned protocol = location->socket == NULL ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    const unsigned allows_files = 0; /* a server could ask for any file of ours */
    const my_bool enforces_tls = location->requires_tls;
    const my_bool verifies = location->ssl_ca != NULL;
    bool is_proved = verifies || location->socket != NULL;
    const char *plugins = is_proved ? PLUGINS_OF_PROVED_SERVER : PLUGINS;
    return mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s) == 0 &&
           mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &answer_s) == 0 &&
           mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &answer_s) == 0 &&
           mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol) == 0 &&
           mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &allows_files) == 0 &&
           mysql_options(connection, MARIADB_OPT_RESTRICTED_AUTH, plugins) == 0 &&
           mysql_options(connection, MYSQL_DEFAULT_AUTH, FIRST_PLUGIN) == 0 &&
           mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &enforces_tls) == 0 &&
           mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verifies) == 0 &&
           (location->ssl_ca == NULL ||
            mysql_options(connection, MYSQL_OPT_SSL_CA, location->ssl_ca) == 0) &&
           mysql_options(connection, MYSQL_SET_CHARSET_NAME, CHARACTER_SET) == 0;
}

/* The character set is what our texts are in, and what decides which bytes of them have to be
 * escaped. A server may ignore what the client asks for when it connects, or change it right after:
 * so it is set now. Strict, so that what does not fit is refused instead of changed. */
static bool prepare_session(MYSQL *connection) {
    return mysql_set_character_set(connection, CHARACTER_SET) == 0 &&
           mysql_connection_run(connection, "SET SESSION sql_mode = 'STRICT_ALL_TABLES', "
                                            "innodb_lock_wait_timeout = " LOCK_TIMEOUT_S) &&
           mysql_autocommit(connection, 0) == 0;
}

static MYSQL *connect_host(const struct mysql_server *server, const struct mysql_host *host,
                           char *message) {
    const struct mysql_location *location = &server->location;
    MYSQL *connection = mysql_init(NULL);
    if (connection == NULL) {
        message_format(message, "MySQL: no memory");
        return NULL;
    }
    if (!set_options(connection, location)) {
        message_format(message, "MySQL: the client library lacks an option");
        mysql_close(connection);
        return NULL;
    }
    bool is_connected =
        mysql_real_connect(connection, host->name, location->user, server->password,
                           location->database, host->port, location->socket, 0) != NULL;
    /* The library goes on in clear with a server that knows no encryption. */
    bool is_as_wanted =
        is_connected && (!location->requires_tls || mysql_get_ssl_cipher(connection) != NULL);
    if (is_as_wanted && prepare_session(connection)) {
        return connection;
    }
    if (is_connected && !is_as_wanted) {
        message_format(message, "MySQL: the server offers no TLS");
    } else if (mysql_errno(connection) == CR_PLUGIN_NOT_ALLOWED) {
        /* The library's own text names the plugin by memory that it has used otherwise by then. */
        message_format(message, "MySQL: the server asks for the password in a way that it could "
                                "read it; caching_sha2_password needs ssl-ca=PATH or a socket");
    } else {
        mysql_connection_describe_error(connection, message);
    }
    mysql_close(connection);
    return NULL;
}

MYSQL *mysql_connection_open(struct mysql_server *server, size_t *host_index, char *message) {
    size_t host_count = server->location.host_count;
    size_t first_index = atomic_load(&server->host_index);
    for (size_t count = 0; count < host_count; count++) {
        size_t index = (first_index + count) % host_count;
        MYSQL *connection = connect_host(server, &server->location.hosts[index], message);
        if (connection != NULL) {
            atomic_store(&server->host_index, index);
            *host_index = index;
            return connection;
        }
    }
    return NULL;
}

void mysql_connection_leave_host(struct mysql_server *server, size_t host_index, unsigned error) {
    /* A node of Galera outside its cluster knows no command, it says. */
    if (error == ER_UNKNOWN_COM_ERROR || error == ER_OPTION_PREVENTS_STATEMENT ||
        error == ER_READ_ONLY_MODE || error == ER_SERVER_SHUTDOWN) {
        (void)atomic_compare_exchange_strong(&server->host_index, &host_index,
                                             (host_index + 1) % server->location.host_count);
    }
}
