/*
 * What the server remembers of a connection between two reads: the start of a line whose end has
 * not arrived yet. A pure state machine: bytes in, numbers and a verdict out.
 *
 * Ownership: the caller owns everything. Threading: none inside; a session belongs to one thread.
 */
#ifndef SERVER_NUMBERS_SESSION_H_
#define SERVER_NUMBERS_SESSION_H_

#include <stddef.h>
#include <stdint.h>

#include "parser/line_parser.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    /* Room that session_receive needs in front of the bytes received. */
    SESSION_HEADROOM_SIZE = LINE_PARSER_LINE_SIZE,
};

struct session {
    /* The start of a line: 0 to 9 bytes; of a bad one as much as makes certain that it is none. */
    char rest[SESSION_HEADROOM_SIZE];
    size_t rest_size;
};

void session_init(struct session *session);

/*
 * Takes bytes[0, size) as the next bytes of the connection and parses them together with what is
 * left from before. bytes[-SESSION_HEADROOM_SIZE, 0) belongs to the caller's buffer too and is
 * overwritten. numbers has room for (SESSION_HEADROOM_SIZE + size) / LINE_PARSER_LINE_SIZE +
 * LINE_PARSER_SLACK_COUNT. Writes the numbers of all valid lines and returns their count; *stop
 * tells whether the connection may go on (LINE_PARSER_NEEDS_MORE) or what ended it.
 */
size_t session_receive(struct session *session, const struct line_parser *parser, char *bytes,
                       size_t size, uint32_t *numbers, enum line_parser_stop *stop);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_SESSION_H_ */
