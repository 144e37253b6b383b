#include "server/sequence/figures.h"

#include "server/runtime/http/client_list.h"
#include "server/runtime/os.h"

static const char *state_name(const struct connection *connection) {
    if (connection->is_lingering) {
        return "ending";
    }
    switch (connection->conversation.state) {
    case CONVERSATION_AWAITING_SESSION:
        return "beginning";
    case CONVERSATION_READY:
        return "asking";
    case CONVERSATION_PUSHING:
        return "streaming";
    case CONVERSATION_CLOSED:
        break;
    }
    return "ending";
}

static int tell_client(const void *context, uint32_t index, struct status_client *client) {
    const struct sequence_server *server = context;
    const struct connection *connection = &server->connections[index];
    client->state = state_name(connection);
    client->count = connection->conversation.next_index;
    client->age_ms = os_now_ms() - connection->begun_ms;
    return connection->fd;
}

static void tell(void *context, struct daemon_status *status) {
    const struct sequence_server *server = context;
    const struct session_store_measured *store = &server->daemon->measured;
    int64_t now_ms = os_now_ms();
    uint64_t number_count = server->configuration.conversation.number_count;
    session_store_measured_tell(store, now_ms, status);
    if (server->online_ms != INT64_MAX) {
        status_set_reason(status, "offline for a while, as --offline-for says");
    }
    status_add_gauge(status, "sequence_ready", "Whether it serves and reaches its store: 1, or 0",
                     status->reason[0] == '\0');
    status_add_counter(status, "sequence_numbers_total", "Numbers sent", number_count);
    status_add_gauge(status, "sequence_clients", "Connections that are served",
                     (double)server->daemon->clients.served_count);
    status_add_gauge(status, "sequence_client_places", "Connections served at a time",
                     (double)server->daemon->settings->connection_count_max);
    status_add_counter(status, "sequence_clients_accepted_total", "Connections accepted",
                       server->accepted_count);
    status_add_counter(status, "sequence_clients_refused_total",
                       "Connections told that there is no room", server->refused_count);
    status->series[0] = number_count;
    status->series[1] = store->created_count + store->resumed_count;
    client_list_tell(&server->daemon->clients, tell_client, server, status);
}

struct status_source figures_source(const struct sequence_server *server) {
    return (struct status_source){
        .program = "sequence-server",
        .prefix = "sequence",
        .unit = "Numbers",
        .series_names = {"numbers", "sessions"},
        .tell = tell,
        .context = (void *)server,
    };
}
