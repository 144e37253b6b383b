#include "server/records/json/record_line.h"

#include "server/records/json/text.h"

/* The longest form of one byte: \u001f. */
enum { ESCAPED_SIZE_MAX = 6 };

static const char BEFORE_ID[] = RECORD_LINE_BEGINNING;
static const char BEFORE_NAME[] = "\", \"name\": \"";
static const char BEFORE_AGE[] = "\", \"age\": \"";
static const char END[] = "\"}\n";

enum {
    ID_OFFSET = sizeof BEFORE_ID - 1,
    NAME_OFFSET = sizeof BEFORE_NAME - 1, /* from the end of the text before */
    AGE_OFFSET = sizeof BEFORE_AGE - 1,
    AROUND_SIZE = ID_OFFSET + NAME_OFFSET + AGE_OFFSET + sizeof END - 1,
};

static char *append(char *at, const char *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

/* The letter behind the backslash that JSON has for a byte, or 0. */
static char short_escape(unsigned char byte) {
    static const char ESCAPED[] = "\"\\\n\r\t\b\f";
    static const char LETTERS[] = "\"\\nrtbf";
    const char *at = byte == '\0' ? NULL : strchr(ESCAPED, byte);
    return at == NULL ? '\0' : LETTERS[at - ESCAPED];
}

static char *append_escaped_byte(char *at, unsigned char byte) {
    static const char HEX[] = "0123456789abcdef";
    char letter = short_escape(byte);
    if (letter != '\0') {
        *at++ = '\\';
        *at++ = letter;
        return at;
    }
    at = append(at, "\\u00", 4);
    *at++ = HEX[byte >> 4];
    *at++ = HEX[byte & 0xF];
    return at;
}

static size_t escaped_size(struct record_text text) {
    size_t size = 0;
    size_t index = 0;
    while (index < text.size) {
        size_t plain_size = text_plain_span(text.bytes + index, text.size - index);
        size += plain_size;
        index += plain_size;
        if (index < text.size) {
            unsigned char byte = (unsigned char)text.bytes[index++];
            size += byte >= 0x80 ? 1 : short_escape(byte) != '\0' ? 2 : ESCAPED_SIZE_MAX;
        }
    }
    return size;
}

static char *append_text(char *at, struct record_text text) {
    const char *rest = text.bytes;
    const char *end = text.bytes + text.size;
    while (rest < end) {
        size_t plain_size = text_plain_span(rest, (size_t)(end - rest));
        at = append(at, rest, plain_size);
        rest += plain_size;
        if (rest < end) {
            unsigned char byte = (unsigned char)*rest++;
            if (byte >= 0x80) {
                *at++ = (char)byte; /* a piece of UTF-8 stands for itself */
            } else {
                at = append_escaped_byte(at, byte);
            }
        }
    }
    return at;
}

static size_t texts_size_of(const struct record *record) {
    return record->id.size + record->name.size + record->age.size;
}

size_t record_line_size(const struct record *record) {
    return AROUND_SIZE + escaped_size(record->id) + escaped_size(record->name) +
           escaped_size(record->age);
}

size_t record_line_format(const struct record *record, char *line) {
    char *at = append(line, BEFORE_ID, ID_OFFSET);
    at = append_text(at, record->id);
    at = append(at, BEFORE_NAME, NAME_OFFSET);
    at = append_text(at, record->name);
    at = append(at, BEFORE_AGE, AGE_OFFSET);
    at = append_text(at, record->age);
    at = append(at, END, sizeof END - 1);
    return (size_t)(at - line);
}

size_t record_line_format_error(const char *message, char *line, size_t capacity) {
    static const char PREFIX[] = "{\"error\": ";
    enum { PREFIX_SIZE = sizeof PREFIX - 1 };
    memcpy(line, PREFIX, PREFIX_SIZE);
    return PREFIX_SIZE +
           record_line_format_end(message, line + PREFIX_SIZE, capacity - PREFIX_SIZE);
}

size_t record_line_format_end(const char *message, char *line, size_t capacity) {
    char *at = append(line, "\"", 1);
    const char *end = line + capacity - sizeof END - ESCAPED_SIZE_MAX;
    for (; *message != '\0' && at < end; message++) {
        at = append_text(at, (struct record_text){message, 1});
    }
    at = append(at, END, sizeof END - 1);
    return (size_t)(at - line);
}

struct record record_line_read(const struct record_line *line) {
    size_t texts_size = (size_t)line->id_size + line->name_size + line->age_size;
    bool is_escaped = line->size != AROUND_SIZE + texts_size;
    const char *id = line->bytes + (is_escaped ? line->size : ID_OFFSET);
    const char *name = id + line->id_size + (is_escaped ? 0 : NAME_OFFSET);
    const char *age = name + line->name_size + (is_escaped ? 0 : AGE_OFFSET);
    return (struct record){
        .id = {id, line->id_size}, .name = {name, line->name_size}, .age = {age, line->age_size}};
}

size_t record_lines_size_of(const struct record *record) {
    size_t line_size = record_line_size(record);
    size_t texts_size = texts_size_of(record);
    return line_size + (line_size == AROUND_SIZE + texts_size ? 0 : texts_size);
}

bool record_lines_append(struct record_lines *lines, const struct record *record) {
    size_t size = record_lines_size_of(record);
    if (lines->count == lines->line_capacity || lines->capacity - lines->size < size) {
        return false;
    }
    char *line = lines->bytes + lines->size;
    size_t line_size = record_line_format(record, line);
    if (line_size < size) {
        char *at = append(line + line_size, record->id.bytes, record->id.size);
        at = append(at, record->name.bytes, record->name.size);
        (void)append(at, record->age.bytes, record->age.size);
    }
    lines->lines[lines->count] = (struct record_line){
        .bytes = line,
        .size = (uint32_t)line_size,
        .id_size = (uint32_t)record->id.size,
        .name_size = (uint32_t)record->name.size,
        .age_size = (uint32_t)record->age.size,
    };
    lines->count++;
    lines->size += size;
    return true;
}
