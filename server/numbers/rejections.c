#include "server/numbers/rejections.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/numbers/limits.h"
#include "server/numbers/session.h"
#include "server/runtime/escape.h"

enum {
    BYTES_CAPACITY = SESSION_HEADROOM_SIZE * ESCAPED_BYTE_SIZE_MAX + 1,
    LIST_CAPACITY = 320,
};

/* What each reason is called in the warning, behind its count. */
static const char *const summaries[REJECTION_COUNT] = {
    [REJECTION_FULL] = "refused for want of a place",
    [REJECTION_BAD_LINE] = "for a bad line",
    [REJECTION_TERMINATE] = "for a `terminate` from elsewhere",
    [REJECTION_IDLE] = "silent for too long",
    [REJECTION_LOST] = "lost or reset by the other end",
};

void rejections_init(struct rejections *rejections, const struct logger *logger) {
    *rejections = (struct rejections){.logger = logger};
}

void rejections_add(struct rejections *rejections, enum rejection reason,
                    const struct sockaddr_storage *peer, const char *bytes, size_t size,
                    int error) {
    const struct logger *logger = rejections->logger;
    const char *address = listener_format_address(peer, rejections->peer);
    char text[BYTES_CAPACITY];
    rejections->totals[reason]++;
    rejections->counts[reason]++;
    switch (reason) {
    case REJECTION_FULL:
        logger_print(logger, LOG_LEVEL_DEBUG, "refused %s: all places taken", address);
        break;
    case REJECTION_BAD_LINE:
        logger_print(logger, LOG_LEVEL_DEBUG, "reset %s: a bad line: \"%s\"", address,
                     escape_bytes(text, sizeof text, bytes, size));
        break;
    case REJECTION_TERMINATE:
        logger_print(logger, LOG_LEVEL_DEBUG, "reset %s: `terminate` does not count from there",
                     address);
        break;
    case REJECTION_IDLE:
        logger_print(logger, LOG_LEVEL_DEBUG, "reset %s: silent for too long", address);
        break;
    case REJECTION_LOST:
    case REJECTION_COUNT:
        logger_print(logger, LOG_LEVEL_DEBUG, "lost %s: %s", address, strerror(error));
        break;
    }
}

static uint64_t sum(const struct rejections *rejections) {
    uint64_t total = 0;
    for (size_t reason = 0; reason < REJECTION_COUNT; reason++) {
        total += rejections->counts[reason];
    }
    return total;
}

int64_t rejections_deadline_ms(const struct rejections *rejections) {
    return sum(rejections) == 0 ? INT64_MAX : rejections->warning_ms;
}

/* Prints how many there were since the last time. */
static void print_counts(struct rejections *rejections, enum log_level level) {
    char list[LIST_CAPACITY] = "";
    size_t size = 0;
    for (size_t reason = 0; reason < REJECTION_COUNT; reason++) {
        if (rejections->counts[reason] > 0) {
            size += (size_t)snprintf(list + size, sizeof list - size, "%s%" PRIu64 " %s",
                                     size == 0 ? "" : ", ", rejections->counts[reason],
                                     summaries[reason]);
        }
    }
    uint64_t total = sum(rejections);
    logger_print(rejections->logger, level,
                 "%" PRIu64 " client%s turned away or lost: %s; the last one: %s", total,
                 total == 1 ? "" : "s", list, rejections->peer);
    memset(rejections->counts, 0, sizeof rejections->counts);
}

void rejections_run(struct rejections *rejections, int64_t now_ms) {
    if (now_ms >= rejections_deadline_ms(rejections)) {
        print_counts(rejections, LOG_LEVEL_WARNING);
        rejections->warning_ms = now_ms + REJECTION_WARNING_PERIOD_MS;
    }
}

void rejections_finish(struct rejections *rejections) {
    if (sum(rejections) > 0) {
        print_counts(rejections, LOG_LEVEL_INFO);
    }
}
