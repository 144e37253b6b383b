/*
 * What the records server tells about itself: the source of its metrics and of its status page.
 *
 * Threading: the source is called in the thread of the server's loop.
 */
#ifndef SERVER_RECORDS_FIGURES_H_
#define SERVER_RECORDS_FIGURES_H_

#include "server/records/records_server.h"
#include "server/runtime/http/status.h"

struct status_source figures_source(struct records_server *server);

#endif /* SERVER_RECORDS_FIGURES_H_ */
