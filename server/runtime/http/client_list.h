/*
 * The clients of a daemon, as its status tells of them: the first ones only, because who they are
 * is asked of the kernel.
 *
 * Threading: that of the daemon's loop.
 */
#ifndef SERVER_RUNTIME_HTTP_CLIENT_LIST_H_
#define SERVER_RUNTIME_HTTP_CLIENT_LIST_H_

#include "server/runtime/clients.h"
#include "server/runtime/http/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tells the state, the count and the age of the client at an index, and returns its descriptor. */
typedef int client_list_teller(const void *context, uint32_t index, struct status_client *client);

void client_list_tell(const struct clients *clients, client_list_teller *tell, const void *context,
                      struct daemon_status *status);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_CLIENT_LIST_H_ */
