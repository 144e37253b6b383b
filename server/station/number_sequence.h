/*
 * The numbers of the station, uniform over all of 32 bits: the words of a session's generator. And
 * their checksum: CRC-32 (IEEE 802.3, as zlib has it) over
 * the decimal texts of all numbers, joined without a separator.
 *
 * Any piece of a sequence can be made again at any time. The checksum is fed with the numbers in
 * order, each once, and catches up by itself with those that were passed over.
 *
 * Ownership: plain values. Threading: pure functions.
 */
#ifndef SERVER_STATION_NUMBER_SEQUENCE_H_
#define SERVER_STATION_NUMBER_SEQUENCE_H_

#include <stddef.h>
#include <stdint.h>

#include "server/sessions/generator.h"

#ifdef __cplusplus
extern "C" {
#endif

struct number_checksum {
    uint32_t crc;
    uint32_t number_count; /* how many it has been fed */
};

void number_checksum_init(struct number_checksum *checksum);
void number_checksum_update(struct number_checksum *checksum, const uint32_t *numbers,
                            size_t count);

struct number_sequence {
    struct generator generator;
    struct number_checksum checksum;
};

void number_sequence_init(struct number_sequence *sequence, const uint8_t key[GENERATOR_KEY_SIZE]);

/* Writes the `count` numbers, at most LIMIT_PIECE_NUMBER_COUNT, that begin at `first_index`. */
void number_sequence_read(struct number_sequence *sequence, uint32_t first_index, uint32_t *numbers,
                          size_t count);

/* The checksum of the first `count` numbers; not fewer than were asked for before. */
uint32_t number_sequence_checksum(struct number_sequence *sequence, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_NUMBER_SEQUENCE_H_ */
