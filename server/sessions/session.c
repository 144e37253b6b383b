#include "server/sessions/session.h"

#include <stdio.h>
#include <string.h>

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

void session_write_text(const struct session *session, char text[SESSION_TEXT_SIZE_MAX]) {
    int size = snprintf(text, SESSION_TEXT_SIZE_MAX, "1 %u %u %c ", session->number_count,
                        session->batch_size, kind_letters[session->kind]);
    for (size_t i = 0; i < GENERATOR_KEY_SIZE; i++) {
        size +=
            snprintf(text + size, (size_t)(SESSION_TEXT_SIZE_MAX - size), "%02x", session->key[i]);
    }
}

/* Reads one byte from two lower-case hexadecimal digits. */
static bool parse_byte(const char *text, uint8_t *byte) {
    static const char digits[] = "0123456789abcdef";
    unsigned value = 0;
    for (int i = 0; i < 2; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);
        if (digit == NULL) {
            return false;
        }
        value = value * 16 + (unsigned)(digit - digits);
    }
    *byte = (uint8_t)value;
    return true;
}

static bool parse_key(const char *text, uint8_t *key) {
    for (size_t i = 0; i < GENERATOR_KEY_SIZE; i++) {
        if (!parse_byte(text + 2 * i, &key[i])) {
            return false;
        }
    }
    return text[(size_t)2 * GENERATOR_KEY_SIZE] == '\0';
}

bool session_parse_text(const char *client_id, const char *text, size_t size,
                        struct session *session) {
    char terminated[SESSION_TEXT_SIZE_MAX];
    char key[SESSION_TEXT_SIZE_MAX];
    char letter;
    if (size >= sizeof terminated || strlen(client_id) != CLIENT_ID_LENGTH) {
        return false;
    }
    memcpy(terminated, text, size);
    terminated[size] = '\0';
    memset(session, 0, sizeof *session);
    memcpy(session->client_id, client_id, CLIENT_ID_LENGTH);
    if (sscanf(terminated, "1 %5u %5u %c %80s", &session->number_count, &session->batch_size,
               &letter, key) != 4 ||
        !parse_key(key, session->key)) {
        return false;
    }
    session->kind = letter == kind_letters[GENERATOR_PYTHON] ? GENERATOR_PYTHON : GENERATOR_KEYED;
    char canonical[SESSION_TEXT_SIZE_MAX];
    session_write_text(session, canonical);
    return session->number_count <= SESSION_NUMBER_COUNT_MAX && session->batch_size >= 1 &&
           session->batch_size <= SESSION_BATCH_SIZE_MAX && strcmp(canonical, terminated) == 0;
}
