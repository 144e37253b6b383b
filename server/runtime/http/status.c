#include "server/runtime/http/status.h"

#include <stdarg.h>
#include <stdio.h>

void status_add(struct daemon_status *status, const struct metric *metric) {
    if (status->metric_count < STATUS_METRIC_CAPACITY) {
        status->metrics[status->metric_count++] = *metric;
    }
}

void status_add_counter(struct daemon_status *status, const char *name, const char *help,
                        uint64_t value) {
    status_add(status,
               &(struct metric){
                   .name = name, .help = help, .kind = METRIC_COUNTER, .value = (double)value});
}

void status_add_gauge(struct daemon_status *status, const char *name, const char *help,
                      double value) {
    status_add(status,
               &(struct metric){.name = name, .help = help, .kind = METRIC_GAUGE, .value = value});
}

void status_add_histogram(struct daemon_status *status, const char *name, const char *help,
                          const struct latency_histogram *histogram) {
    status_add(status,
               &(struct metric){
                   .name = name, .help = help, .kind = METRIC_HISTOGRAM, .histogram = histogram});
}

struct status_client *status_add_client(struct daemon_status *status) {
    status->total_client_count++;
    return status->client_count < STATUS_CLIENT_CAPACITY ? &status->clients[status->client_count++]
                                                         : NULL;
}

void status_set_reason(struct daemon_status *status, const char *format, ...) {
    if (status->reason[0] != '\0') {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(status->reason, sizeof status->reason, format, arguments);
    va_end(arguments);
}
