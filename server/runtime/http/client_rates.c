#include "server/runtime/http/client_rates.h"

#include <string.h>

static const double milliseconds_per_second = 1e3;

static double rate_of(uint64_t count, int64_t passed_ms) {
    return passed_ms > 0 ? (double)count * milliseconds_per_second / (double)passed_ms : 0;
}

/* The same client then; NULL: it is new. A peer that comes again from the same port counts anew. */
static const struct status_client *find_then(const struct client_rates *rates,
                                             const struct status_client *client) {
    for (size_t index = 0; index < rates->count; index++) {
        const struct status_client *then = &rates->clients[index];
        if (strcmp(then->peer, client->peer) == 0 && then->count <= client->count) {
            return then;
        }
    }
    return NULL;
}

void client_rates_find(struct client_rates *rates, struct daemon_status *status, int64_t now_ms) {
    int64_t passed_ms = now_ms - rates->then_ms;
    bool is_due = passed_ms >= CLIENT_RATES_PERIOD_MS;
    for (size_t index = 0; index < status->client_count; index++) {
        struct status_client *client = &status->clients[index];
        const struct status_client *then = find_then(rates, client);
        if (then == NULL) {
            client->rate = rate_of(client->count, client->age_ms);
        } else {
            client->rate = is_due ? rate_of(client->count - then->count, passed_ms) : then->rate;
        }
    }
    if (is_due) {
        memcpy(rates->clients, status->clients, sizeof rates->clients);
        rates->count = status->client_count;
        rates->then_ms = now_ms;
    }
}
