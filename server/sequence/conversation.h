/*
 * The server's side of one connection as a state machine: request bytes in, reply bytes out.
 *
 *   AWAITING_SESSION --INIT, CONT--> READY --RECV--> READY --FIN--> OVER
 *                                    READY --STREAM--> PUSHING ---> OVER
 *
 * A malformed or unexpected message is answered with ERR and ends the conversation, from any state.
 * Only a batch index that does not exist is forgiven.
 *
 * No sockets and no clock in here: the caller moves the bytes and says what time it is. Nothing is
 * allocated; a reply longer than the room given is written in pieces, as room comes.
 *
 * Ownership: the caller owns the struct, which refers to the configuration. From a granted INIT or
 * CONT to conversation_end() it holds one attachment to its session. Threading: that of the session
 * store.
 */
#ifndef SERVER_SEQUENCE_CONVERSATION_H_
#define SERVER_SEQUENCE_CONVERSATION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/sessions/checksum.h"
#include "server/sessions/generator.h"
#include "server/sessions/session.h"
#include "server/sessions/session_store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What all conversations of a server share. */
struct conversation_configuration {
    struct session_store *store;
    enum generator_kind kind; /* of sessions made here; GENERATOR_PYTHON in test mode */
    bool is_ticking;          /* STREAM waits for conversation_tick() between two NUM messages */
    uint64_t fail_every;   /* the conversation breaks off at every fail_every-th number; 0: never */
    uint64_t number_count; /* numbers sent so far, by all conversations together */
};

enum conversation_state {
    CONVERSATION_AWAITING_SESSION,
    CONVERSATION_READY,
    CONVERSATION_PUSHING,
    CONVERSATION_CLOSED,
};

struct conversation {
    struct conversation_configuration *configuration;
    uint64_t peer; /* whom a session that is made here counts for */
    enum conversation_state state;
    bool has_session;
    bool is_tick_awaited;
    uint32_t request_count; /* whole messages taken so far; wraps */
    bool is_broken;         /* a number at which to fail has been sent */
    uint32_t next_index;    /* the number to be written next, and */
    uint32_t end_index;     /* the end of its NUM message; equal: no message is being written */
    uint32_t start_index;   /* the beginning of its NUM message */
    struct session session;
    struct generator generator;
    struct checksum checksum; /* of the numbers 0 to checksum.number_count - 1 */
};

enum conversation_status {
    CONVERSATION_WANTS_INPUT, /* everything has been answered */
    CONVERSATION_WANTS_ROOM,  /* there is more to write than there was room for */
    CONVERSATION_WANTS_TICK,  /* goes on after conversation_tick() */
    CONVERSATION_OVER,        /* send what was written, then close */
    CONVERSATION_BROKEN,      /* the same, and it was fault injection that ended it */
};

/* Bytes of a conversation on their way, as conversation_run moves them on. */
struct conversation_buffers {
    const char *input;  /* received, in order */
    size_t input_size;  /* how many are left */
    char *output;       /* where replies go, at least LIMIT_OUTPUT_SIZE bytes when empty */
    size_t output_size; /* the room left */
};

/* Starts a conversation with somebody at `peer` (peer_counts.h; 0: without limits). `configuration`
 * must outlive it. */
void conversation_begin(struct conversation *conversation,
                        struct conversation_configuration *configuration, uint64_t peer);

/* Answers as much as possible. Advances the pointers in `*buffers` over what it read and wrote, and
 * lessens the sizes accordingly. */
enum conversation_status conversation_run(struct conversation *conversation,
                                          struct conversation_buffers *buffers, int64_t now_ms);

/* Lets the next NUM message of a STREAM go. */
void conversation_tick(struct conversation *conversation);

/* Ends it, whatever its state, and lets go of its session. */
void conversation_end(struct conversation *conversation, int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SEQUENCE_CONVERSATION_H_ */
