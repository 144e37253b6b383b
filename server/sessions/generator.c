#include "server/sessions/generator.h"

#include <assert.h>
#include <sha512.h>
#include <string.h>

enum {
    VALUE_COUNT = GENERATOR_NUMBER_MAX + 1,
    VALUE_BIT_COUNT = 7, /* Python's (101).bit_length() */
    SEED_SIZE_MAX = GENERATOR_SEED_TEXT_SIZE_MAX + SHA512_DIGEST_LENGTH,
    SEED_WORD_COUNT_MAX = (SEED_SIZE_MAX + 3) / 4,
};

/* The index of a block that no sequence reaches. */
#define NO_BLOCK UINT32_MAX

/* Splits the big-endian integer of `size` bytes into 32-bit words, the least significant first,
 * without leading zero words, as CPython hands a large integer to init_by_array. Returns their
 * count, at least 1. */
static size_t integer_to_words(const uint8_t *bytes, size_t size, uint32_t *words) {
    size_t word_count = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[size - 1 - i];
        if (i % 4 == 0) {
            words[word_count++] = 0;
        }
        words[i / 4] |= (uint32_t)byte << (8 * (i % 4));
    }
    while (word_count > 1 && words[word_count - 1] == 0) {
        word_count--;
    }
    return word_count;
}

static void start_python(struct generator *generator) {
    uint8_t seed[SEED_SIZE_MAX];
    SHA512_CTX digest;
    SHA512Init(&digest);
    SHA512Update(&digest, (const uint8_t *)generator->seed_text, generator->seed_text_size);
    memcpy(seed, generator->seed_text, generator->seed_text_size);
    SHA512Final(seed + generator->seed_text_size, &digest);

    uint32_t words[SEED_WORD_COUNT_MAX];
    size_t word_count =
        integer_to_words(seed, generator->seed_text_size + SHA512_DIGEST_LENGTH, words);
    mt19937_seed_by_array(&generator->twister, words, word_count);
    generator->next_index = 0;
}

void generator_init_keyed(struct generator *generator, const uint8_t key[GENERATOR_KEY_SIZE]) {
    generator->kind = GENERATOR_KEYED;
    memcpy(generator->key, key, GENERATOR_KEY_SIZE);
    generator->block_index = NO_BLOCK;
}

void generator_init_python(struct generator *generator, const char *text, size_t text_size) {
    assert(text_size <= GENERATOR_SEED_TEXT_SIZE_MAX);
    generator->kind = GENERATOR_PYTHON;
    memcpy(generator->seed_text, text, text_size);
    generator->seed_text_size = text_size;
    start_python(generator);
}

static uint8_t next_python_number(struct generator *generator) {
    uint32_t bits;
    do {
        bits = mt19937_next(&generator->twister) >> (32 - VALUE_BIT_COUNT);
    } while (bits >= VALUE_COUNT);
    generator->next_index++;
    return (uint8_t)bits;
}

static void read_python(struct generator *generator, uint32_t first_index, uint8_t *numbers,
                        size_t count) {
    if (first_index < generator->next_index) {
        start_python(generator);
    }
    while (generator->next_index < first_index) {
        (void)next_python_number(generator);
    }
    for (size_t i = 0; i < count; i++) {
        numbers[i] = next_python_number(generator);
    }
}

static void load_block(struct generator *generator, uint32_t block_index) {
    /* A key serves one sequence only, so the nonce need not differ. */
    static const uint8_t nonce[CHACHA20_NONCE_SIZE] = {0};
    if (generator->block_index != block_index) {
        chacha20_block(generator->key, nonce, block_index, generator->words);
        generator->block_index = block_index;
    }
}

static uint32_t read_word(struct generator *generator, uint32_t index) {
    load_block(generator, index / CHACHA20_BLOCK_WORD_COUNT);
    return generator->words[index % CHACHA20_BLOCK_WORD_COUNT];
}

static void read_keyed(struct generator *generator, uint32_t first_index, uint8_t *numbers,
                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (uint8_t)(read_word(generator, first_index + (uint32_t)i) % VALUE_COUNT);
    }
}

void generator_read_words(struct generator *generator, uint32_t first_index, uint32_t *words,
                          size_t count) {
    assert(generator->kind == GENERATOR_KEYED);
    for (size_t i = 0; i < count; i++) {
        words[i] = read_word(generator, first_index + (uint32_t)i);
    }
}

void generator_read(struct generator *generator, uint32_t first_index, uint8_t *numbers,
                    size_t count) {
    if (generator->kind == GENERATOR_PYTHON) {
        read_python(generator, first_index, numbers, count);
    } else {
        read_keyed(generator, first_index, numbers, count);
    }
}
