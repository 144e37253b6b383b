/*
 * The numbers of a sequence, 0 to 100 each, as a function of a seed: any piece of the sequence can
 * be made again at any time, so a session need not keep the numbers and costs the same whatever its
 * length.
 *
 * Two kinds:
 * - keyed (the ordinary one): a ChaCha20 stream under a secret key that the caller takes from the
 *   operating system's randomness; each number is a 32-bit word of it modulo 101 (which favours
 * some numbers by less than one part in 40 million). Every piece costs the same.
 * - python (test mode): exactly what CPython 3's random.seed(text) followed by randint(0, 100)
 * gives: MT19937 initialised by the integer made of the text's bytes followed by their SHA-512,
 * then 7 bits at a time, those above 100 rejected. Pieces in ascending order are cheap; going back
 * starts over.
 *
 * Ownership: the caller owns the struct; nothing is allocated. Threading: one thread per struct.
 */
#ifndef SERVER_SESSIONS_GENERATOR_H_
#define SERVER_SESSIONS_GENERATOR_H_

#include "server/sessions/chacha20.h"
#include "server/sessions/mt19937.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GENERATOR_KEY_SIZE = CHACHA20_KEY_SIZE,
    GENERATOR_SEED_TEXT_SIZE_MAX = 64,
    GENERATOR_NUMBER_MAX = 100, /* numbers are 0 to this, both included */
};

enum generator_kind {
    GENERATOR_KEYED,
    GENERATOR_PYTHON,
};

struct generator {
    enum generator_kind kind;
    uint32_t next_index; /* python: index of the number that `twister` gives next */
    struct mt19937 twister;
    char seed_text[GENERATOR_SEED_TEXT_SIZE_MAX]; /* python: not terminated */
    size_t seed_text_size;
    uint8_t key[GENERATOR_KEY_SIZE];
    uint32_t
        block_index; /* keyed: of the block in `words`, which is used again for the next piece */
    uint32_t words[CHACHA20_BLOCK_WORD_COUNT];
};

/* Makes `generator` the keyed one of `key`. */
void generator_init_keyed(struct generator *generator, const uint8_t key[GENERATOR_KEY_SIZE]);

/* Makes `generator` the one of Python's random.seed(text). The text is the `text_size` bytes at
 * `text`, at most GENERATOR_SEED_TEXT_SIZE_MAX of them; they are copied. */
void generator_init_python(struct generator *generator, const char *text, size_t text_size);

/* Writes the `count` whole words of a keyed sequence that begin at index `first_index` to `words`:
 * numbers that are uniform over all of uint32_t. */
void generator_read_words(struct generator *generator, uint32_t first_index, uint32_t *words,
                          size_t count);

/* Writes the `count` numbers of the sequence that begin at index `first_index` to `numbers`. */
void generator_read(struct generator *generator, uint32_t first_index, uint8_t *numbers,
                    size_t count);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_GENERATOR_H_ */
