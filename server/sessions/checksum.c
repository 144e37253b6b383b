#include "server/sessions/checksum.h"

#include <string.h>

enum {
    ITEM_SIZE_MAX = 5,       /* ", 255" */
    PIECE_NUMBER_COUNT = 64, /* numbers written out between two calls of the digest */
};

/* Writes the decimal digits of `number` to `out` and returns how many. */
static size_t write_digits(char *out, uint8_t number) {
    size_t size = 0;
    if (number >= 100) {
        out[size++] = (char)('0' + number / 100);
    }
    if (number >= 10) {
        out[size++] = (char)('0' + number / 10 % 10);
    }
    out[size++] = (char)('0' + number % 10);
    return size;
}

void checksum_init(struct checksum *checksum) {
    MD5Init(&checksum->digest);
    MD5Update(&checksum->digest, (const uint8_t *)"[", 1);
    checksum->number_count = 0;
}

void checksum_update(struct checksum *checksum, const uint8_t *numbers, size_t count) {
    while (count > 0) {
        char text[PIECE_NUMBER_COUNT * ITEM_SIZE_MAX];
        size_t text_size = 0;
        size_t piece_count = count < PIECE_NUMBER_COUNT ? count : PIECE_NUMBER_COUNT;
        for (size_t i = 0; i < piece_count; i++) {
            if (checksum->number_count++ > 0) {
                text[text_size++] = ',';
                text[text_size++] = ' ';
            }
            text_size += write_digits(text + text_size, numbers[i]);
        }
        MD5Update(&checksum->digest, (const uint8_t *)text, text_size);
        numbers += piece_count;
        count -= piece_count;
    }
}

void checksum_finish(struct checksum *checksum, char text[CHECKSUM_TEXT_LENGTH + 1]) {
    static const char hex_digits[] = "0123456789abcdef";
    uint8_t digest[MD5_DIGEST_LENGTH];
    MD5Update(&checksum->digest, (const uint8_t *)"]", 1);
    MD5Final(digest, &checksum->digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        text[2 * i] = hex_digits[digest[i] >> 4];
        text[2 * i + 1] = hex_digits[digest[i] & 15];
    }
    text[CHECKSUM_TEXT_LENGTH] = '\0';
}
