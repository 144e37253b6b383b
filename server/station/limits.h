/* The limits of the numbers station, each with its reason, and how they hang together. */
#ifndef SERVER_STATION_LIMITS_H_
#define SERVER_STATION_LIMITS_H_

#include <assert.h> /* static_assert, in C and in C++ */

enum {
    /* Numbers of a sequence. */
    LIMIT_NUMBER_COUNT_MAX = 65535,

    /* A request message. The longest honest one, a question to the reflection service, has some 100
     * bytes. */
    LIMIT_MESSAGE_SIZE_MAX = 512,
    /* What a stream may have sent that waits for its turn: a message with its prefix, and the
     * beginning of the next. It is the flow-control window given to clients, so that an honest one
     * waits by itself. */
    LIMIT_STREAM_INPUT_SIZE = 1024,
    /* A header list, counted as RFC 9113 counts it: names, values and 32 for each. A call with a
     * longer one is refused; */
    LIMIT_HEADER_LIST_SIZE_MAX = 8 * 1024,
    /* one that is so long was not sent for an answer, and ends the connection. */
    LIMIT_HEADER_LIST_SIZE_HOSTILE = 64 * 1024,
    /* A path that names a method has some 60 bytes; the method of a longer one is unknown. */
    LIMIT_PATH_SIZE = 128,

    LIMIT_STREAMS_PER_CONNECTION = 100,
    /* The default and the largest --max-connections. A connection takes about 60 kB once it is
     * used, most of it for output. */
    LIMIT_CONNECTION_COUNT_DEFAULT = 1024,
    LIMIT_CONNECTION_COUNT_MAX = 100000,
    /* The default and the largest --max-streams, of all connections together. A stream takes about
     * 2 kB once it is used. */
    LIMIT_STREAM_COUNT_DEFAULT = 16384,
    LIMIT_STREAM_COUNT_MAX = 1000000,
    /* The default --max-sessions; SESSION_STORE_CAPACITY_MAX is the largest. */
    LIMIT_SESSION_COUNT_DEFAULT = 65536,

    /* The largest frame, as every peer of HTTP/2 must take it: payload and header. */
    LIMIT_FRAME_SIZE_MAX = 16384 + 9,
    /* Output of a connection on its way: two frames here, and what the kernel takes before it is
     * sent. Together 64 KiB; no more is made before that was taken. */
    LIMIT_OUTPUT_SIZE = 2 * LIMIT_FRAME_SIZE_MAX,
    LIMIT_UNSENT_SIZE = 64 * 1024 - LIMIT_OUTPUT_SIZE,
    /* What is read of a connection at a time. */
    LIMIT_INPUT_SIZE = 16 * 1024,
    /* Output buffers filled for one connection before the others have their turn. */
    LIMIT_FILLS_PER_TURN = 4,
    /* Numbers made at a time, on the stack. */
    LIMIT_PIECE_NUMBER_COUNT = 512,

    /* Frames that ask for nothing (SETTINGS, PING, PRIORITY, WINDOW_UPDATE, RST_STREAM, empty DATA,
     * unknown ones): this many at once, so many more a second, and so many for each frame of data
     * that the client was sent, because honest clients measure and open their windows as data
     * comes. */
    LIMIT_IDLE_FRAME_BURST = 4000,
    LIMIT_IDLE_FRAMES_PER_SECOND = 200,
    LIMIT_IDLE_FRAMES_PER_DATA = 4,
    /* Streams that the client resets: at once, and more a second (CVE-2023-44487). */
    LIMIT_RESET_BURST = 1000,
    LIMIT_RESETS_PER_SECOND = 50,
    /* CONTINUATION frames of one header list (CVE-2024-28182), entries of a SETTINGS frame, and
     * acknowledgements that the client has not taken. */
    LIMIT_CONTINUATION_COUNT_MAX = 8,
    LIMIT_SETTINGS_COUNT_MAX = 32,
    LIMIT_OUTBOUND_ACK_COUNT_MAX = 100,

    /* The client's connection preface and SETTINGS. */
    LIMIT_PREFACE_MS = 5 * 1000,
    /* Without a whole frame from the client for so long it is sent a PING, and so much later it is
     * gone. */
    LIMIT_SILENCE_MS = 20 * 1000,
    LIMIT_PING_ANSWER_MS = 10 * 1000,
    /* A request that was begun is whole within this time. */
    LIMIT_REQUEST_MS = 20 * 1000,
    /* Between the GOAWAY that asks clients to go and the one that names the last stream: what was
     * under way when the first one was sent is still served. */
    LIMIT_GOAWAY_PAUSE_MS = 250,
    /* How long the client may take for the last bytes of a connection. */
    LIMIT_FAREWELL_MS = 2 * 1000,
};

static_assert((int)LIMIT_STREAM_INPUT_SIZE >= (int)LIMIT_MESSAGE_SIZE_MAX + 5,
              "a message and its prefix must fit");
static_assert((int)LIMIT_HEADER_LIST_SIZE_MAX < (int)LIMIT_HEADER_LIST_SIZE_HOSTILE,
              "a header list that is too long can be refused politely");
static_assert((int)LIMIT_UNSENT_SIZE > (int)LIMIT_FRAME_SIZE_MAX,
              "the kernel has something to send while a frame is made");

#endif /* SERVER_STATION_LIMITS_H_ */
