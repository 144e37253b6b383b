/*
 * The ChaCha20 block function (RFC 8439, section 2.3): 64 bytes that cannot be told from random
 * ones, for a secret key and any block number. Unlike a stateful generator it gives every block
 * directly, so a client that asks for its numbers back and forth costs no more than one that goes
 * in order.
 *
 * Ownership: nothing is kept. Threading: pure function.
 */
#ifndef SERVER_SESSIONS_CHACHA20_H_
#define SERVER_SESSIONS_CHACHA20_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    CHACHA20_KEY_SIZE = 32,
    CHACHA20_NONCE_SIZE = 12,
    CHACHA20_BLOCK_WORD_COUNT = 16,
};

/* Writes block `block_index` of the stream of `key` and `nonce` to `words`. The words are the
 * block's bytes read as little-endian 32-bit numbers. */
void chacha20_block(const uint8_t key[CHACHA20_KEY_SIZE], const uint8_t nonce[CHACHA20_NONCE_SIZE],
                    uint32_t block_index, uint32_t words[CHACHA20_BLOCK_WORD_COUNT]);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_SESSIONS_CHACHA20_H_ */
