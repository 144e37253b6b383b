#include "server/records/record_lines.h"

#include <string.h>

#include "server/records/record_json.h"

static size_t plain_line_size(const struct record *record) {
    return sizeof RECORD_JSON_BEFORE_ID RECORD_JSON_BEFORE_NAME RECORD_JSON_BEFORE_AGE
               RECORD_JSON_END -
           1 + record->id.size + record->name.size + record->age.size;
}

size_t record_lines_size_of(const struct record *record) {
    size_t line_size = record_json_size(record);
    bool is_escaped = line_size != plain_line_size(record);
    return line_size + (is_escaped ? record->id.size + record->name.size + record->age.size : 0);
}

static struct record_text copy_text(char **at, struct record_text text) {
    struct record_text copy = {.bytes = *at, .size = text.size};
    memcpy(*at, text.bytes, text.size);
    *at += text.size;
    return copy;
}

/* The texts of a record that stands unescaped in its line. */
static struct record find_texts(const char *line, const struct record *record) {
    const char *id = line + sizeof RECORD_JSON_BEFORE_ID - 1;
    const char *name = id + record->id.size + sizeof RECORD_JSON_BEFORE_NAME - 1;
    const char *age = name + record->name.size + sizeof RECORD_JSON_BEFORE_AGE - 1;
    return (struct record){.id = {id, record->id.size},
                           .name = {name, record->name.size},
                           .age = {age, record->age.size}};
}

static bool has_room(const struct record_lines *lines, size_t size) {
    return lines->count < lines->record_capacity && lines->capacity - lines->size >= size;
}

static void add(struct record_lines *lines, struct record record, size_t line_size, size_t size) {
    char *line = lines->bytes + lines->size;
    lines->records[lines->count] = record;
    lines->lines[lines->count] = (struct record_text){.bytes = line, .size = line_size};
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
    struct record copy;
    if (line_size == size) {
        copy = find_texts(line, record);
    } else {
        char *end = line + line_size;
        copy.id = copy_text(&end, record->id);
        copy.name = copy_text(&end, record->name);
        copy.age = copy_text(&end, record->age);
    }
    add(lines, copy, line_size, size);
    return true;
}

static char *write_bytes(char *at, const char *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

bool record_lines_append_plain(struct record_lines *lines, const struct record *record) {
    size_t size = plain_line_size(record);
    if (!has_room(lines, size)) {
        return false;
    }
    char *line = lines->bytes + lines->size;
    char *at = write_bytes(line, RECORD_JSON_BEFORE_ID, sizeof RECORD_JSON_BEFORE_ID - 1);
    at = write_bytes(at, record->id.bytes, record->id.size);
    at = write_bytes(at, RECORD_JSON_BEFORE_NAME, sizeof RECORD_JSON_BEFORE_NAME - 1);
    at = write_bytes(at, record->name.bytes, record->name.size);
    at = write_bytes(at, RECORD_JSON_BEFORE_AGE, sizeof RECORD_JSON_BEFORE_AGE - 1);
    at = write_bytes(at, record->age.bytes, record->age.size);
    (void)write_bytes(at, RECORD_JSON_END, sizeof RECORD_JSON_END - 1);
    add(lines, find_texts(line, record), size, size);
    return true;
}
