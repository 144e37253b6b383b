/*
 * Messages for whoever runs the daemon, one line each on standard error:
 *
 *   2026-11-21T03:14:15.926Z info listening on 127.0.0.1:4000
 *
 * Ownership: a logger is a small value owned by main and handed down by pointer.
 * Threading: constant after logger_init; each line goes out in one write, so lines of several
 * threads do not mix. A warning_limiter belongs to one thread.
 */
#ifndef SERVER_RUNTIME_LOGGER_H_
#define SERVER_RUNTIME_LOGGER_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* Their names in the order of the enum, for an option that chooses one; ends with NULL. */
extern const char *const log_level_names[];

struct logger {
    enum log_level lowest; /* messages below it are not printed */
    int fd;                /* standard error */
};

void logger_init(struct logger *logger, enum log_level lowest);

void logger_print(const struct logger *logger, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says at every level what whoever started the daemon has to know. */
void logger_announce(const struct logger *logger, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Lets a repeated warning through once per period. */
struct warning_limiter {
    int64_t next_ms;
};

enum { WARNING_PERIOD_MS = 30 * 1000 };

/* Whether the warning may be printed at now_ms (monotonic); true starts a new period. */
bool warning_limiter_allows(struct warning_limiter *limiter, int64_t now_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_LOGGER_H_ */
