#include "server/numbers/figures.h"

#include <assert.h>
#include <string.h>

#include "server/numbers/log/disk_watch.h"
#include "server/numbers/log/log_writer.h"
#include "server/runtime/listener.h"

static void tell_readiness(const struct numbers_server *server, struct daemon_status *status) {
    const struct log_writer *writer = server->configuration.writer;
    int64_t call_ms = log_writer_call_ms(writer, server->loop.now_ms);
    int error = log_writer_error(writer);
    int room_error = log_writer_room_error(writer);
    if (error != 0) {
        status_set_reason(status, "the log cannot be stored: %s", strerror(-error));
    }
    if (room_error != 0) {
        status_set_reason(status, "the log cannot be written: %s; the clients wait",
                          strerror(-room_error));
    }
    if (call_ms >= DISK_WATCH_PATIENCE_MS) {
        status_set_reason(status, "the disk has not answered for %lld s",
                          (long long)call_ms / 1000);
    }
    if (server->is_shutting_down) {
        status_set_reason(status, "shutting down");
    }
    status_add_gauge(status, "numbers_ready", "Whether it stores what it is sent: 1, or 0",
                     status->reason[0] == '\0');
}

static void tell_numbers(const struct numbers_server *server, struct daemon_status *status) {
    const struct tally *tally = server->configuration.pipeline->configuration.tally;
    uint64_t unique_count = atomic_load_explicit(&tally->unique_count, memory_order_relaxed);
    uint64_t duplicate_count = atomic_load_explicit(&tally->duplicate_count, memory_order_relaxed);
    status_add_counter(status, "numbers_unique_total", "Numbers that were new in this run",
                       unique_count);
    status_add_counter(status, "numbers_duplicates_total", "Numbers that had been seen before",
                       duplicate_count);
    status_add_counter(status, "numbers_received_bytes_total", "Bytes received from clients",
                       server->received_size);
    status_add_gauge(status, "numbers_stage_fill_ratio",
                     "How full the stage is that numbers are sorted into, from 0 to 1",
                     pipeline_stage_fill(server->configuration.pipeline));
    status_add_gauge(status, "numbers_held_back",
                     "Whether nobody is read from until there is room for more: 1, or 0",
                     server->clients.is_held_back);
    status->series[0] = unique_count;
    status->series[1] = duplicate_count;
}

static void tell_log(const struct numbers_server *server, struct daemon_status *status) {
    struct log_writer *writer = server->configuration.writer;
    struct log_writer_positions positions = log_writer_get_positions(writer);
    status_add_counter(status, "numbers_log_submitted_bytes_total",
                       "Bytes of lines made for the log", positions.submitted);
    status_add_counter(status, "numbers_log_written_bytes_total",
                       "Bytes of the log that the kernel has taken", positions.written);
    status_add_counter(status, "numbers_log_durable_bytes_total",
                       "Bytes of the log that are on the disk for certain", positions.synced);
    status_add_gauge(status, "numbers_log_full", "Whether the log waits for room: 1, or 0",
                     log_writer_room_error(writer) != 0);
    status_add_gauge(status, "numbers_log_call_seconds",
                     "For how long the disk has not answered the call under way",
                     (double)log_writer_call_ms(writer, server->loop.now_ms) / 1e3);
    status_add_histogram(status, "numbers_log_sync_duration_seconds",
                         "How long forcing the log to the disk took", &writer->sync_latency);
}

static_assert((int)STATUS_PEER_CAPACITY >= (int)LISTENER_ADDRESS_CAPACITY, "every address fits");

static const char *const state_names[CLIENT_STATE_COUNT] = {
    [CLIENT_WAITING] = "waiting",
    [CLIENT_RECEIVING] = "receiving",
    [CLIENT_ENDED] = "ended",
    [CLIENT_STORING] = "storing",
};

static void tell_client(const struct client *client, int64_t now_ms, struct daemon_status *status) {
    struct status_client *entry = status_add_client(status);
    if (entry != NULL) {
        (void)listener_format_address(&client->peer, entry->peer);
        entry->state = state_names[client->state];
        entry->count = client->number_count;
        entry->age_ms = now_ms - client->accepted_ms;
    }
}

static void tell_clients(const struct numbers_server *server, struct daemon_status *status) {
    const struct clients *clients = &server->clients;
    for (enum client_state state = CLIENT_WAITING; state < CLIENT_STATE_COUNT; state++) {
        status_add(status, &(struct metric){.name = "numbers_clients",
                                            .help = "Connections by what they do",
                                            .label = "state",
                                            .label_value = state_names[state],
                                            .kind = METRIC_GAUGE,
                                            .value = (double)clients->lists[state].count});
        const struct client *client = clients->lists[state].first;
        for (; client != NULL; client = client->next) {
            tell_client(client, server->loop.now_ms, status);
        }
    }
    status_add_gauge(status, "numbers_client_places", "Clients that may send at a time",
                     (double)clients->configuration.place_count);
    status_add_counter(status, "numbers_clients_accepted_total", "Connections accepted",
                       clients->accepted_count);
    status_add_counter(status, "numbers_clients_confirmed_total",
                       "Connections ended with FIN, their lines being stored",
                       clients->confirmed_count);
}

static void tell_rejections(const struct rejections *rejections, struct daemon_status *status) {
    static const char *const names[REJECTION_COUNT] = {
        [REJECTION_FULL] = "full",           [REJECTION_BAD_LINE] = "bad_line",
        [REJECTION_TERMINATE] = "terminate", [REJECTION_IDLE] = "idle",
        [REJECTION_LOST] = "lost",
    };
    for (size_t reason = 0; reason < REJECTION_COUNT; reason++) {
        status_add(status,
                   &(struct metric){.name = "numbers_clients_rejected_total",
                                    .help = "Connections refused, reset or lost, by the reason",
                                    .label = "reason",
                                    .label_value = names[reason],
                                    .kind = METRIC_COUNTER,
                                    .value = (double)rejections->totals[reason]});
    }
}

static void tell(void *context, struct daemon_status *status) {
    const struct numbers_server *server = context;
    tell_readiness(server, status);
    tell_numbers(server, status);
    tell_log(server, status);
    tell_clients(server, status);
    tell_rejections(&server->clients.rejections, status);
}

struct status_source figures_source(struct numbers_server *server) {
    return (struct status_source){
        .program = "numbers-server",
        .prefix = "numbers",
        .unit = "Numbers",
        .series_names = {"unique", "duplicates"},
        .tell = tell,
        .context = server,
    };
}
