/*
 * A status in Prometheus's text format (version 0.0.4), which OpenTelemetry's collectors read too:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * Threading: none inside; a function of its arguments.
 */
#ifndef SERVER_RUNTIME_HTTP_METRICS_TEXT_H_
#define SERVER_RUNTIME_HTTP_METRICS_TEXT_H_

#include "server/runtime/http/status.h"
#include "server/runtime/http/text_buffer.h"

#ifdef __cplusplus
extern "C" {
#endif

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_text_write(struct text_buffer *text, const struct daemon_status *status);

/* Adds a value: whole ones without decimals. */
void metrics_text_add_value(struct text_buffer *text, double value);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_HTTP_METRICS_TEXT_H_ */
