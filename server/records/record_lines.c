#include "server/records/record_lines.h"

#include <string.h>

#include "server/records/record_json.h"

static size_t plain_line_size(size_t texts_size) {
    return sizeof RECORD_JSON_BEFORE_ID RECORD_JSON_BEFORE_NAME RECORD_JSON_BEFORE_AGE
               RECORD_JSON_END -
           1 + texts_size;
}

static size_t texts_size_of(const struct record *record) {
    return record->id.size + record->name.size + record->age.size;
}

struct record record_line_read(const struct record_line *line) {
    size_t texts_size = (size_t)line->id_size + line->name_size + line->age_size;
    bool is_escaped = line->size != plain_line_size(texts_size);
    const char *id = line->bytes + (is_escaped ? line->size : sizeof RECORD_JSON_BEFORE_ID - 1);
    const char *name = id + line->id_size + (is_escaped ? 0 : sizeof RECORD_JSON_BEFORE_NAME - 1);
    const char *age = name + line->name_size + (is_escaped ? 0 : sizeof RECORD_JSON_BEFORE_AGE - 1);
    return (struct record){
        .id = {id, line->id_size}, .name = {name, line->name_size}, .age = {age, line->age_size}};
}

size_t record_lines_size_of(const struct record *record) {
    size_t line_size = record_json_size(record);
    size_t texts_size = texts_size_of(record);
    return line_size + (line_size == plain_line_size(texts_size) ? 0 : texts_size);
}

static bool has_room(const struct record_lines *lines, size_t size) {
    return lines->count < lines->line_capacity && lines->capacity - lines->size >= size;
}

static char *write_bytes(char *at, const char *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

static char *write_text(char *at, struct record_text text) {
    return write_bytes(at, text.bytes, text.size);
}

/* Counts a line that has been written behind the others, and its texts if they follow it. */
static void add(struct record_lines *lines, const struct record *record, size_t line_size,
                size_t size) {
    lines->lines[lines->count] = (struct record_line){
        .bytes = lines->bytes + lines->size,
        .size = (uint32_t)line_size,
        .id_size = (uint32_t)record->id.size,
        .name_size = (uint32_t)record->name.size,
        .age_size = (uint32_t)record->age.size,
    };
    lines->count++;
    lines->size += size;
}

bool record_lines_append(struct record_lines *lines, const struct record *record) {
    size_t size = record_lines_size_of(record);
    if (!has_room(lines, size)) {
        return false;
    }
    char *line = lines->bytes + lines->size;
    size_t line_size = record_json_format(record, line);
    if (line_size < size) {
        char *at = write_text(line + line_size, record->id);
        at = write_text(at, record->name);
        (void)write_text(at, record->age);
    }
    add(lines, record, line_size, size);
    return true;
}

bool record_lines_append_plain(struct record_lines *lines, const struct record *record) {
    size_t size = plain_line_size(texts_size_of(record));
    if (!has_room(lines, size)) {
        return false;
    }
    char *at = lines->bytes + lines->size;
    at = write_bytes(at, RECORD_JSON_BEFORE_ID, sizeof RECORD_JSON_BEFORE_ID - 1);
    at = write_text(at, record->id);
    at = write_bytes(at, RECORD_JSON_BEFORE_NAME, sizeof RECORD_JSON_BEFORE_NAME - 1);
    at = write_text(at, record->name);
    at = write_bytes(at, RECORD_JSON_BEFORE_AGE, sizeof RECORD_JSON_BEFORE_AGE - 1);
    at = write_text(at, record->age);
    (void)write_bytes(at, RECORD_JSON_END, sizeof RECORD_JSON_END - 1);
    add(lines, record, size, size);
    return true;
}
