/*
 * What the thread of the HTTP server does: connections, requests, answers.
 *
 * Threading: http_service_run is the thread; http_service_stop may be called by another one; create
 * and destroy belong to the owner.
 */
#ifndef SERVER_RUNTIME_HTTP_HTTP_SERVICE_H_
#define SERVER_RUNTIME_HTTP_HTTP_SERVICE_H_

#include "server/runtime/http/http_server.h"

/* Loads the library and takes the memory. NULL: the reason was printed. */
struct http_service *http_service_create(struct http_server *server,
                                         const struct http_server_configuration *configuration);

/* Serves until it is stopped. */
void http_service_run(struct http_service *service);
void http_service_stop(struct http_service *service);

void http_service_destroy(struct http_service *service);

#endif /* SERVER_RUNTIME_HTTP_HTTP_SERVICE_H_ */
