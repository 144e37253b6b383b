#include "server/runtime/http/status_page.h"

#include <string.h>

#include "server/runtime/http/metrics_text.h"
#include "server/runtime/http/page_assets.h" /* made by the build from page.css and page.js */
#include "server/runtime/version.h"

enum {
    CHART_WIDTH = 2 * RATE_HISTORY_CAPACITY, /* in units of its own */
    CHART_HEIGHT = 160,
    CHART_MARGIN = 8,
    MINUTES_OF_CHART = RATE_HISTORY_CAPACITY * RATE_HISTORY_PERIOD_MS / 60000,
    LINE_CAPACITY = 512,
    MS_PER_SECOND = 1000,
};

const char status_page_policy[] =
    "default-src 'none'; style-src '" PAGE_STYLE_HASH "'; script-src '" PAGE_SCRIPT_HASH
    "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors "
    "'none'";

static const char *const series_classes[STATUS_SERIES_COUNT] = {"one", "two"};

static void add_duration(struct text_buffer *text, int64_t duration_ms) {
    long long seconds = duration_ms / MS_PER_SECOND;
    if (seconds >= 24 * 60 * 60) {
        text_buffer_print(text, "%lld d ", seconds / (24 * 60 * 60));
    }
    if (seconds >= 60 * 60) {
        text_buffer_print(text, "%lld h ", seconds / (60 * 60) % 24);
    }
    if (seconds >= 60) {
        text_buffer_print(text, "%lld min ", seconds / 60 % 60);
    }
    text_buffer_print(text, "%lld s", seconds % 60);
}

static void add_rate(struct text_buffer *text, double rate) {
    text_buffer_add_count(text, (unsigned long long)(rate + 0.5));
}

static void write_head(struct text_buffer *text, const struct status_page *page) {
    text_buffer_print(text,
                      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<link rel=\"icon\" href=\"data:,\">\n<title>%s</title>\n<style>",
                      page->source->program);
    text_buffer_print(text, "%s", PAGE_STYLE);
    text_buffer_print(text, "</style>\n<noscript><meta http-equiv=\"refresh\" content=\"5\">"
                            "</noscript>\n</head>\n<body>\n");
}

/* Whether it is ready, and if not why. */
static void write_health(struct text_buffer *text, const struct status_page *page) {
    const struct daemon_status *status = page->status;
    text_buffer_print(text, "<header>\n<h1>%s</h1>\n<div id=\"health\" data-live>",
                      page->source->program);
    if (page->silence_ms > 0) {
        text_buffer_print(text, "<p class=\"bad\">Not ready: the server has not answered for ");
        add_duration(text, page->silence_ms);
        text_buffer_print(text, "</p>");
    } else if (status->reason[0] != '\0') {
        text_buffer_print(text, "<p class=\"bad\">Not ready: ");
        text_buffer_add_html(text, status->reason);
        text_buffer_print(text, "</p>");
    } else {
        text_buffer_print(text, "<p class=\"good\">Ready</p>");
    }
    text_buffer_print(text, "<p class=\"quiet\">Version %s, up for ", version_text());
    add_duration(text, page->uptime_ms);
    text_buffer_print(text, "</p></div>\n<p id=\"silence\" role=\"status\"></p>\n</header>\n");
}

static double highest_rate(const struct status_page *page) {
    double highest = 0;
    for (size_t age = 0; age < page->history->count; age++) {
        for (size_t series = 0; series < STATUS_SERIES_COUNT; series++) {
            double rate = rate_history_rate(page->history, age, series);
            highest = rate > highest ? rate : highest;
        }
    }
    return highest;
}

/* The smallest of 1, 2, 5, 10, 20, 50 … that is not below the highest rate: the chart's top. */
static double round_top(double highest) {
    static const double steps[] = {2, 2.5, 2};
    double top = 1;
    for (size_t index = 0; top < highest; index++) {
        top *= steps[index % (sizeof steps / sizeof steps[0])];
    }
    return top;
}

static void write_line(struct text_buffer *text, const struct rate_history *history, size_t series,
                       double top) {
    const double plot_height = CHART_HEIGHT - 2 * CHART_MARGIN;
    text_buffer_print(text, "<polyline class=\"%s\" points=\"", series_classes[series]);
    for (size_t age = 0; age < history->count; age++) {
        double rate = rate_history_rate(history, age, series);
        text_buffer_print(text, "%zu,%.1f ", CHART_WIDTH - 2 * age,
                          CHART_HEIGHT - CHART_MARGIN - rate / top * plot_height);
    }
    text_buffer_print(text, "\"/>");
}

/* The newest rate of each series, which is the chart's legend too. */
static void write_legend(struct text_buffer *text, const struct status_page *page) {
    text_buffer_print(text, "<p>");
    for (size_t series = 0; series < STATUS_SERIES_COUNT; series++) {
        const char *name = page->source->series_names[series];
        if (name == NULL) {
            continue;
        }
        double rate = page->history->count > 0 ? rate_history_rate(page->history, 0, series) : 0;
        text_buffer_print(text, "<span class=\"%s\">%s %s: <strong>", series_classes[series],
                          series == 0 ? "&#9473;" : "&#9476;", name);
        add_rate(text, rate);
        text_buffer_print(text, "/s</strong></span> &ensp;");
    }
    text_buffer_print(text, "</p>");
}

static void write_chart(struct text_buffer *text, const struct status_page *page) {
    double top = round_top(highest_rate(page));
    text_buffer_print(text,
                      "<section aria-labelledby=\"rates-title\">\n"
                      "<h2 id=\"rates-title\">Rates of the last %d minutes</h2>\n"
                      "<div id=\"rates\" data-live>",
                      MINUTES_OF_CHART);
    write_legend(text, page);
    text_buffer_print(text,
                      "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
                      "aria-label=\"Rates of the last %d minutes; the top is %.0f a second\">"
                      "<line x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>"
                      "<line x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>",
                      CHART_WIDTH, CHART_HEIGHT, MINUTES_OF_CHART, top, CHART_WIDTH, CHART_MARGIN,
                      CHART_MARGIN, CHART_WIDTH, CHART_HEIGHT / 2, CHART_HEIGHT / 2);
    for (size_t series = 0; series < STATUS_SERIES_COUNT; series++) {
        if (page->source->series_names[series] != NULL) {
            write_line(text, page->history, series, top);
        }
    }
    text_buffer_print(text, "</svg><p class=\"quiet axis\"><span>%d minutes ago</span><span>top: ",
                      MINUTES_OF_CHART);
    add_rate(text, top);
    text_buffer_print(text, "/s</span><span>now</span></p></div>\n</section>\n");
}

static void write_clients(struct text_buffer *text, const struct status_page *page) {
    const struct daemon_status *status = page->status;
    text_buffer_print(text, "<section aria-labelledby=\"clients-title\">\n"
                            "<h2 id=\"clients-title\">Clients</h2>\n"
                            "<div id=\"clients\" data-live>");
    text_buffer_print(text, "<p>Connected: ");
    text_buffer_add_count(text, status->total_client_count);
    text_buffer_print(text, "</p>");
    if (status->client_count > 0) {
        text_buffer_print(text,
                          "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Peer</th>"
                          "<th>State</th><th class=\"number\">%s</th>"
                          "<th class=\"number\">A second</th><th class=\"number\">Since</th></tr>"
                          "</thead><tbody>",
                          page->source->unit);
    }
    for (size_t index = 0; index < status->client_count; index++) {
        const struct status_client *client = &status->clients[index];
        text_buffer_print(text, "<tr><td><code>");
        text_buffer_add_html(text, client->peer);
        text_buffer_print(text, "</code></td><td>%s</td><td class=\"number\">", client->state);
        text_buffer_add_count(text, client->count);
        text_buffer_print(text, "</td><td class=\"number\">");
        add_rate(text, client->rate);
        text_buffer_print(text, "</td><td class=\"number\">");
        add_duration(text, client->age_ms);
        text_buffer_print(text, "</td></tr>");
    }
    if (status->client_count > 0) {
        text_buffer_print(text, "</tbody></table></div>");
    }
    if (status->total_client_count > status->client_count && status->client_count > 0) {
        text_buffer_print(text, "<p class=\"quiet\">Of %zu clients these are %zu.</p>",
                          status->total_client_count, status->client_count);
    }
    text_buffer_print(text, "</div>\n</section>\n");
}

/* A histogram shows how many there were and the mean. */
static void add_histogram(struct text_buffer *text, const struct latency_histogram *histogram) {
    uint64_t count = 0;
    for (size_t index = 0; index < LATENCY_BUCKET_COUNT; index++) {
        count += atomic_load_explicit(&histogram->counts[index], memory_order_relaxed);
    }
    uint64_t sum_us = atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
    text_buffer_add_count(text, count);
    if (count > 0) {
        text_buffer_print(text, ", mean %.1f ms", (double)sum_us / (double)count / 1e3);
    }
}

static void write_figure(struct text_buffer *text, const struct metric *metric) {
    text_buffer_print(text, "<tr><td>");
    text_buffer_add_html(text, metric->help);
    if (metric->label != NULL) {
        text_buffer_print(text, " (%s: ", metric->label);
        text_buffer_add_html(text, metric->label_value);
        text_buffer_print(text, ")");
    }
    text_buffer_print(text, "</td><td class=\"number\">");
    if (metric->kind == METRIC_HISTOGRAM) {
        add_histogram(text, metric->histogram);
    } else if (metric->value >= 0 && metric->value == (double)(unsigned long long)metric->value) {
        text_buffer_add_count(text, (unsigned long long)metric->value);
    } else {
        text_buffer_print(text, "%.3f", metric->value);
    }
    text_buffer_print(text, "</td></tr>");
}

static void write_figures(struct text_buffer *text, const struct status_page *page) {
    text_buffer_print(text, "<section aria-labelledby=\"figures-title\">\n"
                            "<h2 id=\"figures-title\">Figures</h2>\n"
                            "<div id=\"figures\" data-live><table><tbody>");
    for (size_t index = 0; index < page->status->metric_count; index++) {
        write_figure(text, &page->status->metrics[index]);
    }
    text_buffer_print(text, "</tbody></table></div>\n"
                            "<p class=\"quiet\">For programs: <a href=\"/metrics\">metrics</a>, "
                            "<a href=\"/healthz\">health</a>, "
                            "<a href=\"/readyz\">readiness</a>.</p>\n</section>\n");
}

static void write_settings(struct text_buffer *text, const char *settings) {
    text_buffer_print(text, "<details>\n<summary>Options in force</summary>\n<ul>");
    while (*settings != '\0') {
        char line[LINE_CAPACITY];
        size_t size = strcspn(settings, "\n");
        size_t copied_size = size < sizeof line ? size : sizeof line - 1;
        memcpy(line, settings, copied_size);
        line[copied_size] = '\0';
        text_buffer_print(text, "<li><code>");
        text_buffer_add_html(text, line);
        text_buffer_print(text, "</code></li>");
        settings += size + (settings[size] == '\n');
    }
    text_buffer_print(text, "</ul>\n</details>\n");
}

void status_page_write(struct text_buffer *text, const struct status_page *page) {
    write_head(text, page);
    write_health(text, page);
    text_buffer_print(text, "<main>\n");
    write_chart(text, page);
    write_clients(text, page);
    write_figures(text, page);
    write_settings(text, page->settings);
    text_buffer_print(text, "</main>\n<script>");
    text_buffer_print(text, "%s", PAGE_SCRIPT);
    text_buffer_print(text, "</script>\n</body>\n</html>\n");
}
