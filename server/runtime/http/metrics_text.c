#include "server/runtime/http/metrics_text.h"

#include <string.h>

static const char *const kind_names[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

static const double microseconds_per_second = 1e6;

/* Doubles hold whole numbers up to here. */
static const double whole_max = 9007199254740992.0;

void metrics_text_add_value(struct text_buffer *text, double value) {
    bool is_whole = value >= -whole_max && value <= whole_max && value == (double)(long long)value;
    text_buffer_print(text, is_whole ? "%.0f" : "%.15g", value);
}

/* Adds a label's value: backslash, quote and newline have a backslash in front. */
static void add_label_value(struct text_buffer *text, const char *value) {
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            text_buffer_print(text, "\\n");
        } else {
            text_buffer_print(text, "%s%c", *value == '\\' || *value == '"' ? "\\" : "", *value);
        }
    }
}

static void write_sample(struct text_buffer *text, const struct metric *metric) {
    text_buffer_print(text, "%s", metric->name);
    if (metric->label != NULL) {
        text_buffer_print(text, "{%s=\"", metric->label);
        add_label_value(text, metric->label_value);
        text_buffer_print(text, "\"}");
    }
    text_buffer_print(text, " ");
    metrics_text_add_value(text, metric->value);
    text_buffer_print(text, "\n");
}

/* The buckets are cumulative, and the last one is the count: taken from one reading of them. */
static void write_histogram(struct text_buffer *text, const struct metric *metric) {
    unsigned long long count = 0;
    for (size_t index = 0; index < LATENCY_BUCKET_COUNT; index++) {
        count += atomic_load_explicit(&metric->histogram->counts[index], memory_order_relaxed);
        if (index < LATENCY_BUCKET_COUNT - 1) {
            double bound = (double)latency_bucket_bound_us(index) / microseconds_per_second;
            text_buffer_print(text, "%s_bucket{le=\"%g\"} %llu\n", metric->name, bound, count);
        }
    }
    uint64_t sum_us = atomic_load_explicit(&metric->histogram->sum_us, memory_order_relaxed);
    text_buffer_print(text, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n",
                      metric->name, count, metric->name, (double)sum_us / microseconds_per_second,
                      metric->name, count);
}

void metrics_text_write(struct text_buffer *text, const struct daemon_status *status) {
    const char *family = "";
    for (size_t index = 0; index < status->metric_count; index++) {
        const struct metric *metric = &status->metrics[index];
        if (strcmp(metric->name, family) != 0) {
            family = metric->name;
            text_buffer_print(text, "# HELP %s %s.\n# TYPE %s %s\n", family, metric->help, family,
                              kind_names[metric->kind]);
        }
        if (metric->kind == METRIC_HISTOGRAM) {
            write_histogram(text, metric);
        } else {
            write_sample(text, metric);
        }
    }
}
