#include "server/records/figures.h"

#include <assert.h>

#include "server/runtime/listener.h"
#include "server/runtime/os.h"

static_assert((int)STATUS_PEER_CAPACITY >= (int)LISTENER_ADDRESS_CAPACITY, "every address fits");

enum {
    /* A store that takes nothing for so long is away; what is shorter is a lock, a reconnect. */
    STORE_PATIENCE_MS = 1000,
};

static const char *const state_names[] = {
    [INGEST_RECEIVING] = "receiving",
    [INGEST_STORING] = "storing",
    [INGEST_ANSWERING] = "answering",
    [INGEST_LINGERING] = "lingering",
};

/* The first ones only: who they are is asked of the kernel. */
static void tell_senders(const struct ingest_port *port, int64_t now_ms,
                         struct daemon_status *status) {
    for (uint32_t index = 0;
         index < port->clients.place_count && status->client_count < STATUS_CLIENT_CAPACITY;
         index++) {
        const struct ingest_connection *connection = &port->connections[index];
        if (!clients_is_open(&port->clients, index)) {
            continue;
        }
        struct status_client *client = status_add_client(status);
        (void)listener_name_peer(connection->fd, client->peer);
        client->state = state_names[connection->state];
        client->count = connection->stored_count;
        client->age_ms = now_ms - connection->opened_ms;
    }
    status->total_client_count = ingest_port_count(port);
}

static void tell(void *context, struct daemon_status *status) {
    struct records_server *server = context;
    const struct ingest_port *ingest = &server->ingest_port;
    struct record_buffer *buffer = server->config.buffer;
    int64_t now_ms = os_now_ms();
    int64_t failing_ms = record_writers_failing_ms(server->config.writers, now_ms);
    uint64_t stored_count = record_buffer_stored_position(buffer);
    if (server->is_stopping) {
        status_set_reason(status, "shutting down");
    }
    if (failing_ms >= STORE_PATIENCE_MS) {
        status_set_reason(status, "the store has taken no records for %lld s; the senders wait",
                          (long long)failing_ms / 1000);
    }
    status_add_gauge(status, "records_ready", "Whether it stores what it is sent: 1, or 0",
                     status->reason[0] == '\0');
    status_add_counter(status, "records_received_total", "Records received",
                       ingest->shared.record_count);
    status_add_counter(status, "records_errors_total", "Errors answered to senders",
                       ingest->shared.error_count);
    status_add_counter(status, "records_stored_total",
                       "Records that reached the store, those that it refused included",
                       stored_count);
    status_add_counter(status, "records_refused_total", "Records that the store refused for good",
                       record_buffer_total_refused_count(buffer));
    status_add_gauge(status, "records_queue_length", "Records that wait for the store",
                     (double)record_buffer_count(buffer));
    status_add_gauge(status, "records_queue_places", "Records that may wait",
                     (double)buffer->capacity);
    status_add_gauge(status, "records_senders", "Senders that are connected",
                     (double)ingest_port_count(ingest));
    status_add_gauge(status, "records_sender_places", "Senders connected at a time",
                     (double)ingest->config.client_capacity);
    status_add_gauge(status, "records_queries", "Queries that are being answered",
                     (double)query_port_count(&server->query_port));
    status_add_gauge(status, "records_store_failing_seconds",
                     "For how long nothing could be stored", (double)failing_ms / 1e3);
    status_add_histogram(status, "records_store_duration_seconds",
                         "How long transactions of the store took",
                         &server->config.writers->latency);
    status->series[0] = ingest->shared.record_count;
    status->series[1] = stored_count;
    tell_senders(ingest, now_ms, status);
}

struct status_source figures_source(struct records_server *server) {
    return (struct status_source){
        .program = "records-server",
        .prefix = "records",
        .unit = "Records",
        .series_names = {"received", "stored"},
        .tell = tell,
        .context = server,
    };
}
