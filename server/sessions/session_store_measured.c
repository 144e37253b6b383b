#include "server/sessions/session_store_measured.h"

#include "server/runtime/os.h"

enum {
    /* So long after the store was away the daemon is not ready: then somebody has to try again. */
    UNAVAILABLE_MEMORY_MS = 10 * 1000,
    NS_PER_US = 1000,
};

/* Notes how a call that began at begin_ns has ended, and hands its result on. */
static enum session_store_result note(struct session_store_measured *measured, int64_t begin_ns,
                                      enum session_store_result result) {
    int64_t end_ns = os_now_ns();
    latency_histogram_add(&measured->latency, (end_ns - begin_ns) / NS_PER_US);
    measured->missing_count += result == SESSION_STORE_MISSING;
    measured->full_count += result == SESSION_STORE_FULL || result == SESSION_STORE_PEER_FULL;
    if (result == SESSION_STORE_UNAVAILABLE) {
        measured->unavailable_count++;
        measured->unavailable_ms = os_now_ms();
    } else {
        measured->unavailable_ms = 0;
    }
    return result;
}

static enum session_store_result create(void *state, const struct session *session, uint64_t peer,
                                        int64_t now_ms) {
    struct session_store_measured *measured = state;
    int64_t begin_ns = os_now_ns();
    enum session_store_result result =
        note(measured, begin_ns, session_store_create(&measured->inner, session, peer, now_ms));
    measured->created_count += result == SESSION_STORE_OK;
    return result;
}

static enum session_store_result attach(void *state, const char *client_id, int64_t now_ms,
                                        struct session *session) {
    struct session_store_measured *measured = state;
    int64_t begin_ns = os_now_ns();
    enum session_store_result result = note(
        measured, begin_ns, session_store_attach(&measured->inner, client_id, now_ms, session));
    measured->resumed_count += result == SESSION_STORE_OK;
    return result;
}

static void keep(void *state, const char *client_id) {
    struct session_store_measured *measured = state;
    session_store_keep(&measured->inner, client_id);
}

static void detach(void *state, const char *client_id, int64_t now_ms) {
    struct session_store_measured *measured = state;
    session_store_detach(&measured->inner, client_id, now_ms);
}

static enum session_store_result write_note(void *state, const char *client_id, uint32_t value,
                                            int64_t now_ms) {
    struct session_store_measured *measured = state;
    int64_t begin_ns = os_now_ns();
    return note(measured, begin_ns,
                session_store_write_note(&measured->inner, client_id, value, now_ms));
}

static enum session_store_result read_note(void *state, const char *client_id, int64_t now_ms,
                                           uint32_t *value) {
    struct session_store_measured *measured = state;
    int64_t begin_ns = os_now_ns();
    return note(measured, begin_ns,
                session_store_read_note(&measured->inner, client_id, now_ms, value));
}

static void count_purged(void *context, const char *client_id) {
    struct session_store_measured *measured = context;
    measured->purged_count++;
    measured->purged_handler(measured->purged_context, client_id);
}

static void purge(void *state, int64_t now_ms, session_purged_handler *handler, void *context) {
    struct session_store_measured *measured = state;
    measured->purged_handler = handler;
    measured->purged_context = context;
    session_store_purge(&measured->inner, now_ms, count_purged, measured);
}

static int64_t next_purge_ms(const void *state) {
    const struct session_store_measured *measured = state;
    return session_store_next_purge_ms(&measured->inner);
}

static void destroy(void *state) {
    struct session_store_measured *measured = state;
    session_store_destroy(&measured->inner);
}

void session_store_measure(struct session_store_measured *measured, struct session_store *store) {
    static const struct session_store_operations operations = {
        .create = create,
        .attach = attach,
        .keep = keep,
        .detach = detach,
        .write_note = write_note,
        .read_note = read_note,
        .purge = purge,
        .next_purge_ms = next_purge_ms,
        .destroy = destroy,
    };
    *measured = (struct session_store_measured){.inner = *store};
    *store = (struct session_store){.operations = &operations,
                                    .state = measured,
                                    .keep_interval_ms = measured->inner.keep_interval_ms};
}

void session_store_measured_tell(const struct session_store_measured *measured, int64_t now_ms,
                                 struct daemon_status *status) {
    if (measured->unavailable_ms != 0 &&
        now_ms - measured->unavailable_ms < UNAVAILABLE_MEMORY_MS) {
        status_set_reason(status, "the store of the sessions cannot be reached");
    }
    status_add_counter(status, "sessions_created_total", "Sessions begun here",
                       measured->created_count);
    status_add_counter(status, "sessions_resumed_total", "Sessions gone on with here",
                       measured->resumed_count);
    status_add_counter(status, "sessions_purged_total", "Sessions whose time was over",
                       measured->purged_count);
    status_add_counter(status, "sessions_missing_total", "Sessions asked for that there were not",
                       measured->missing_count);
    status_add_counter(status, "sessions_refused_total", "Sessions refused for want of room",
                       measured->full_count);
    status_add_counter(status, "sessions_store_failures_total",
                       "Calls that did not reach the store", measured->unavailable_count);
    status_add_histogram(status, "sessions_store_duration_seconds",
                         "How long calls of the store took", &measured->latency);
}
