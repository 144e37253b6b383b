/*
 * A moment of waiting without the kernel.
 *
 * Two threads that hand each other work every few microseconds lose more time in being put to sleep
 * and woken up again than they work. So the one that has to wait first looks for about as long as a
 * sleep would cost, and sleeps only then. Whoever waits for seldom things should not spin.
 *
 * Threading: any thread.
 */
#ifndef SERVER_RUNTIME_SPIN_H_
#define SERVER_RUNTIME_SPIN_H_

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Looks at the value: up to about 50 microseconds, by the time a pause lasts on the processor. */
enum { SPIN_COUNT = 1000 };

static inline void spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

/* Waits a moment for `value` to become something else than `seen`. Whether it has. */
static inline bool spin_until_changed(const _Atomic(uint64_t) *value, uint64_t seen) {
    for (int count = 0; count < SPIN_COUNT; count++) {
        if (atomic_load(value) != seen) {
            return true;
        }
        spin_pause();
    }
    return false;
}

#endif /* SERVER_RUNTIME_SPIN_H_ */
