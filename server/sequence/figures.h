/*
 * What the sequence server tells about itself: the source of its metrics and of its status page.
 *
 * Threading: the source is called in the thread of the server's loop.
 */
#ifndef SERVER_SEQUENCE_FIGURES_H_
#define SERVER_SEQUENCE_FIGURES_H_

#include "server/runtime/http/status.h"
#include "server/sequence/sequence_server.h"

/* *server has to outlive the source. */
struct status_source figures_source(const struct sequence_server *server);

#endif /* SERVER_SEQUENCE_FIGURES_H_ */
