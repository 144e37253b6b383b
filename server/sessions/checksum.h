/*
 * The checksum of a sequence: the MD5 of its numbers written as Python prints a list, "[6, 41,
 * 81]". It is fed piece by piece, so that nobody has to keep the text. MD5 guards against mistakes
 * here, not against an adversary.
 *
 * Ownership: the caller owns the struct; nothing is allocated. Threading: one thread per struct.
 */
#ifndef SERVER_SESSIONS_CHECKSUM_H_
#define SERVER_SESSIONS_CHECKSUM_H_

#include <md5.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CHECKSUM_TEXT_LENGTH = 32 };

struct checksum {
    MD5_CTX digest;
    uint32_t number_count; /* how many numbers it has been fed */
};

void checksum_init(struct checksum *checksum);

/* Appends `count` numbers, each 0 to 255, at `numbers`. */
void checksum_update(struct checksum *checksum, const uint8_t *numbers, size_t count);

/* Closes the list and writes the MD5 in lower-case hexadecimal, terminated, to `text`. The checksum
 * must be initialised again before it is used again. */
void checksum_finish(struct checksum *checksum, char text[CHECKSUM_TEXT_LENGTH + 1]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_CHECKSUM_H_ */
