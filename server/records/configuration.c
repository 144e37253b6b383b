#include "server/records/configuration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "server/records/limits.h"
#include "server/runtime/escape.h"
#include "server/runtime/http/http_server.h"
#include "server/runtime/logger.h"
#include "server/runtime/startup.h"

enum {
    SECOND_MS = 1000,
    DAY_MS = 24 * 60 * 60 * SECOND_MS,
    PASSWORD_CAPACITY = 1024,
    PATH_TEXT_CAPACITY = 512,
};

static const char program[] = "records-server";
static const char password_variable[] = "RECORDS_PASSWORD";
static const char *const durability_names[] = {"never", "always", NULL};

static const char summary[] =
    "Receives JSON objects like {\"id\": \"1\", \"name\": \"John Doe\", \"age\": \"25\"} over TCP, "
    "keeps them in a\n"
    "bounded buffer and writes them to a store in the background. A second port shows them again.";

static const char examples[] =
    "  records-server                             ports 2525 and 2526, records in ./records.db\n"
    "  records-server --store=file:records.jsonl  a file of JSON lines instead of SQLite\n"
    "  RECORDS_PASSWORD=... records-server --store=mysql://root@127.0.0.1:3306/tsdb\n"
    "  echo '{\"id\": \"1\", \"name\": \"John Doe\", \"age\": \"25\"}' | nc -N localhost 2525\n"
    "  echo 'get data' | nc -N localhost 2526\n"
    "  echo 'id 1' | nc -N localhost 2526\n";

static void set_defaults(struct configuration *configuration) {
    *configuration = (struct configuration){
        .addresses = {.items = {"127.0.0.1"}, .count = 1},
        .ingest_port = 2525,
        .query_port = 2526,
        .queue_size = 1000,
        .worker_count = 10,
        .client_capacity = RECORDS_CLIENTS_DEFAULT,
        .store = "sqlite:records.db",
        .log_level = LOG_LEVEL_INFO,
        .http_port = HTTP_PORT_NONE,
    };
}

enum options_outcome configuration_read(struct configuration *configuration, int argc,
                                        char **argv) {
    set_defaults(configuration);
    const struct option_spec specs[] = {
        {"ingest-port", "NUMBER", "take records on this TCP port; 0 takes any free one",
         OPTION_INTEGER, &configuration->ingest_port, 0, 65535, NULL},
        {"query-port", "NUMBER", "answer queries on this TCP port; 0 takes any free one",
         OPTION_INTEGER, &configuration->query_port, 0, 65535, NULL},
        {"bind", "ADDRESS", "listen on this address or name, * for all; may be repeated",
         OPTION_TEXT_LIST, &configuration->addresses, 0, 0, NULL},
        {"store", "LOCATION",
         "sqlite:PATH, file:PATH or mysql://USER@HOST[:PORT][,HOST...]/DATABASE", OPTION_TEXT,
         &configuration->store, 0, 0, NULL},
        {"password-file", "PATH",
         "its first line is the database's password, else $RECORDS_PASSWORD; only yours to read",
         OPTION_TEXT, &configuration->password_path, 0, 0, NULL},
        {"rejects", "FILE",
         "append what the store refuses for good to it; else that is logged and dropped",
         OPTION_TEXT, &configuration->rejects_path, 0, 0, NULL},
        {"fsync", "never|always", "whether to force each batch to the disk (not for mysql)",
         OPTION_CHOICE, &configuration->syncs_always, 0, 0, durability_names},
        {"queue-size", "NUMBER", "records that wait for the store at most, 1 to 1000000",
         OPTION_INTEGER, &configuration->queue_size, 1, RECORDS_QUEUE_SIZE_MAX, NULL},
        {"workers", "NUMBER", "threads that write to the store, 1 to 64 (sqlite and file use one)",
         OPTION_INTEGER, &configuration->worker_count, 1, RECORDS_WORKERS_MAX, NULL},
        {"max-clients", "NUMBER",
         "take records from this many senders at a time, 1 to 10000; others wait", OPTION_INTEGER,
         &configuration->client_capacity, 1, RECORDS_CLIENTS_MAX, NULL},
        {"idle-timeout", "SECONDS", "reset a sender that is silent for so long; 0: never",
         OPTION_SECONDS, &configuration->idle_timeout_ms, 0, DAY_MS, NULL},
        {"ack", NULL, "answer {\"stored\": N} at the end of a stream, when it is in the store",
         OPTION_FLAG, &configuration->acknowledges, 0, 0, NULL},
        {"http-port", "NUMBER",
         "serve metrics and a status page on this port of 127.0.0.1; 0 takes any free one",
         OPTION_INTEGER, &configuration->http_port, 0, 65535, NULL},
        {"log-level", "debug|info|warning|error", "what to say on standard error", OPTION_CHOICE,
         &configuration->log_level, 0, 0, log_level_names},
    };
    const struct options options = {
        .program = program,
        .summary = summary,
        .examples = examples,
        .exit_codes = "  0   ended by a signal, and all that was received is stored\n"
                      "  1   could not start: port taken, store out of reach or not usable\n"
                      "  2   a bad option or value\n"
                      "  74  records could not be stored\n",
        .specs = specs,
        .spec_count = sizeof specs / sizeof specs[0],
    };
    int first_argument_index;
    enum options_outcome outcome = options_parse(&options, argc, argv, &first_argument_index);
    if (outcome == OPTIONS_RUN && !startup_check_addresses(&options, &configuration->addresses)) {
        return OPTIONS_INVALID;
    }
    if (outcome == OPTIONS_RUN && configuration->ingest_port != 0 &&
        configuration->ingest_port == configuration->query_port) {
        options_complain(&options, "--ingest-port and --query-port are both %" PRId64,
                         configuration->ingest_port);
        return OPTIONS_INVALID;
    }
    option_settings_write(&options, configuration->settings);
    return outcome;
}

void configuration_complain(const char *message) {
    const struct options options = {.program = program};
    options_complain(&options, "%s", message);
}

/* Reads the first line of a file that nobody else may read or write. NULL, or what is wrong. */
static const char *read_secret(const char *path, char *line, int capacity) {
    struct stat status;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return strerror(errno);
    }
    bool is_secret = fstat(fileno(file), &status) == 0 && (status.st_mode & S_IRWXO) == 0;
    bool is_read = fgets(line, capacity, file) != NULL;
    (void)fclose(file);
    if (!is_secret) {
        return "others may read or write it: chmod o= makes it yours";
    }
    line[is_read ? strcspn(line, "\r\n") : 0] = '\0';
    return line[0] == '\0' ? "its first line is empty" : NULL;
}

bool configuration_read_password(const struct configuration *configuration, char **password) {
    char line[PASSWORD_CAPACITY];
    const char *text = getenv(password_variable);
    if (configuration->password_path != NULL) {
        const char *reason = read_secret(configuration->password_path, line, sizeof line);
        if (reason != NULL) {
            char path[PATH_TEXT_CAPACITY];
            (void)fprintf(stderr, "records-server: cannot read the password from %s: %s\n",
                          escape_bytes(path, sizeof path, configuration->password_path,
                                       strlen(configuration->password_path)),
                          reason);
            return false;
        }
        text = line;
    }
    /* A variable that is set to nothing says that there is none. */
    bool has_password = text != NULL && text[0] != '\0';
    *password = has_password ? strdup(text) : NULL;
    return !has_password || *password != NULL;
}
