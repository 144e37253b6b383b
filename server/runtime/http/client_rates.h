/*
 * How much each client of a status counted a second of late: from its counts now and a second or
 * more ago.
 *
 * Threading: belongs to one thread.
 */
#ifndef SERVER_RUNTIME_HTTP_CLIENT_RATES_H_
#define SERVER_RUNTIME_HTTP_CLIENT_RATES_H_

#include <stddef.h>
#include <stdint.h>

#include "server/runtime/http/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Over how long a rate is taken at least. */
enum { CLIENT_RATES_PERIOD_MS = 1000 };

struct client_rates {
    struct status_client clients[STATUS_CLIENT_CAPACITY]; /* as they were then */
    size_t count;
    int64_t then_ms;
};

/* Fills in the rates of the status's clients. One that is new has that of all its time. */
void client_rates_find(struct client_rates *rates, struct daemon_status *status, int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_CLIENT_RATES_H_ */
