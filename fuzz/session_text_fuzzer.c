/*
 * The text of a session, as whoever can write to a shared Redis may leave it there.
 *
 * Input: the text. What is read as a session must be one, and is written again as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/sessions/session.h"

static void check(bool is_true, const char *what) {
    if (!is_true) {
        (void)fprintf(stderr, "session text: %s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct session session;
    char text[SESSION_TEXT_SIZE_MAX];
    if (!session_parse_text("123e4567-e89b-12d3-a456-426614174000", (const char *)data, size,
                            &session)) {
        return 0;
    }
    check(session.number_count <= SESSION_NUMBER_COUNT_MAX, "too many numbers");
    check(session.batch_size >= 1 && session.batch_size <= SESSION_BATCH_SIZE_MAX,
          "no size of a batch");
    session_write_text(&session, text);
    check(strlen(text) == size && memcmp(text, data, size) == 0, "another spelling was taken");
    return 0;
}
