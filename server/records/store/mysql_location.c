#include "server/records/store/mysql_location.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "server/records/json/message.h"

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
static bool parse_host(struct mysql_host *host, char *text) {
    char *rest = text;
    if (text[0] == '[') {
        text++;
        rest = cut(text, ']');
        if (rest == NULL || (rest[0] != ':' && rest[0] != '\0')) {
            return false;
        }
    }
    *host = (struct mysql_host){.name = text, .port = MYSQL_DEFAULT_PORT};
    const char *port = cut(rest, ':');
    return text[0] != '\0' && (port == NULL || parse_port(port, &host->port));
}

/* Reads them, or nothing where there is a socket. */
static bool parse_hosts(struct mysql_location *location, char *text) {
    if (location->socket != NULL) {
        location->host_count = 1;
        return text[0] == '\0';
    }
    while (text != NULL) {
        char *next = cut(text, ',');
        if (location->host_count == MYSQL_HOSTS_MAX ||
            !parse_host(&location->hosts[location->host_count], text)) {
            return false;
        }
        location->host_count++;
        text = next;
    }
    return true;
}

static int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Puts the bytes in place that %XX stand for. False: such a sequence is none, or stands for NUL. */
static bool decode(char *text) {
    char *end = text;
    for (const char *at = text; *at != '\0'; at++) {
        int byte = (unsigned char)*at;
        if (*at == '%') {
            int high = hex_value(at[1]);
            int low = high < 0 ? -1 : hex_value(at[2]);
            byte = low < 0 ? 0 : 16 * high + low;
            at += 2;
        }
        if (byte == 0) {
            return false;
        }
        *end++ = (char)byte;
    }
    *end = '\0';
    return true;
}

/* Takes NAME=VALUE. */
static bool parse_option(struct mysql_location *location, char *option) {
    char *value = cut(option, '=');
    if (value == NULL || value[0] == '\0' || !decode(value)) {
        return false;
    }
    if (strcmp(option, "socket") == 0) {
        location->socket = value;
    } else if (strcmp(option, "ssl-ca") == 0) {
        location->ssl_ca = value;
        location->requires_tls = true;
    } else if (strcmp(option, "ssl-mode") == 0 && strcmp(value, "required") == 0) {
        location->requires_tls = true;
    } else {
        return false;
    }
    return true;
}

static bool parse_options(struct mysql_location *location, char *options) {
    while (options != NULL) {
        char *next = cut(options, '&');
        if (!parse_option(location, options)) {
            return false;
        }
        options = next;
    }
    return true;
}

static bool parse_all(struct mysql_location *location, char *host) {
    char *database = host == NULL ? NULL : cut(host, '/');
    if (database == NULL || !parse_options(location, cut(database, '?'))) {
        return false;
    }
    char *user = location->text;
    location->user = user;
    location->database = database;
    bool is_named = decode(user) && decode(database) && user[0] != '\0' && database[0] != '\0';
    return is_named && parse_hosts(location, host);
}

static bool parse(struct mysql_location *location, char *message) {
    char *host = cut(location->text, '@');
    if (host != NULL && strchr(location->text, ':') != NULL) {
        message_format(message, "a password does not belong in the store's location");
        return false;
    }
    if (!parse_all(location, host)) {
        message_format(message,
                       "a MySQL store is mysql://USER@HOST[:PORT][,HOST...]/DATABASE, with "
                       "?ssl-ca=PATH, ?ssl-mode=required or ?socket=PATH (and no HOST)");
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
