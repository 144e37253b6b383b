#include "server/records/query_answer.h"

#include <stdlib.h>

#include "server/records/json/message.h"
#include "server/records/json/record_line.h"
#include "server/records/limits.h"

/* Lines are gathered up to this size before they are written. */
enum { WRITE_SIZE = 64 * 1024 };

struct answer {
    const struct query_source *source;
    const struct query_sink *sink;
    struct buffered_records buffered; /* the buffer as it was when the query came */
    char *lines;
    size_t lines_size;
    size_t lines_capacity;
    size_t record_count;
    bool is_wanted;
};

static void flush(struct answer *answer) {
    if (answer->lines_size > 0 && answer->is_wanted) {
        answer->is_wanted =
            answer->sink->write(answer->sink->context, answer->lines, answer->lines_size);
    }
    answer->lines_size = 0;
}

static bool reserve(struct answer *answer, size_t size) {
    if (answer->lines_capacity - answer->lines_size >= size) {
        return true;
    }
    char *lines = realloc(answer->lines, answer->lines_size + size + WRITE_SIZE);
    if (lines == NULL) {
        return false;
    }
    answer->lines = lines;
    answer->lines_capacity = answer->lines_size + size + WRITE_SIZE;
    return true;
}

static void add_error(struct answer *answer, const char *message) {
    if (answer->source->is_trial) {
        answer->is_wanted = false;
        return;
    }
    char line[RECORDS_ERROR_LINE_SIZE_MAX];
    size_t size = record_line_format_error(message, line, sizeof line);
    flush(answer);
    if (answer->is_wanted) {
        answer->is_wanted = answer->sink->write(answer->sink->context, line, size);
    }
}

static void add_record(struct answer *answer, const struct record *record) {
    if (!reserve(answer, record_line_size(record))) {
        add_error(answer, "no memory");
        answer->is_wanted = false;
        return;
    }
    answer->lines_size += record_line_format(record, answer->lines + answer->lines_size);
    answer->record_count++;
    if (answer->lines_size >= WRITE_SIZE) {
        flush(answer);
    }
}

/* Adds the records copied from the buffer that a store reader that has begun (NULL: none) does not
 * see. */
static void add_buffered(struct answer *answer, struct store_reader *reader) {
    for (size_t index = 0; index < answer->buffered.count && answer->is_wanted; index++) {
        const struct buffered_record *buffered = &answer->buffered.records[index];
        bool is_in_store =
            reader != NULL && buffered->slot_index != RECORD_NOT_TAKEN &&
            buffered->sequence <= store_reader_stored_sequence(reader, buffered->slot_index);
        if (!is_in_store) {
            add_record(answer, &buffered->record);
        }
    }
}

/* False: the store failed in the middle, and `message` says why. */
static bool add_stored(struct answer *answer, struct store_reader *reader, char *message) {
    struct record record;
    enum store_status status = STORE_OK;
    while (status == STORE_OK && answer->is_wanted) {
        status = store_reader_next(reader, &record, message);
        if (status == STORE_OK) {
            add_record(answer, &record);
        }
    }
    return status != STORE_UNAVAILABLE;
}

/* Adds the records of the store, all or those with an id. False: `message` says why that is not all
 * of them. */
static bool add_store(struct answer *answer, const struct record_text *id, char *message) {
    struct store_reader *reader = answer->source->reader;
    if (store_reader_connect(reader, message) != STORE_OK) {
        return false;
    }
    bool is_read =
        store_reader_begin(reader, id, message) == STORE_OK && add_stored(answer, reader, message);
    store_reader_end(reader);
    return is_read;
}

static void add_store_or_error(struct answer *answer, const struct record_text *id) {
    char message[MESSAGE_SIZE];
    if (!add_store(answer, id, message)) {
        add_error(answer, message);
    }
}

/* Copies the records of the buffer, all or those with an id. */
static bool copy_buffer(struct answer *answer, const struct record_text *id) {
    if (record_buffer_copy(answer->source->buffer, id, &answer->buffered) != 0) {
        add_error(answer, "no memory");
        return false;
    }
    return true;
}

static void answer_any(struct answer *answer) {
    if (!copy_buffer(answer, NULL)) {
        return;
    }
    if (answer->buffered.count > 0) {
        add_buffered(answer, NULL);
    } else {
        add_store_or_error(answer, NULL);
    }
}

/* In the order in which a record moves: one that leaves the buffer meanwhile is in the store. */
static void answer_id(struct answer *answer, const struct record_text *id) {
    if (!copy_buffer(answer, id)) {
        return;
    }
    add_buffered(answer, NULL);
    if (answer->record_count == 0) {
        add_store_or_error(answer, id);
    }
}

/* Here a store that cannot be read is no error: the buffer may have the answer. */
static void answer_id_or_any(struct answer *answer, const struct record_text *id) {
    char message[MESSAGE_SIZE];
    if (!copy_buffer(answer, id)) {
        return;
    }
    add_buffered(answer, NULL);
    if (answer->record_count > 0) {
        return;
    }
    bool is_read = add_store(answer, id, message);
    if (answer->record_count == 0) {
        buffered_records_destroy(&answer->buffered);
        answer_any(answer);
    } else if (!is_read) {
        add_error(answer, message);
    }
}

/* The writers are held for a moment only: what may take longer comes before and after it. */
static void answer_all(struct answer *answer) {
    char message[MESSAGE_SIZE];
    struct store_reader *reader = answer->source->reader;
    if (store_reader_connect(reader, message) != STORE_OK) {
        add_error(answer, message);
        return;
    }
    record_gate_hold(answer->source->gate);
    bool is_copied = copy_buffer(answer, NULL);
    bool is_begun = is_copied && store_reader_begin(reader, NULL, message) == STORE_OK;
    record_gate_release(answer->source->gate);
    if (is_begun) {
        bool is_read = add_stored(answer, reader, message);
        add_buffered(answer, reader);
        if (!is_read) {
            add_error(answer, message);
        }
    } else if (is_copied) {
        add_error(answer, message);
    }
    if (is_copied) {
        store_reader_end(reader);
    }
}

bool query_answer(const struct query_source *source, const struct query *query,
                  const struct query_sink *sink) {
    struct answer answer = {.source = source, .sink = sink, .is_wanted = true};
    switch (query->kind) {
    case QUERY_ANY:
        answer_any(&answer);
        break;
    case QUERY_ALL:
        answer_all(&answer);
        break;
    case QUERY_ID:
        answer_id(&answer, &query->id);
        break;
    case QUERY_ID_OR_ANY:
        answer_id_or_any(&answer, &query->id);
        break;
    }
    flush(&answer);
    buffered_records_destroy(&answer.buffered);
    free(answer.lines);
    return answer.is_wanted;
}
