#include "server/runtime/http/http_request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PORT_CAPACITY = 8 };

bool http_request_is_own_host(const char *host, uint16_t port) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    char port_text[PORT_CAPACITY];
    (void)snprintf(port_text, sizeof port_text, ":%u", port);
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        size_t size = strlen(names[index]);
        if (strncasecmp(host, names[index], size) == 0 &&
            (host[size] == '\0' || strcmp(host + size, port_text) == 0)) {
            return true;
        }
    }
    return false;
}

/* "http://" and then a Host. A browser says "null" where it does not want to tell. */
static bool is_own_origin(const char *origin, uint16_t port) {
    static const char scheme[] = "http://";
    return strncmp(origin, scheme, sizeof scheme - 1) == 0 &&
           http_request_is_own_host(origin + sizeof scheme - 1, port);
}

enum http_answer http_request_judge(const struct http_request *request) {
    static const struct {
        const char *path;
        enum http_answer answer;
    } paths[] = {
        {"/", HTTP_ANSWER_PAGE},
        {"/metrics", HTTP_ANSWER_METRICS},
        {"/healthz", HTTP_ANSWER_HEALTH},
        {"/readyz", HTTP_ANSWER_READINESS},
    };
    if (request->host_count != 1 || !http_request_is_own_host(request->host, request->port)) {
        return HTTP_ANSWER_FOREIGN_HOST;
    }
    if (request->origin_count > 1 ||
        (request->origin_count == 1 && !is_own_origin(request->origin, request->port))) {
        return HTTP_ANSWER_FOREIGN_ORIGIN;
    }
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        return HTTP_ANSWER_BAD_METHOD;
    }
    for (size_t index = 0; index < sizeof paths / sizeof paths[0]; index++) {
        if (strcmp(request->path, paths[index].path) == 0) {
            return paths[index].answer;
        }
    }
    return HTTP_ANSWER_NOT_FOUND;
}
