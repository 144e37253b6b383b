/* URLs of --store.
 *
 * Input: the URL. One that is taken must have nodes that can be, and a problem must be a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/sessions/redis_location.h"

enum { URL_CAPACITY = 4096 };

static void check(bool is_true, const char *what) {
    if (!is_true) {
        (void)fprintf(stderr, "redis location: %s\n", what);
        abort();
    }
}

static void check_text(const char *text, size_t capacity) {
    check(strnlen(text, capacity) < capacity, "a text without an end");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char url[URL_CAPACITY];
    struct redis_location location;
    if (size >= sizeof url) {
        return -1;
    }
    memcpy(url, data, size);
    url[size] = '\0';
    const char *problem = redis_location_parse(url, &location);
    if (problem != NULL) {
        check(problem[0] != '\0', "a problem without a text");
        return 0;
    }
    check(location.node_count > 0 && location.node_count <= REDIS_LOCATION_NODE_COUNT_MAX,
          "a wrong count of nodes");
    for (size_t i = 0; i < location.node_count; i++) {
        check_text(location.nodes[i].host, sizeof location.nodes[i].host);
        check(location.nodes[i].host[0] != '\0', "a node without a host");
    }
    check_text(location.user, sizeof location.user);
    check(strchr(location.user, ':') == NULL, "a password in the user's name");
    check_text(location.master_name, sizeof location.master_name);
    check_text(location.ca_path, sizeof location.ca_path);
    return 0;
}
