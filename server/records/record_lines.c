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

bool record_lines_append(struct record_lines *lines, const struct record *record) {
    if (lines->count == lines->record_capacity ||
        lines->capacity - lines->size < record_lines_size_of(record)) {
        return false;
    }
    char *line = lines->bytes + lines->size;
    size_t line_size = record_json_format(record, line);
    char *end = line + line_size;
    if (line_size == plain_line_size(record)) {
        lines->records[lines->count] = find_texts(line, record);
    } else {
        lines->records[lines->count].id = copy_text(&end, record->id);
        lines->records[lines->count].name = copy_text(&end, record->name);
        lines->records[lines->count].age = copy_text(&end, record->age);
    }
    lines->lines[lines->count] = (struct record_text){.bytes = line, .size = line_size};
    lines->count++;
    lines->size = (size_t)(end - lines->bytes);
    return true;
}
