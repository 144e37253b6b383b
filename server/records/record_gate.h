/*
 * The gate between the writers' transactions and the queries that need a moment without any.
 *
 * DESIGN. Any number of transactions pass at the same time. A query closes the gate: no transaction
 * begins any more, and when the last one has ended the query holds it. Queries that come until then
 * hold it together; those that come later wait for the next time. Once all of them have released
 * it, transactions that were kept waiting all pass, and have it open for twelve times as long as it
 * was closed before anybody may close it again: however many queries come, most of the time belongs
 * to the transactions.
 *
 * Threading: any.
 */
#ifndef SERVER_RECORDS_RECORD_GATE_H_
#define SERVER_RECORDS_RECORD_GATE_H_

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum record_gate_state { RECORD_GATE_OPEN, RECORD_GATE_CLOSING, RECORD_GATE_HELD };

struct record_gate {
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    enum record_gate_state state;
    size_t transaction_count; /* under way */
    size_t waiting_count;     /* transactions that wait for it to be opened */
    size_t holder_count;      /* and those who are about to be */
    int64_t closed_ms;        /* when it was closed last */
    int64_t closable_ms;      /* when it may be closed again */
};

/* 0, or a negative errno value. */
int record_gate_init(struct record_gate *gate);
void record_gate_destroy(struct record_gate *gate);

/* Waits until the gate is open and begins a transaction. */
void record_gate_enter(struct record_gate *gate);
void record_gate_leave(struct record_gate *gate);

/* Waits until no transaction runs, and keeps any from beginning until release. */
void record_gate_hold(struct record_gate *gate);
void record_gate_release(struct record_gate *gate);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_GATE_H_ */
