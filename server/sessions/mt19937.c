#include "server/sessions/mt19937.h"

enum { SHIFT_COUNT = 397 };

static void seed_by_word(struct mt19937 *twister, uint32_t seed) {
    twister->state[0] = seed;
    for (uint32_t i = 1; i < MT19937_STATE_COUNT; i++) {
        uint32_t previous = twister->state[i - 1];
        twister->state[i] = 1812433253u * (previous ^ (previous >> 30)) + i;
    }
    twister->next_index = MT19937_STATE_COUNT;
}

/* Steps the position in the state; its first word mirrors the last one whenever it wraps. */
static uint32_t next_position(struct mt19937 *twister, uint32_t position) {
    if (position + 1 < MT19937_STATE_COUNT) {
        return position + 1;
    }
    twister->state[0] = twister->state[MT19937_STATE_COUNT - 1];
    return 1;
}

void mt19937_seed_by_array(struct mt19937 *twister, const uint32_t *key, size_t key_count) {
    seed_by_word(twister, 19650218u);
    uint32_t *state = twister->state;
    uint32_t position = 1;
    size_t key_index = 0;
    size_t step_count = key_count > MT19937_STATE_COUNT ? key_count : MT19937_STATE_COUNT;
    for (; step_count > 0; step_count--) {
        uint32_t previous = state[position - 1];
        state[position] = (state[position] ^ ((previous ^ (previous >> 30)) * 1664525u)) +
                          key[key_index] + (uint32_t)key_index;
        position = next_position(twister, position);
        key_index = key_index + 1 < key_count ? key_index + 1 : 0;
    }
    for (step_count = MT19937_STATE_COUNT - 1; step_count > 0; step_count--) {
        uint32_t previous = state[position - 1];
        state[position] =
            (state[position] ^ ((previous ^ (previous >> 30)) * 1566083941u)) - position;
        position = next_position(twister, position);
    }
    state[0] = 0x80000000u;
}

static uint32_t twist(uint32_t high_word, uint32_t low_word) {
    uint32_t mixed = (high_word & 0x80000000u) | (low_word & 0x7fffffffu);
    return (mixed >> 1) ^ ((mixed & 1u) ? 0x9908b0dfu : 0u);
}

static void refill(struct mt19937 *twister) {
    uint32_t *state = twister->state;
    for (uint32_t i = 0; i < MT19937_STATE_COUNT; i++) {
        uint32_t next = state[(i + 1) % MT19937_STATE_COUNT];
        state[i] = state[(i + SHIFT_COUNT) % MT19937_STATE_COUNT] ^ twist(state[i], next);
    }
    twister->next_index = 0;
}

uint32_t mt19937_next(struct mt19937 *twister) {
    if (twister->next_index == MT19937_STATE_COUNT) {
        refill(twister);
    }
    uint32_t bits = twister->state[twister->next_index++];
    bits ^= bits >> 11;
    bits ^= (bits << 7) & 0x9d2c5680u;
    bits ^= (bits << 15) & 0xefc60000u;
    return bits ^ (bits >> 18);
}
