#include "server/station/number_sequence.h"

#include <assert.h>
#include <zlib.h>

#include "server/sessions/decimal.h"
#include "server/station/limits.h"

void number_checksum_init(struct number_checksum *checksum) {
    *checksum = (struct number_checksum){0};
}

void number_checksum_update(struct number_checksum *checksum, const uint32_t *numbers,
                            size_t count) {
    char text[DECIMAL_LENGTH_MAX * LIMIT_PIECE_NUMBER_COUNT];
    while (count > 0) {
        size_t piece_count = count < LIMIT_PIECE_NUMBER_COUNT ? count : LIMIT_PIECE_NUMBER_COUNT;
        char *end = text;
        for (size_t i = 0; i < piece_count; i++) {
            end += decimal_write(numbers[i], end);
        }
        checksum->crc = (uint32_t)crc32(checksum->crc, (const Bytef *)text, (uInt)(end - text));
        checksum->number_count += (uint32_t)piece_count;
        numbers += piece_count;
        count -= piece_count;
    }
}

void number_sequence_init(struct number_sequence *sequence, const uint8_t key[GENERATOR_KEY_SIZE]) {
    generator_init_keyed(&sequence->generator, key);
    number_checksum_init(&sequence->checksum);
}

void number_sequence_read(struct number_sequence *sequence, uint32_t first_index, uint32_t *numbers,
                          size_t count) {
    assert(count <= LIMIT_PIECE_NUMBER_COUNT);
    generator_read_words(&sequence->generator, first_index, numbers, count);
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
        generator_read_words(&sequence->generator, first_index, numbers, piece_count);
        number_checksum_update(&sequence->checksum, numbers, piece_count);
    }
    return sequence->checksum.crc;
}
