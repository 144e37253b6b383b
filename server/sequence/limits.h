/* The limits of the sequence service, each with its reason, and how they hang together. */
#ifndef SERVER_SEQUENCE_LIMITS_H_
#define SERVER_SEQUENCE_LIMITS_H_

#include <assert.h> /* static_assert, in C and in C++ */

#include "server/sequence/protocol.h"
#include "server/sessions/session.h"

enum {
    /* Requests of one connection that wait to be answered. Some 500 pipelined RECV fit; a client
     * that sends more is held back by TCP. */
    LIMIT_INPUT_SIZE = 4096,
    /* Replies of one connection on their way out. A batch larger than this is written in pieces, so
     * the batch size, which the client chooses, costs no memory here. */
    LIMIT_OUTPUT_SIZE = 16384,
    /* Output buffers filled for one connection before the others have their turn: a client that
     * reads fast and has asked for much must not have the server for itself. */
    LIMIT_FILLS_PER_TURN = 4,
    /* Numbers made at a time, on the stack. */
    LIMIT_PIECE_NUMBER_COUNT = 512,

    /* The default and the largest --max-connections. A connection takes about 24 kB once it is
       used. */
    LIMIT_CONNECTION_COUNT_DEFAULT = 4096,
    LIMIT_CONNECTION_COUNT_MAX = 100000,
    /* The default --max-sessions; SESSION_STORE_CAPACITY_MAX is the largest. */
    LIMIT_SESSION_COUNT_DEFAULT = 65536,

    /* How long a connection may take until its INIT or CONT is granted, whatever it sends. */
    LIMIT_OPENING_MS = 10000,
    /* When a peer that answers nothing is given up by the kernel where idle connections stay. */
    LIMIT_DEAD_PEER_MS = 120000,
    /* How long a connection that was told ERR or FAC may take to close before it is cut off. Until
     * then what it still sends is thrown away, because closing with unread bytes would send RST and
     * the client might lose the answer. */
    LIMIT_LINGER_MS = 2000,
};

static_assert((int)LIMIT_INPUT_SIZE >= (int)PROTOCOL_REQUEST_SIZE_MAX, "a request must fit");
static_assert((int)LIMIT_OUTPUT_SIZE >= (int)PROTOCOL_ERROR_SIZE_MAX,
              "the longest short reply must fit");
static_assert((int)LIMIT_OUTPUT_SIZE >=
                  (int)PROTOCOL_NUMBERS_PREFIX_SIZE + (int)PROTOCOL_NUMBER_SIZE_MAX,
              "a piece of NUM must fit");
static_assert((int)PROTOCOL_NUMBER_COUNT_MAX == (int)SESSION_NUMBER_COUNT_MAX &&
                  (int)PROTOCOL_BATCH_SIZE_MAX == (int)SESSION_BATCH_SIZE_MAX,
              "the protocol asks for what a session can be");
static_assert((int)LIMIT_CONNECTION_COUNT_DEFAULT <= (int)LIMIT_SESSION_COUNT_DEFAULT,
              "each connection may have a session");

#endif /* SERVER_SEQUENCE_LIMITS_H_ */
