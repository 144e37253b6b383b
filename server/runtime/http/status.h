/*
 * What a daemon tells about itself at one moment: its figures, whether it is ready, its clients.
 * One list serves all: the metrics are made from it, the page, the chart, and the answers to
 * probes.
 *
 * Ownership: names, helps and labels are constants of the daemon; everything else is in the struct.
 * Threading: none inside.
 */
#ifndef SERVER_RUNTIME_HTTP_STATUS_H_
#define SERVER_RUNTIME_HTTP_STATUS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/runtime/latency_histogram.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    STATUS_PEER_CAPACITY = 80, /* no less than LISTENER_ADDRESS_CAPACITY */
    STATUS_METRIC_CAPACITY = 64,
    STATUS_CLIENT_CAPACITY = 64, /* of more clients the page shows the first ones */
    STATUS_REASON_CAPACITY = 160,
    STATUS_SERIES_COUNT = 2, /* lines of the chart */
};

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* Those of one name, which differ in the label's value, are added one after the other. */
struct metric {
    const char *name;  /* by Prometheus's rules: "numbers_unique_total" */
    const char *help;  /* one sentence without its full stop */
    const char *label; /* NULL: none */
    const char *label_value;
    enum metric_kind kind;
    double value;
    const struct latency_histogram *histogram; /* METRIC_HISTOGRAM */
};

struct status_client {
    char peer[STATUS_PEER_CAPACITY];
    const char *state;
    uint64_t count; /* of what the daemon counts (status_source) */
    double rate;    /* a second, of late: not told, but found by client_rates.h */
    int64_t age_ms; /* since it came */
};

struct daemon_status {
    struct metric metrics[STATUS_METRIC_CAPACITY];
    size_t metric_count;
    char reason[STATUS_REASON_CAPACITY];  /* why it is not ready; "": it is */
    uint64_t series[STATUS_SERIES_COUNT]; /* the totals whose rates the chart shows */
    struct status_client clients[STATUS_CLIENT_CAPACITY];
    size_t client_count;       /* entries of the list */
    size_t total_client_count; /* connections there are */
};

/* What is the same for the whole run. */
struct status_source {
    const char *program;                           /* "numbers-server" */
    const char *prefix;                            /* of its metrics: "numbers" */
    const char *unit;                              /* what a client's count counts: "numbers" */
    const char *series_names[STATUS_SERIES_COUNT]; /* NULL: no such line */
    /* Tells: called in the thread of the daemon's loop, with an empty status. */
    void (*tell)(void *context, struct daemon_status *status);
    void *context;
};

/* Add one; what there is no room for is left out. */
void status_add_counter(struct daemon_status *status, const char *name, const char *help,
                        uint64_t value);
void status_add_gauge(struct daemon_status *status, const char *name, const char *help,
                      double value);
void status_add_histogram(struct daemon_status *status, const char *name, const char *help,
                          const struct latency_histogram *histogram);

/* Any of them. */
void status_add(struct daemon_status *status, const struct metric *metric);

/* A new entry of the list of clients, or NULL where it is full. The client counts in any case. */
struct status_client *status_add_client(struct daemon_status *status);

/* Says why the daemon is not ready; the first reason counts. */
void status_set_reason(struct daemon_status *status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_STATUS_H_ */
