/*
 * What every daemon does alike when it starts, before and while it builds the parts of its own.
 *
 * Threading: main thread; startup_prepare_process before any other thread exists.
 */
#ifndef SERVER_RUNTIME_STARTUP_H_
#define SERVER_RUNTIME_STARTUP_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/runtime/exit_code.h"
#include "server/runtime/listener.h"
#include "server/runtime/logger.h"
#include "server/runtime/options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Says "cannot ACTION: " and the reason, error being a negative errno value. Returns
 * EXIT_CODE_START_FAILURE. */
enum exit_code startup_fail(const struct logger *logger, const char *action, int error);

/* Whether every address to listen on names something. If not, complains as of a wrong option. */
bool startup_check_addresses(const struct options *options, const struct option_list *addresses);

/* Listens at the sockets called `name` (NULL: all) that the service manager has opened
 * (inherited_sockets.h), or where it has opened none at the addresses (listener.h). Returns 0, or a
 * negative errno value with nothing left open and the reason printed. */
int startup_listen(struct listener *listener, const char *name, const struct option_list *addresses,
                   int64_t port, const struct logger *logger);

/* Opens the standard streams that are closed, turns signals into events, and goes to where the user
 * is. Returns the descriptor of the signals (signals.h), which is the caller's to close, or a
 * negative errno value with nothing left open and the reason printed. */
int startup_prepare_process(const struct logger *logger);

/* Asks for descriptors for client_count clients and other_count other things: the usual limit of
 * 1024 may be too low. Warns where it stays so; accepting clients fails in due time then. */
void startup_allow_clients(size_t client_count, size_t other_count, const struct logger *logger);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_STARTUP_H_ */
