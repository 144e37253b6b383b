#include "server/records/store/mysql_schema.h"

#include <string.h>
#include <strings.h>

#include "server/records/json/record.h"
#include "server/records/limits.h"
#include "server/records/message.h"
#include "server/records/store/mysql_connection.h"

enum {
    /* A character of utf8mb4 at its longest, in bytes. */
    CHARACTER_SIZE_MAX = 4,
};

/* The columns of SELECT_COLUMNS. */
enum {
    COLUMN_NAME,
    COLUMN_CHARSET,
    COLUMN_CHARACTER_MAX,
    COLUMN_BYTE_MAX,
    COLUMN_ENGINE,
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
/* What a run leaves behind when it is killed is a row a writer, which nobody asks for again. */
static const char CREATE_WRITERS[] =
    "CREATE TABLE IF NOT EXISTS user_data_writers ("
    " run CHAR(32) CHARACTER SET ascii NOT NULL, writer INT NOT NULL, sequence BIGINT NOT NULL,"
    " PRIMARY KEY (run, writer)) ENGINE=InnoDB";
static const char SELECT_COLUMNS[] =
    "SELECT c.column_name, c.character_set_name, c.character_maximum_length,"
    " c.character_octet_length, t.engine"
    " FROM information_schema.columns c JOIN information_schema.tables t"
    " USING (table_schema, table_name)"
    " WHERE c.table_schema = DATABASE() AND c.table_name = 'user_data'"
    " AND c.column_name IN ('id', 'name', 'age')";
/* What of a table that was there before may refuse a record, one a row. A key with a number that
 * the server counts up refuses none. */
static const char SELECT_OBSTACLES[] =
    "SELECT CONCAT('the unique index ', s.index_name) FROM information_schema.statistics s"
    " LEFT JOIN information_schema.columns c USING (table_schema, table_name, column_name)"
    " WHERE s.table_schema = DATABASE() AND s.table_name = 'user_data' AND s.non_unique = 0"
    " GROUP BY s.index_name HAVING COALESCE(MAX(c.extra LIKE '%auto_increment%'), 0) = 0"
    " UNION ALL SELECT CONCAT('the foreign key ', constraint_name)"
    " FROM information_schema.key_column_usage"
    " WHERE table_schema = DATABASE() AND table_name = 'user_data'"
    " AND referenced_table_name IS NOT NULL AND column_name IN ('id', 'name', 'age')"
    " UNION ALL SELECT CONCAT('the column ', column_name, ', NOT NULL and without a default')"
    " FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name = 'user_data'"
    " AND column_name NOT IN ('id', 'name', 'age') AND is_nullable = 'NO'"
    " AND column_default IS NULL AND extra NOT LIKE '%auto_increment%'"
    " AND extra NOT LIKE '%GENERATED%'";

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

static bool check_column(MYSQL_ROW row, struct record_limits *limits, char *message) {
    if (!equals(row[COLUMN_ENGINE], "InnoDB")) {
        message_format(message, "MySQL: user_data has to be an InnoDB table");
        return false;
    }
    if (!equals(row[COLUMN_CHARSET], "utf8mb4")) {
        message_format(message, "MySQL: user_data.%s has to be a text in utf8mb4",
                       row[COLUMN_NAME] == NULL ? "" : row[COLUMN_NAME]);
        return false;
    }
    const char *name = row[COLUMN_NAME] == NULL ? "" : row[COLUMN_NAME];
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

/* Makes a table where there is none of this name: it takes the right to create tables only then. */
static bool ensure_table(MYSQL *connection, const char *select_table, const char *create_table,
                         char *message) {
    MYSQL_RES *rows = mysql_connection_select(connection, select_table, 1, message);
    if (rows == NULL) {
        return false;
    }
    bool is_there = mysql_num_rows(rows) > 0;
    mysql_free_result(rows);
    if (!is_there && !mysql_connection_run(connection, create_table)) {
        mysql_connection_describe_error(connection, message);
        return false;
    }
    return true;
}

bool mysql_schema_prepare(MYSQL *connection, struct record_limits *limits, char *message) {
    if (!ensure_table(connection, SELECT_TABLE("user_data"), CREATE_DATA, message) ||
        !ensure_table(connection, SELECT_TABLE("user_data_writers"), CREATE_WRITERS, message)) {
        return false;
    }
    MYSQL_RES *rows = mysql_connection_select(connection, SELECT_COLUMNS, COLUMN_COUNT, message);
    if (rows == NULL) {
        return false;
    }
    *limits = (struct record_limits){0};
    bool is_good = check_columns(rows, limits, message);
    mysql_free_result(rows);
    return is_good && has_no_obstacle(connection, message);
}
