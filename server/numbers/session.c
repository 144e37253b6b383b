#include "server/numbers/session.h"

#include <string.h>

void session_init(struct session *session) {
    session->rest_size = 0;
}

size_t session_receive(struct session *session, const struct line_parser *parser, char *bytes,
                       size_t size, uint32_t *numbers, enum line_parser_stop *stop) {
    char *start = bytes - session->rest_size;
    memcpy(start, session->rest, session->rest_size);
    size_t joined_size = session->rest_size + size;
    struct line_parser_result result = line_parser_parse(parser, start, joined_size, numbers);
    size_t left_size = joined_size - result.consumed_size;
    session->rest_size = left_size < sizeof session->rest ? left_size : sizeof session->rest;
    memcpy(session->rest, start + result.consumed_size, session->rest_size);
    *stop = result.stop;
    return result.number_count;
}
