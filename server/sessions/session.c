#include "server/sessions/session.h"

#include <assert.h>
#include <string.h>

#include "server/sessions/decimal.h"

/* The first byte of the text: another form of it will have another. */
static const char version = '1';

static const char kind_letters[] = {[GENERATOR_KEYED] = 'k', [GENERATOR_PYTHON] = 'p'};

uint32_t session_batch_count(const struct session *session) {
    return (session->number_count + session->batch_size - 1) / session->batch_size;
}

void session_start_generator(const struct session *session, struct generator *generator) {
    if (session->kind == GENERATOR_PYTHON) {
        generator_init_python(generator, session->client_id, CLIENT_ID_LENGTH);
    } else {
        generator_init_keyed(generator, session->key);
    }
}

static size_t write_hex(const uint8_t *bytes, size_t size, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return 2 * size;
}

void session_write_text(const struct session *session, char text[SESSION_TEXT_SIZE_MAX]) {
    assert(session->number_count <= SESSION_NUMBER_COUNT_MAX &&
           session->batch_size <= SESSION_BATCH_SIZE_MAX);
    char *out = text;
    *out++ = version;
    *out++ = ' ';
    out += decimal_write(session->number_count, out);
    *out++ = ' ';
    out += decimal_write(session->batch_size, out);
    *out++ = ' ';
    *out++ = kind_letters[session->kind];
    *out++ = ' ';
    out += write_hex(session->key, sizeof session->key, out);
    *out = '\0';
}

/* What is left of a text that is being read. */
struct reader {
    const char *next;
    const char *end;
};

/* Steps over one byte, if it is that one. */
static bool take_byte(struct reader *reader, char byte) {
    return reader->next < reader->end && *reader->next++ == byte;
}

/* Steps over a number and the space behind it. */
static bool take_number(struct reader *reader, uint32_t maximum, uint32_t *number) {
    const char *space = memchr(reader->next, ' ', (size_t)(reader->end - reader->next));
    if (space == NULL ||
        !decimal_parse(reader->next, (size_t)(space - reader->next), maximum, number)) {
        return false;
    }
    reader->next = space + 1;
    return true;
}

static bool take_kind(struct reader *reader, enum generator_kind *kind) {
    if (reader->next == reader->end) {
        return false;
    }
    char letter = *reader->next++;
    *kind = letter == kind_letters[GENERATOR_PYTHON] ? GENERATOR_PYTHON : GENERATOR_KEYED;
    return letter == kind_letters[*kind];
}

/* The value of a lower-case hexadecimal digit; -1: it is none. */
static int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Takes all that is left as the key. */
static bool take_key(const struct reader *reader, uint8_t key[GENERATOR_KEY_SIZE]) {
    if (reader->end - reader->next != 2 * GENERATOR_KEY_SIZE) {
        return false;
    }
    for (size_t i = 0; i < GENERATOR_KEY_SIZE; i++) {
        int high = hex_value(reader->next[2 * i]);
        int low = hex_value(reader->next[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool session_parse_text(const char *client_id, const char *text, size_t size,
                        struct session *session) {
    struct reader reader = {.next = text, .end = text + size};
    if (!client_id_is_valid(client_id, strlen(client_id))) {
        return false;
    }
    memset(session, 0, sizeof *session);
    memcpy(session->client_id, client_id, CLIENT_ID_LENGTH);
    return take_byte(&reader, version) && take_byte(&reader, ' ') &&
           take_number(&reader, SESSION_NUMBER_COUNT_MAX, &session->number_count) &&
           take_number(&reader, SESSION_BATCH_SIZE_MAX, &session->batch_size) &&
           session->batch_size >= 1 && take_kind(&reader, &session->kind) &&
           take_byte(&reader, ' ') && take_key(&reader, session->key);
}
