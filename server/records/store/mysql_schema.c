#include "server/records/store/mysql_schema.h"

#include <string.h>
#include <strings.h>

#include <mariadb/mysqld_error.h>

#include "server/records/json/limits.h"
#include "server/records/json/message.h"
#include "server/records/json/record.h"
#include "server/records/store/mysql_connection.h"

enum {
    /* A character of utf8mb4 at its longest, in bytes. */
    CHARACTER_SIZE_MAX = 4,
    /* Of MySQL 8, which MariaDB's header does not name. */
    MYSQL8_REQUIRES_PRIMARY_KEY = 3750,
};

/* The columns of SELECT_COLUMNS. */
enum {
    COLUMN_NAME,
    COLUMN_CHARSET,
    COLUMN_CHARACTER_MAX,
    COLUMN_BYTE_MAX,
    COLUMN_ENGINE,
    COLUMN_TYPE,
    COLUMN_EXTRA,
    COLUMN_COUNT
};

#define SELECT_TABLE(name)                                                                         \
    "SELECT table_name FROM information_schema.tables"                                             \
    " WHERE table_schema = DATABASE() AND table_name = '" name "'"
static const char CREATE_DATA[] =
    "CREATE TABLE IF NOT EXISTS user_data ("
    " id MEDIUMTEXT NOT NULL, name MEDIUMTEXT NOT NULL, age MEDIUMTEXT NOT NULL,"
    " KEY user_data_id (id(64))"
    ") ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
/* The same where each table has to have a primary key. */
static const char CREATE_DATA_WITH_KEY[] =
    "CREATE TABLE IF NOT EXISTS user_data ("
    " number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
    " id MEDIUMTEXT NOT NULL, name MEDIUMTEXT NOT NULL, age MEDIUMTEXT NOT NULL,"
    " KEY user_data_id (id(64))"
    ") ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
/* What a run leaves behind when it is killed is a row a writer, which nobody asks for again. */
static const char CREATE_WRITERS[] =
    "CREATE TABLE IF NOT EXISTS user_data_writers ("
    " run CHAR(32) CHARACTER SET ascii NOT NULL, writer INT NOT NULL, sequence BIGINT NOT NULL,"
    " PRIMARY KEY (run, writer)) ENGINE=InnoDB";
static const char SELECT_COLUMNS[] =
    "SELECT c.column_name, c.character_set_name, c.character_maximum_length,"
    " c.character_octet_length, t.engine, c.data_type, c.extra"
    " FROM information_schema.columns c JOIN information_schema.tables t"
    " USING (table_schema, table_name)"
    " WHERE c.table_schema = DATABASE() AND c.table_name = 'user_data'"
    " AND c.column_name IN ('id', 'name', 'age')";
/* What of a table that was there before may refuse a record, with the remedy, one a row. A key with
 * a number that the server counts up refuses none. */
static const char SELECT_OBSTACLES[] =
    "SELECT CONCAT('the unique index ', s.index_name, '; drop it')"
    " FROM information_schema.statistics s"
    " LEFT JOIN information_schema.columns c USING (table_schema, table_name, column_name)"
    " WHERE s.table_schema = DATABASE() AND s.table_name = 'user_data' AND s.non_unique = 0"
    " GROUP BY s.index_name HAVING COALESCE(MAX(c.extra LIKE '%auto_increment%'), 0) = 0"
    " UNION ALL SELECT CONCAT('the foreign key ', constraint_name, '; drop it')"
    " FROM information_schema.key_column_usage"
    " WHERE table_schema = DATABASE() AND table_name = 'user_data'"
    " AND referenced_table_name IS NOT NULL AND column_name IN ('id', 'name', 'age')"
    " UNION ALL SELECT CONCAT('the column ', column_name, ', NOT NULL and without a default; give"
    " it one') FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name = 'user_data'"
    " AND column_name NOT IN ('id', 'name', 'age') AND is_nullable = 'NO'"
    " AND column_default IS NULL AND extra NOT LIKE '%auto_increment%'"
    " AND extra NOT LIKE '%GENERATED%'"
    " UNION ALL SELECT CONCAT('partitions by ', MIN(partition_method), ', and none for all other"
    " values; add one') FROM information_schema.partitions"
    " WHERE table_schema = DATABASE() AND table_name = 'user_data'"
    " AND (partition_method LIKE 'LIST%' OR partition_method LIKE 'RANGE%')"
    " HAVING COUNT(*) > 0 AND SUM(partition_description = 'DEFAULT'"
    " OR partition_description LIKE 'MAXVALUE%') = 0";
/* Everything that is done to the tables, done to no row of them: it takes the same rights, and a
 * server that takes writes. */
static const char *const TRIALS[] = {
    "INSERT INTO user_data (id, name, age) SELECT id, name, age FROM user_data WHERE FALSE",
    "INSERT INTO user_data_writers (run, writer, sequence)"
    " SELECT run, writer, sequence FROM user_data_writers old WHERE FALSE"
    " ON DUPLICATE KEY UPDATE sequence = VALUES(sequence)",
    "DELETE FROM user_data_writers WHERE FALSE",
};

static bool equals(const char *text, const char *expected) {
    return text != NULL && strcasecmp(text, expected) == 0;
}

/* Reads how many characters fit for certain, 0 when every record fits. */
static bool read_character_max(MYSQL_ROW row, size_t *character_max) {
    uint64_t characters;
    uint64_t bytes;
    if (!mysql_connection_read_number(row[COLUMN_CHARACTER_MAX], &characters) ||
        !mysql_connection_read_number(row[COLUMN_BYTE_MAX], &bytes)) {
        return false;
    }
    uint64_t certain =
        characters < bytes / CHARACTER_SIZE_MAX ? characters : bytes / CHARACTER_SIZE_MAX;
    /* The members are shorter than the record, by the quotes and names around them. */
    *character_max = bytes >= RECORDS_RECORD_SIZE_MAX - 1 ? 0 : (size_t)certain;
    return true;
}

/* NULL, or why a column cannot keep every text as it is, and what would help. */
static const char *why_no_text(MYSQL_ROW row) {
    if (!equals(row[COLUMN_CHARSET], "utf8mb4")) {
        return "has to be a text in utf8mb4";
    }
    if (equals(row[COLUMN_TYPE], "enum") || equals(row[COLUMN_TYPE], "set")) {
        return "takes certain texts only; make it a text or a varchar";
    }
    if (equals(row[COLUMN_TYPE], "char")) {
        return "loses the spaces at the end of a text; make it a varchar";
    }
    if (row[COLUMN_EXTRA] != NULL && strstr(row[COLUMN_EXTRA], "GENERATED") != NULL) {
        return "is generated, so nothing can be stored there; make it a plain column";
    }
    return NULL;
}

static bool check_column(MYSQL_ROW row, struct record_limits *limits, char *message) {
    const char *name = row[COLUMN_NAME] == NULL ? "" : row[COLUMN_NAME];
    if (!equals(row[COLUMN_ENGINE], "InnoDB")) {
        message_format(message, "MySQL: user_data has to be an InnoDB table");
        return false;
    }
    const char *reason = why_no_text(row);
    if (reason != NULL) {
        message_format(message, "MySQL: user_data.%s %s", name, reason);
        return false;
    }
    enum record_member member = record_member_from_key(name, strlen(name));
    if (member == RECORD_MEMBER_COUNT || !read_character_max(row, &limits->character_max[member])) {
        message_format(message, "MySQL: it answers something else than it was asked for");
        return false;
    }
    return true;
}

static bool check_columns(MYSQL_RES *rows, struct record_limits *limits, char *message) {
    size_t column_count = 0;
    for (MYSQL_ROW row = mysql_fetch_row(rows); row != NULL; row = mysql_fetch_row(rows)) {
        if (!check_column(row, limits, message)) {
            return false;
        }
        column_count++;
    }
    if (column_count != RECORD_MEMBER_COUNT) {
        message_format(message, "MySQL: user_data needs the columns id, name and age");
        return false;
    }
    return true;
}

static bool has_no_obstacle(MYSQL *connection, char *message) {
    MYSQL_RES *rows = mysql_connection_select(connection, SELECT_OBSTACLES, 1, message);
    if (rows == NULL) {
        return false;
    }
    MYSQL_ROW row = mysql_fetch_row(rows);
    if (row != NULL) {
        message_format(message, "MySQL: user_data may refuse records: it has %s",
                       row[0] == NULL ? "something unnamed" : row[0]);
    }
    mysql_free_result(rows);
    return row == NULL;
}

static bool make_table(MYSQL *connection, const char *create_table, const char *create_with_key) {
    if (mysql_connection_run(connection, create_table)) {
        return true;
    }
    unsigned error = mysql_errno(connection);
    bool needs_key = error == ER_REQUIRES_PRIMARY_KEY || error == MYSQL8_REQUIRES_PRIMARY_KEY;
    return needs_key && mysql_connection_run(connection, create_with_key);
}

/* Makes a table where there is none of this name: it takes the right to create tables only then. */
static bool ensure_table(MYSQL *connection, const char *select_table, const char *create_table,
                         const char *create_with_key, char *message) {
    MYSQL_RES *rows = mysql_connection_select(connection, select_table, 1, message);
    if (rows == NULL) {
        return false;
    }
    bool is_there = mysql_num_rows(rows) > 0;
    mysql_free_result(rows);
    if (!is_there && !make_table(connection, create_table, create_with_key)) {
        mysql_connection_describe_error(connection, message);
        return false;
    }
    return true;
}

/* What helps against an error of a server that does not let us write, or NULL. */
static const char *remedy_of(unsigned error) {
    switch (error) {
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
        return "grant it SELECT, INSERT, UPDATE and DELETE";
    case ER_OPTION_PREVENTS_STATEMENT:
    case ER_READ_ONLY_MODE:
    case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
    case ER_OPEN_AS_READONLY:
        return "name one that takes writes";
    default:
        return NULL;
    }
}

static bool can_write(MYSQL *connection, char *message) {
    for (size_t index = 0; index < sizeof TRIALS / sizeof TRIALS[0]; index++) {
        if (!mysql_connection_run(connection, TRIALS[index])) {
            const char *remedy = remedy_of(mysql_errno(connection));
            message_format(message, "MySQL: %.180s%s%s", mysql_error(connection),
                           remedy == NULL ? "" : "; ", remedy == NULL ? "" : remedy);
            return false;
        }
    }
    return mysql_rollback(connection) == 0;
}

bool mysql_schema_prepare(MYSQL *connection, struct record_limits *limits, char *message) {
    uint64_t packet_size;
    if (!mysql_connection_read_packet_size(connection, &packet_size, message) ||
        !ensure_table(connection, SELECT_TABLE("user_data"), CREATE_DATA, CREATE_DATA_WITH_KEY,
                      message) ||
        !ensure_table(connection, SELECT_TABLE("user_data_writers"), CREATE_WRITERS, CREATE_WRITERS,
                      message)) {
        return false;
    }
    MYSQL_RES *rows = mysql_connection_select(connection, SELECT_COLUMNS, COLUMN_COUNT, message);
    if (rows == NULL) {
        return false;
    }
    *limits = (struct record_limits){0};
    bool is_good = check_columns(rows, limits, message);
    mysql_free_result(rows);
    return is_good && has_no_obstacle(connection, message) && can_write(connection, message);
}
