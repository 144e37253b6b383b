/*
 * The log writer's second thread, which makes durable what the first one has written, and what the
 * two of them share beside the struct. Nobody else's business.
 *
 * Threading: see log_writer.h.
 */
#ifndef SERVER_NUMBERS_LOG_LOG_SYNC_H_
#define SERVER_NUMBERS_LOG_LOG_SYNC_H_

#include "server/numbers/log/log_writer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The thread; its context is the log writer. Syncs once an interval, or under `always` whenever
 * something was written: all that was written during one call is synced by the next. */
void *log_sync_run(void *context);

/* Notes that a call which waits for the disk begins or has ended. */
void log_writer_begin_call(struct log_writer *writer, enum log_writer_call call);
void log_writer_end_call(struct log_writer *writer, enum log_writer_call call);

/* Ends all writing; the first reason counts. */
void log_writer_fail(struct log_writer *writer, int error);

/* Notes that one of the threads has come to its end: *flag is the writer's for it. */
void log_writer_end_thread(struct log_writer *writer, bool *flag);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_NUMBERS_LOG_LOG_SYNC_H_ */
