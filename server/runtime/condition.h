/*
 * Condition variables that time by the monotonic clock, which no change of the date moves.
 *
 * Threading: as pthread_cond_t.
 */
#ifndef SERVER_RUNTIME_CONDITION_H_
#define SERVER_RUNTIME_CONDITION_H_

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0, or a negative errno value. End it with pthread_cond_destroy. */
int condition_init(pthread_cond_t *condition);

/* Waits for a signal, or until os_now_ms() reaches deadline_ms; true if the deadline came first. As
 * with every condition variable the caller checks in a loop what it waits for. */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline_ms);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_CONDITION_H_ */
