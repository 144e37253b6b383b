/*
 * libmicrohttpd, loaded when it is used: a daemon that is not looked at neither has it in memory
 * nor waits for it at its start, and one that is linked statically needs none.
 *
 * Threading: main thread.
 */
#ifndef SERVER_RUNTIME_HTTP_MICROHTTPD_H_
#define SERVER_RUNTIME_HTTP_MICROHTTPD_H_

#include <microhttpd.h>

/* The functions of the library that are used here, as they are there. */
#define MICROHTTPD_FUNCTIONS(FUNCTION)                                                             \
    FUNCTION(start_daemon)                                                                         \
    FUNCTION(stop_daemon)                                                                          \
    FUNCTION(run)                                                                                  \
    FUNCTION(get_daemon_info)                                                                      \
    FUNCTION(get_timeout)                                                                          \
    FUNCTION(add_connection)                                                                       \
    FUNCTION(get_connection_info)                                                                  \
    FUNCTION(get_connection_values)                                                                \
    FUNCTION(create_response_from_buffer)                                                          \
    FUNCTION(add_response_header)                                                                  \
    FUNCTION(queue_response)                                                                       \
    FUNCTION(destroy_response)

#define MICROHTTPD_MEMBER(name) __typeof__(&MHD_##name) name;

struct microhttpd {
    MICROHTTPD_FUNCTIONS(MICROHTTPD_MEMBER)
};

/* NULL, or what is wrong. */
const char *microhttpd_load(struct microhttpd *library);

#endif /* SERVER_RUNTIME_HTTP_MICROHTTPD_H_ */
