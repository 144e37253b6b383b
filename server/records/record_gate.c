#include "server/records/record_gate.h"

#include "server/runtime/condition.h"
#include "server/runtime/os.h"

enum {
    /* It stays open for so many times as long as it was closed. */
    OPEN_FACTOR = 12,
    /* A store that kept its readers waiting for long does not keep the next ones out as long. */
    OPEN_MS_MAX = 1000,
};

int record_gate_init(struct record_gate *gate) {
    *gate = (struct record_gate){.state = RECORD_GATE_OPEN};
    int error = condition_init(&gate->changed);
    if (error != 0) {
        return error;
    }
    error = -pthread_mutex_init(&gate->mutex, NULL);
    if (error != 0) {
        (void)pthread_cond_destroy(&gate->changed);
    }
    return error;
}

void record_gate_destroy(struct record_gate *gate) {
    (void)pthread_cond_destroy(&gate->changed);
    (void)pthread_mutex_destroy(&gate->mutex);
}

void record_gate_enter(struct record_gate *gate) {
    (void)pthread_mutex_lock(&gate->mutex);
    if (gate->state != RECORD_GATE_OPEN) {
        gate->waiting_count++;
        while (gate->state != RECORD_GATE_OPEN) {
            (void)pthread_cond_wait(&gate->changed, &gate->mutex);
        }
        gate->waiting_count--;
        if (gate->waiting_count == 0) {
            (void)pthread_cond_broadcast(&gate->changed);
        }
    }
    gate->transaction_count++;
    (void)pthread_mutex_unlock(&gate->mutex);
}

void record_gate_leave(struct record_gate *gate) {
    (void)pthread_mutex_lock(&gate->mutex);
    gate->transaction_count--;
    if (gate->transaction_count == 0 && gate->state == RECORD_GATE_CLOSING) {
        gate->state = RECORD_GATE_HELD;
        (void)pthread_cond_broadcast(&gate->changed);
    }
    (void)pthread_mutex_unlock(&gate->mutex);
}

/* Waits until the gate may be closed, and closes it, unless somebody else has. */
static void close_gate(struct record_gate *gate) {
    while (gate->state != RECORD_GATE_CLOSING) {
        int64_t now_ms = os_now_ms();
        if (gate->state == RECORD_GATE_HELD || gate->waiting_count > 0) {
            (void)pthread_cond_wait(&gate->changed, &gate->mutex);
        } else if (now_ms < gate->closable_ms) {
            (void)condition_wait_until(&gate->changed, &gate->mutex, gate->closable_ms);
        } else {
            gate->state = RECORD_GATE_CLOSING;
            gate->closed_ms = now_ms;
        }
    }
}

void record_gate_hold(struct record_gate *gate) {
    (void)pthread_mutex_lock(&gate->mutex);
    close_gate(gate);
    gate->holder_count++;
    if (gate->transaction_count == 0) {
        gate->state = RECORD_GATE_HELD;
        (void)pthread_cond_broadcast(&gate->changed);
    }
    while (gate->state == RECORD_GATE_CLOSING) {
        (void)pthread_cond_wait(&gate->changed, &gate->mutex);
    }
    (void)pthread_mutex_unlock(&gate->mutex);
}

void record_gate_release(struct record_gate *gate) {
    (void)pthread_mutex_lock(&gate->mutex);
    if (--gate->holder_count == 0) {
        gate->state = RECORD_GATE_OPEN;
        if (gate->waiting_count > 0) {
            int64_t now_ms = os_now_ms();
            int64_t open_ms = OPEN_FACTOR * (now_ms - gate->closed_ms + 1);
            gate->closable_ms = now_ms + (open_ms < OPEN_MS_MAX ? open_ms : OPEN_MS_MAX);
        }
        (void)pthread_cond_broadcast(&gate->changed);
    }
    (void)pthread_mutex_unlock(&gate->mutex);
}
