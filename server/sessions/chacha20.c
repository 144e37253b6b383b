#include "server/sessions/chacha20.h"

#include <string.h>

enum { DOUBLE_ROUND_COUNT = 10 };

static uint32_t load_word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint32_t rotate_left(uint32_t word, unsigned bit_count) {
    return word << bit_count | word >> (32 - bit_count);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    *a += *b;
    *d = rotate_left(*d ^ *a, 16);
    *c += *d;
    *b = rotate_left(*b ^ *c, 12);
    *a += *b;
    *d = rotate_left(*d ^ *a, 8);
    *c += *d;
    *b = rotate_left(*b ^ *c, 7);
}

void chacha20_block(const uint8_t key[CHACHA20_KEY_SIZE], const uint8_t nonce[CHACHA20_NONCE_SIZE],
                    uint32_t block_index, uint32_t words[CHACHA20_BLOCK_WORD_COUNT]) {
    uint32_t input[CHACHA20_BLOCK_WORD_COUNT] = {0x61707865u, 0x3320646eu, 0x79622d32u,
                                                 0x6b206574u};
    for (int i = 0; i < CHACHA20_KEY_SIZE / 4; i++) {
        input[4 + i] = load_word(key + 4 * i);
    }
    input[12] = block_index;
    for (int i = 0; i < CHACHA20_NONCE_SIZE / 4; i++) {
        input[13 + i] = load_word(nonce + 4 * i);
    }

    uint32_t *w = words;
    memcpy(w, input, sizeof input);
    for (int round = 0; round < DOUBLE_ROUND_COUNT; round++) {
        for (int column = 0; column < 4; column++) {
            quarter_round(&w[column], &w[4 + column], &w[8 + column], &w[12 + column]);
        }
        for (int column = 0; column < 4; column++) {
            quarter_round(&w[column], &w[4 + (column + 1) % 4], &w[8 + (column + 2) % 4],
                          &w[12 + (column + 3) % 4]);
        }
    }
    for (int i = 0; i < CHACHA20_BLOCK_WORD_COUNT; i++) {
        words[i] += input[i];
    }
}
