#include "server/station/number_sequence.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

#include "server/station/limits.h"

enum { DECIMAL_SIZE_MAX = 10 };

/* The index of a block that no sequence reaches. */
#define NO_BLOCK UINT32_MAX

void number_checksum_init(struct number_checksum *checksum) {
    *checksum = (struct number_checksum){0};
}

/* Writes the decimal text of a number and returns its end. */
static uint8_t *write_decimal(uint32_t number, uint8_t *text) {
    uint8_t digits[DECIMAL_SIZE_MAX];
    size_t start = sizeof digits;
    do {
        digits[--start] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(text, digits + start, sizeof digits - start);
    return text + sizeof digits - start;
}

void number_checksum_update(struct number_checksum *checksum, const uint32_t *numbers,
                            size_t count) {
    uint8_t text[DECIMAL_SIZE_MAX * LIMIT_PIECE_NUMBER_COUNT];
    while (count > 0) {
        size_t piece_count = count < LIMIT_PIECE_NUMBER_COUNT ? count : LIMIT_PIECE_NUMBER_COUNT;
        uint8_t *end = text;
        for (size_t i = 0; i < piece_count; i++) {
            end = write_decimal(numbers[i], end);
        }
        checksum->crc = (uint32_t)crc32(checksum->crc, text, (uInt)(end - text));
        checksum->number_count += (uint32_t)piece_count;
        numbers += piece_count;
        count -= piece_count;
    }
}

void number_sequence_init(struct number_sequence *sequence, const uint8_t key[CHACHA20_KEY_SIZE]) {
    memcpy(sequence->key, key, CHACHA20_KEY_SIZE);
    sequence->block_index = NO_BLOCK;
    number_checksum_init(&sequence->checksum);
}

static uint32_t number_at(struct number_sequence *sequence, uint32_t index) {
    /* A key serves one sequence only, so the nonce need not differ. */
    static const uint8_t nonce[CHACHA20_NONCE_SIZE] = {0};
    uint32_t block_index = index / CHACHA20_BLOCK_WORD_COUNT;
    if (sequence->block_index != block_index) {
        chacha20_block(sequence->key, nonce, block_index, sequence->words);
        sequence->block_index = block_index;
    }
    return sequence->words[index % CHACHA20_BLOCK_WORD_COUNT];
}

static void read_numbers(struct number_sequence *sequence, uint32_t first_index, uint32_t *numbers,
                         size_t count) {
    for (size_t i = 0; i < count; i++) {
        numbers[i] = number_at(sequence, first_index + (uint32_t)i);
    }
}

void number_sequence_read(struct number_sequence *sequence, uint32_t first_index, uint32_t *numbers,
                          size_t count) {
    assert(count <= LIMIT_PIECE_NUMBER_COUNT);
    read_numbers(sequence, first_index, numbers, count);
    /* Where the checksum stands they are fed to it at once, and need not be made again. */
    uint32_t fed_count = sequence->checksum.number_count;
    if (fed_count >= first_index && fed_count - first_index < count) {
        size_t skip_count = fed_count - first_index;
        number_checksum_update(&sequence->checksum, numbers + skip_count, count - skip_count);
    }
}

uint32_t number_sequence_checksum(struct number_sequence *sequence, uint32_t count) {
    uint32_t numbers[LIMIT_PIECE_NUMBER_COUNT];
    assert(sequence->checksum.number_count <= count);
    while (sequence->checksum.number_count < count) {
        uint32_t first_index = sequence->checksum.number_count;
        uint32_t piece_count = count - first_index;
        if (piece_count > LIMIT_PIECE_NUMBER_COUNT) {
            piece_count = LIMIT_PIECE_NUMBER_COUNT;
        }
        read_numbers(sequence, first_index, numbers, piece_count);
        number_checksum_update(&sequence->checksum, numbers, piece_count);
    }
    return sequence->checksum.crc;
}
