/*
 * A session: what the server must remember so that a client can go on after its connection was
 * lost.
 *
 * A session never changes once it is made. It holds the seed of its numbers instead of the numbers,
 * so it has the same small size whatever their count, and any number of connections and servers can
 * work from copies of it at the same time.
 *
 * Ownership: plain values, copied freely. Threading: pure functions.
 */
#ifndef SERVER_SESSIONS_SESSION_H_
#define SERVER_SESSIONS_SESSION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/client_id.h"
#include "server/sessions/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SESSION_NUMBER_COUNT_MAX = 65535,
    SESSION_BATCH_SIZE_MAX = 65535,
};

struct session {
    char client_id[CLIENT_ID_LENGTH + 1]; /* terminated */
    uint32_t number_count;                /* 0 to SESSION_NUMBER_COUNT_MAX */
    uint32_t batch_size;                  /* 1 to SESSION_BATCH_SIZE_MAX */
    enum generator_kind kind;             /* GENERATOR_PYTHON: seeded with client_id */
    uint8_t key[GENERATOR_KEY_SIZE];      /* GENERATOR_KEYED: the secret seed */
};

/* The text of a session, without its client-id, for a store that keeps texts:
 * "1 <n> <batch-size> <k or p> <64 hexadecimal digits>". */
enum { SESSION_TEXT_SIZE_MAX = 2 + 6 + 6 + 2 + 2 * GENERATOR_KEY_SIZE + 1 };

/* How many batches the numbers come in; 0 if there are none. The last one may be shorter. */
uint32_t session_batch_count(const struct session *session);

/* Makes `generator` the one of the session. */
void session_start_generator(const struct session *session, struct generator *generator);

/* Writes the session's text, terminated, to `text`. */
void session_write_text(const struct session *session, char text[SESSION_TEXT_SIZE_MAX]);

/* Reads the `size` bytes at `text` as session_write_text wrote them, for the given client-id.
 * Returns false, and leaves `*session` unspecified, if they are anything else. */
bool session_parse_text(const char *client_id, const char *text, size_t size,
                        struct session *session);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_SESSION_H_ */
