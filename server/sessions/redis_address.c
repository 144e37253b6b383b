#include <stdlib.h>
#include <string.h>

#include "server/sessions/session_store_redis.h"

/* Reads decimal digits from `*text` on, up to `maximum`, and moves `*text` behind them. */
static bool parse_number(const char **text, int maximum, int *number) {
    const char *digit = *text;
    int value = 0;
    while (*digit >= '0' && *digit <= '9' && value <= maximum) {
        value = value * 10 + (*digit++ - '0');
    }
    bool is_number = digit != *text && value <= maximum;
    *text = digit;
    *number = value;
    return is_number;
}

bool redis_address_parse(const char *url, struct redis_address *address) {
    static const char scheme[] = "redis://";
    enum { PORT_MAX = 65535, DATABASE_MAX = 1000000 };
    if (strncmp(url, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    *address = (struct redis_address){.port = REDIS_PORT_DEFAULT};
    const char *host = url + sizeof scheme - 1;
    const char *end = host + strcspn(host, ":/");
    const char *rest = end;
    if (*host == '[') {
        end = strchr(++host, ']');
        if (end == NULL) {
            return false;
        }
        rest = end + 1;
    }
    size_t host_length = (size_t)(end - host);
    if (host_length == 0 || host_length >= sizeof address->host) {
        return false;
    }
    memcpy(address->host, host, host_length);
    if (*rest == ':') {
        rest++;
        if (!parse_number(&rest, PORT_MAX, &address->port)) {
            return false;
        }
    }
    if (*rest == '/') {
        rest++;
        if (*rest != '\0' && !parse_number(&rest, DATABASE_MAX, &address->database)) {
            return false;
        }
    }
    return *rest == '\0';
}
