#include "server/sessions/redis_location.h"

#include <string.h>

#include "server/sessions/decimal.h"

enum { PORT_MAX = 65535, DATABASE_MAX = 1000000 };

/* A piece of the URL. */
struct piece {
    const char *text;
    size_t size;
};

static const char *const bad_host = "a host is missing, too long, or not to be written so";
static const char *const bad_port = "a port is a number from 1 to 65535";
static const char *const bad_database = "the database is a number";

/* Takes what stands before the first of `marks` off the front of `*rest`, and the mark too. Without
 * a mark it is all of it. */
static struct piece take_until(struct piece *rest, const char *marks) {
    struct piece taken = {rest->text, 0};
    while (taken.size < rest->size && strchr(marks, rest->text[taken.size]) == NULL) {
        taken.size++;
    }
    size_t skipped_size = taken.size < rest->size ? taken.size + 1 : taken.size;
    rest->text += skipped_size;
    rest->size -= skipped_size;
    return taken;
}

static bool copy_piece(struct piece piece, char *out, size_t capacity) {
    if (piece.size == 0 || piece.size >= capacity) {
        return false;
    }
    memcpy(out, piece.text, piece.size);
    out[piece.size] = '\0';
    return true;
}

bool redis_address_set(struct redis_address *address, const char *host, size_t host_size,
                       uint32_t port) {
    if (port == 0 || port > PORT_MAX) {
        return false;
    }
    for (size_t i = 0; i < host_size; i++) {
        /* Names and numeric addresses; nothing that is more to a resolver or a terminal. */
        bool is_plain = host[i] > ' ' && host[i] < 0x7f && strchr("/\\,@'\"", host[i]) == NULL;
        if (!is_plain) {
            return false;
        }
    }
    address->port = (uint16_t)port;
    return copy_piece((struct piece){host, host_size}, address->host, sizeof address->host);
}

bool redis_address_parse(const char *text, size_t size, const char *host_default,
                         struct redis_address *address) {
    const char *colon = size > 0 ? memrchr(text, ':', size) : NULL;
    uint32_t port;
    if (colon == NULL ||
        !decimal_parse(colon + 1, (size_t)(text + size - colon) - 1, PORT_MAX, &port)) {
        return false;
    }
    bool has_host = colon > text;
    const char *host = has_host ? text : host_default;
    return redis_address_set(address, host, has_host ? (size_t)(colon - text) : strlen(host), port);
}

bool redis_address_equal(const struct redis_address *one, const struct redis_address *other) {
    return one->port == other->port && strcmp(one->host, other->host) == 0;
}

/* Reads HOST[:PORT]. */
static const char *parse_node(struct piece text, uint32_t port, struct redis_address *address) {
    struct piece host = {text.text, 0};
    struct piece rest = text;
    if (text.size > 0 && text.text[0] == '[') {
        rest.text++;
        rest.size--;
        host = take_until(&rest, "]");
        if (host.text + host.size == text.text + text.size) {
            return bad_host;
        }
        if (rest.size > 0 && *rest.text != ':') {
            return bad_port;
        }
        if (rest.size > 0) {
            rest.text++;
            rest.size--;
        }
    } else {
        host = take_until(&rest, ":");
    }
    bool has_port =
        host.text + host.size < text.text + text.size && text.text[text.size - 1] != ']';
    if (has_port && !decimal_parse(rest.text, rest.size, PORT_MAX, &port)) {
        return bad_port;
    }
    if (port == 0) {
        return bad_port;
    }
    return redis_address_set(address, host.text, host.size, port) ? NULL : bad_host;
}

static const char *parse_nodes(struct piece list, struct redis_location *location) {
    uint32_t port =
        location->master_name[0] != '\0' ? REDIS_SENTINEL_PORT_DEFAULT : REDIS_PORT_DEFAULT;
    do {
        if (location->node_count == REDIS_LOCATION_NODE_COUNT_MAX) {
            return "there are more than 16 hosts";
        }
        bool is_last = memchr(list.text, ',', list.size) == NULL;
        const char *problem =
            parse_node(take_until(&list, ","), port, &location->nodes[location->node_count++]);
        if (problem != NULL || is_last) {
            return problem;
        }
    } while (true);
}

/* Reads NAME=VALUE pairs joined by '&'. */
static const char *parse_parameters(struct piece rest, struct redis_location *location) {
    while (rest.size > 0) {
        struct piece value = take_until(&rest, "&");
        struct piece name = take_until(&value, "=");
        char *path = NULL;
        if (name.size == 6 && memcmp(name.text, "ssl-ca", 6) == 0) {
            path = location->ca_path;
        } else if (name.size == 8 && memcmp(name.text, "ssl-cert", 8) == 0) {
            path = location->certificate_path;
        } else if (name.size == 7 && memcmp(name.text, "ssl-key", 7) == 0) {
            path = location->key_path;
        }
        bool is_database = name.size == 2 && memcmp(name.text, "db", 2) == 0;
        if (is_database) {
            if (!decimal_parse(value.text, value.size, DATABASE_MAX, &location->database)) {
                return bad_database;
            }
        } else if (path == NULL || !location->uses_tls) {
            return "its parameters are db, and with rediss:// ssl-ca, ssl-cert and ssl-key";
        } else if (!copy_piece(value, path, REDIS_PATH_SIZE)) {
            return "a file's name is missing or too long";
        }
    }
    return NULL;
}

/* Takes USER@ off the front. The '@' must come before the first '/'. */
static const char *take_user(struct piece *rest, struct redis_location *location) {
    size_t size = 0;
    while (size < rest->size && rest->text[size] != '/' && rest->text[size] != '@') {
        size++;
    }
    if (size == rest->size || rest->text[size] != '@') {
        return NULL;
    }
    struct piece user = take_until(rest, "@");
    if (memchr(user.text, ':', user.size) != NULL) {
        return "a password does not belong on the command line, where all can see it: put it into "
               "REDIS_PASSWORD";
    }
    return copy_piece(user, location->user, sizeof location->user)
               ? NULL
               : "the user's name is missing or too long";
}

static const char *parse_unix(struct piece path, struct redis_location *location) {
    location->node_count = 1;
    bool is_absolute = path.size > 0 && path.text[0] == '/';
    return is_absolute && copy_piece(path, location->nodes[0].host, sizeof location->nodes[0].host)
               ? NULL
               : "the socket's path is missing, too long, or does not begin with a slash";
}

struct scheme {
    const char *text;
    bool uses_tls;
    bool is_sentinel;
    bool is_unix;
};

static const struct scheme schemes[] = {
    {"redis://", false, false, false},         {"rediss://", true, false, false},
    {"redis+sentinel://", false, true, false}, {"rediss+sentinel://", true, true, false},
    {"unix://", false, false, true},
};

static const struct scheme *find_scheme(const char *url) {
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(url, schemes[i].text, strlen(schemes[i].text)) == 0) {
            return &schemes[i];
        }
    }
    return NULL;
}

const char *redis_location_parse(const char *url, struct redis_location *location) {
    *location = (struct redis_location){0};
    const struct scheme *scheme = find_scheme(url);
    if (scheme == NULL) {
        return "it is none of redis://, rediss://, redis+sentinel://, rediss+sentinel://, unix://";
    }
    location->uses_tls = scheme->uses_tls;
    const char *start = url + strlen(scheme->text);
    struct piece parameters = {start, strlen(start)};
    struct piece rest = take_until(&parameters, "?");
    const char *problem = take_user(&rest, location);
    if (problem == NULL) {
        problem = parse_parameters(parameters, location);
    }
    if (problem != NULL || scheme->is_unix) {
        return problem != NULL ? problem : parse_unix(rest, location);
    }
    struct piece hosts = take_until(&rest, "/");
    if (scheme->is_sentinel &&
        !copy_piece(take_until(&rest, "/"), location->master_name, sizeof location->master_name)) {
        return "the master's name is missing: redis+sentinel://HOST:PORT/NAME";
    }
    if (rest.size > 0 && !decimal_parse(rest.text, rest.size, DATABASE_MAX, &location->database)) {
        return bad_database;
    }
    return parse_nodes(hosts, location);
}
