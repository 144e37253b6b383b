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
    session->rest_size = 0;
    if (result.stop == LINE_PARSER_NEEDS_MORE) {
        session->rest_size = joined_size - result.consumed_size;
        memcpy(session->rest, start + result.consumed_size, session->rest_size);
    }
    *stop = result.stop;
    return result.number_count;
}
