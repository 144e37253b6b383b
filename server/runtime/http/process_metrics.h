/*
 * The figures that every process has, by the names that Prometheus's own libraries give them.
 *
 * Threading: any thread.
 */
#ifndef SERVER_RUNTIME_HTTP_PROCESS_METRICS_H_
#define SERVER_RUNTIME_HTTP_PROCESS_METRICS_H_

#include <stdint.h>

#include "server/runtime/http/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* uptime_ms: since the process started. */
void process_metrics_add(struct daemon_status *status, int64_t uptime_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_PROCESS_METRICS_H_ */
