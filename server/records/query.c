#include "server/records/query.h"

#include <string.h>

static const char ID_PREFIX[] = "id ";
static const char ALL[] = "all";

static bool is_space(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct record_text trim(const char *bytes, size_t size) {
    while (size > 0 && is_space(bytes[0])) {
        bytes++;
        size--;
    }
    while (size > 0 && is_space(bytes[size - 1])) {
        size--;
    }
    return (struct record_text){bytes, size};
}

static bool is_number(struct record_text text) {
    for (size_t index = 0; index < text.size; index++) {
        if (text.bytes[index] < '0' || text.bytes[index] > '9') {
            return false;
        }
    }
    return text.size > 0;
}

struct query query_parse(const char *line, size_t size) {
    struct record_text text = trim(line, size);
    size_t prefix_size = sizeof ID_PREFIX - 1;
    if (text.size == 0) {
        return (struct query){.kind = QUERY_ANY};
    }
    if (text.size == sizeof ALL - 1 && memcmp(text.bytes, ALL, text.size) == 0) {
        return (struct query){.kind = QUERY_ALL};
    }
    if (text.size > prefix_size && memcmp(text.bytes, ID_PREFIX, prefix_size) == 0) {
        return (struct query){.kind = QUERY_ID,
                              .id = trim(text.bytes + prefix_size, text.size - prefix_size)};
    }
    return (struct query){.kind = is_number(text) ? QUERY_ID : QUERY_ID_OR_ANY, .id = text};
}
