#include "server/runtime/http/http_answers.h"

#include <microhttpd.h>
#include <stdio.h>

#include "server/runtime/http/metrics_text.h"
#include "server/runtime/http/process_metrics.h"
#include "server/runtime/http/status_page.h"
#include "server/runtime/os.h"
#include "server/runtime/version.h"

enum {
    /* A status serves everybody who looks so shortly after. */
    STATUS_PERIOD_MS = 100,

    /* How long the loop may take to answer, and when to ask again one that has not. */
    LOOP_PATIENCE_MS = 250,
    LOOP_RETRY_MS = 1000,

    /* A loop that is silent for so long is said not to serve. */
    SILENCE_MAX_MS = 2000,
};

void http_answers_init(struct http_answers *answers, struct inquiry *inquiry, const char *settings,
                       int64_t now_ms) {
    *answers = (struct http_answers){
        .inquiry = inquiry,
        .source = &inquiry->source,
        .settings = settings,
        .start_ms = now_ms,
        .asked_ms = -1,
        .answered_ms = now_ms,
    };
    rate_history_init(&answers->history);
    status_set_reason(&answers->status, "starting: not serving yet");
    (void)snprintf(answers->build_info_name, sizeof answers->build_info_name, "%s_build_info",
                   inquiry->source.prefix);
}

/* Brings the status up to date, unless it is so already. */
static void ask(struct http_answers *answers) {
    int64_t now_ms = os_now_ms();
    int64_t period_ms = answers->is_answered ? STATUS_PERIOD_MS : LOOP_RETRY_MS;
    if (answers->asked_ms >= 0 && now_ms - answers->asked_ms < period_ms) {
        return;
    }
    answers->is_answered =
        inquiry_ask(answers->inquiry, &answers->status, now_ms + LOOP_PATIENCE_MS);
    answers->asked_ms = os_now_ms();
    if (answers->is_answered) {
        answers->answered_ms = answers->asked_ms;
        client_rates_find(&answers->client_rates, &answers->status, answers->asked_ms);
    }
}

static int64_t silence_ms(const struct http_answers *answers) {
    int64_t silence_ms = answers->is_answered ? 0 : os_now_ms() - answers->answered_ms;
    return silence_ms < SILENCE_MAX_MS ? 0 : silence_ms;
}

static void write_page(struct http_answers *answers, struct text_buffer *text) {
    int64_t now_ms = os_now_ms();
    struct status_page page = {
        .source = answers->source,
        .status = &answers->status,
        .history = &answers->history,
        .uptime_ms = now_ms - answers->start_ms,
        .silence_ms = silence_ms(answers),
        .settings = answers->settings,
    };
    status_page_write(text, &page);
}

static void write_metrics(struct http_answers *answers, struct text_buffer *text) {
    struct daemon_status own = {0};
    status_add(&own, &(struct metric){.name = answers->build_info_name,
                                      .help = "The version that runs, in a label",
                                      .label = "version",
                                      .label_value = version_text(),
                                      .kind = METRIC_GAUGE,
                                      .value = 1});
    process_metrics_add(&own, os_now_ms() - answers->start_ms);
    metrics_text_write(text, &answers->status);
    metrics_text_write(text, &own);
}

/* The answer to a probe, and its status code. */
static unsigned int write_probe(struct http_answers *answers, struct text_buffer *text,
                                bool is_readiness) {
    int64_t silent_ms = silence_ms(answers);
    if (silent_ms > 0) {
        text_buffer_print(text, "the server has not answered for %lld s\n",
                          (long long)silent_ms / 1000);
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    if (is_readiness && answers->status.reason[0] != '\0') {
        text_buffer_print(text, "%s\n", answers->status.reason);
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    text_buffer_print(text, "%s\n", is_readiness ? "ready" : "ok");
    return MHD_HTTP_OK;
}

unsigned int http_answers_write(struct http_answers *answers, enum http_answer answer,
                                struct text_buffer *text) {
    switch (answer) {
    case HTTP_ANSWER_PAGE:
        ask(answers);
        write_page(answers, text);
        return MHD_HTTP_OK;
    case HTTP_ANSWER_METRICS:
        ask(answers);
        write_metrics(answers, text);
        return MHD_HTTP_OK;
    case HTTP_ANSWER_HEALTH:
    case HTTP_ANSWER_READINESS:
        ask(answers);
        return write_probe(answers, text, answer == HTTP_ANSWER_READINESS);
    case HTTP_ANSWER_NOT_FOUND:
        text_buffer_print(text, "there is /, /metrics, /healthz and /readyz\n");
        return MHD_HTTP_NOT_FOUND;
    case HTTP_ANSWER_BAD_METHOD:
        text_buffer_print(text, "only GET and HEAD\n");
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    case HTTP_ANSWER_FOREIGN_ORIGIN:
        text_buffer_print(text, "not for pages of another origin\n");
        return MHD_HTTP_FORBIDDEN;
    case HTTP_ANSWER_FOREIGN_HOST:
        break;
    }
    text_buffer_print(text, "ask for localhost, 127.0.0.1 or [::1]\n");
    return MHD_HTTP_MISDIRECTED_REQUEST;
}

const char *http_answers_content_type(enum http_answer answer) {
    switch (answer) {
    case HTTP_ANSWER_PAGE:
        return "text/html; charset=utf-8";
    case HTTP_ANSWER_METRICS:
        return METRICS_CONTENT_TYPE;
    default:
        return "text/plain; charset=utf-8";
    }
}

void http_answers_sample(struct http_answers *answers) {
    ask(answers);
    if (answers->is_answered) {
        rate_history_add(&answers->history, answers->status.series, answers->answered_ms);
    }
}
