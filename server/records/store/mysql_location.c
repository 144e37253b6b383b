#include "server/records/store/mysql_location.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/message.h"

enum { PORT_MAX = 65535 };

/* Cuts `text` at the first `separator` and returns what is behind it, or NULL. */
static char *cut(char *text, char separator) {
    char *at = strchr(text, separator);
    if (at == NULL) {
        return NULL;
    }
    *at = '\0';
    return at + 1;
}

static bool parse_port(const char *text, unsigned *port) {
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *port = (unsigned)number;
    return isdigit((unsigned char)text[0]) && *end == '\0' && number > 0 && number <= PORT_MAX;
}

/* Reads HOST[:PORT] or [ADDRESS][:PORT]. */
static bool parse_host(struct mysql_location *location, char *text) {
    char *rest = text;
    if (text[0] == '[') {
        text++;
        rest = cut(text, ']');
        if (rest == NULL || (rest[0] != ':' && rest[0] != '\0')) {
            return false;
        }
    }
    location->host = text;
    location->port = MYSQL_DEFAULT_PORT;
    const char *port = cut(rest, ':');
    return text[0] != '\0' && (port == NULL || parse_port(port, &location->port));
}

static bool parse(struct mysql_location *location, char *message) {
    char *host = cut(location->text, '@');
    char *database = host == NULL ? NULL : cut(host, '/');
    location->user = location->text;
    location->database = database;
    if (host != NULL && strchr(location->user, ':') != NULL) {
        message_format(message, "a password does not belong in the store's location");
        return false;
    }
    if (database == NULL || database[0] == '\0' || location->user[0] == '\0' ||
        !parse_host(location, host)) {
        message_format(message, "a MySQL store is mysql://USER@HOST[:PORT]/DATABASE");
        return false;
    }
    return true;
}

bool mysql_location_parse(struct mysql_location *location, const char *text, char *message) {
    *location = (struct mysql_location){.text = strdup(text)};
    if (location->text == NULL) {
        message_format(message, "no memory");
        return false;
    }
    if (!parse(location, message)) {
        mysql_location_destroy(location);
        return false;
    }
    return true;
}

void mysql_location_destroy(struct mysql_location *location) {
    free(location->text);
    *location = (struct mysql_location){0};
}
