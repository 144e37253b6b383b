#include "server/station/figures.h"

#include "server/runtime/http/client_list.h"
#include "server/runtime/os.h"

static const char *const phase_names[] = {
    [HTTP2_PREFACE] = "beginning",
    [HTTP2_SERVING] = "serving",
    [HTTP2_ENDING] = "ending",
    [HTTP2_LINGERING] = "ending",
};

static int tell_client(const void *context, uint32_t index, struct status_client *client) {
    const struct station_server *server = context;
    const struct http2_connection *connection = &server->connections[index];
    client->state = phase_names[connection->phase];
    client->count = connection->sent_size;
    client->age_ms = os_now_ms() - connection->opened_ms;
    return connection->fd;
}

static void tell(void *context, struct daemon_status *status) {
    const struct station_server *server = context;
    const struct session_store_measured *store = &server->daemon->measured;
    const struct services *services = &server->services;
    int64_t now_ms = os_now_ms();
    if (server->phase != STATION_SERVER_SERVING) {
        status_set_reason(status, "shutting down");
    }
    if (now_ms < services->online_ms) {
        status_set_reason(status, "offline for a while, as --offline-for says");
    }
    session_store_measured_tell(store, now_ms, status);
    status_add_gauge(status, "station_ready", "Whether it serves and reaches its store: 1, or 0",
                     status->reason[0] == '\0');
    status_add_counter(status, "station_messages_total", "Messages with a number, sent or begun",
                       services->numbers.message_count);
    status_add_gauge(status, "station_streams", "Calls that are open",
                     (double)(services->stream_count_max - services->free_count));
    status_add_gauge(status, "station_stream_places", "Calls open at a time",
                     (double)services->stream_count_max);
    status_add_gauge(status, "station_clients", "Connections that are served",
                     (double)server->daemon->clients.served_count);
    status_add_gauge(status, "station_client_places", "Connections served at a time",
                     (double)server->daemon->settings->connection_count_max);
    status_add_counter(status, "station_clients_accepted_total", "Connections accepted",
                       server->accepted_count);
    status->series[0] = services->numbers.message_count;
    status->series[1] = store->created_count + store->resumed_count;
    client_list_tell(&server->daemon->clients, tell_client, server, status);
}

struct status_source figures_source(const struct station_server *server) {
    return (struct status_source){
        .program = "station-server",
        .prefix = "station",
        .unit = "Bytes sent",
        .series_names = {"messages", "sessions"},
        .tell = tell,
        .context = (void *)server,
    };
}
