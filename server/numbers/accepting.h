/*
 * The part of the numbers server's loop that takes new clients: as long as there are places, with a
 * pause after a failure.
 *
 * Ownership and threading: the server's (numbers_server.h); everything here is for it alone.
 */
#ifndef SERVER_NUMBERS_ACCEPTING_H_
#define SERVER_NUMBERS_ACCEPTING_H_

#include "server/numbers/numbers_server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Starts to watch the listeners. on_receivable, with its struct connection, handles the events of
 * the clients that are accepted. 0, or a negative errno value. */
int accepting_start(struct numbers_server *server, poll_handler *on_receivable);

/* Starts or stops to accept after anything that decides about it has changed: the number of
 * clients, a failure, or the begin of the shutdown. */
void accepting_update(struct numbers_server *server);

/* Accepts those who came in this turn. Call it at the end of the turn: a client that left in the
 * same turn came before them, and its place is theirs. */
void accepting_run(struct numbers_server *server);

/* Goes on accepting once the pause after a failure is over. Call it each turn. */
void accepting_retry(struct numbers_server *server);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_ACCEPTING_H_ */
