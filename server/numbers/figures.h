/*
 * What the numbers server tells about itself: the source of its metrics and of its status page.
 *
 * Threading: the source is called in the thread of the server's loop.
 */
#ifndef SERVER_NUMBERS_FIGURES_H_
#define SERVER_NUMBERS_FIGURES_H_

#include "server/numbers/numbers_server.h"
#include "server/runtime/http/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct status_source figures_source(struct numbers_server *server);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_FIGURES_H_ */
