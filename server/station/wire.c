#include "server/station/wire.h"

#include <assert.h>
#include <string.h>

struct wire_reader wire_read(struct wire_bytes message) {
    return (struct wire_reader){.next = message.bytes, .left_size = message.size};
}

static void skip(struct wire_reader *reader, size_t size) {
    reader->next += size;
    reader->left_size -= size;
}

static bool read_varint(struct wire_reader *reader, uint64_t *value) {
    *value = 0;
    for (size_t i = 0; i < reader->left_size && i < WIRE_VARINT_SIZE_MAX; i++) {
        uint8_t byte = reader->next[i];
        bool overflows = i == WIRE_VARINT_SIZE_MAX - 1 && byte > 1;
        if (overflows) {
            return false;
        }
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            skip(reader, i + 1);
            return true;
        }
    }
    return false;
}

static bool read_fixed(struct wire_reader *reader, size_t size, uint64_t *value) {
    if (reader->left_size < size) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < size; i++) {
        *value |= (uint64_t)reader->next[i] << (8 * i);
    }
    skip(reader, size);
    return true;
}

static bool read_bytes(struct wire_reader *reader, struct wire_bytes *bytes) {
    uint64_t size;
    if (!read_varint(reader, &size) || size > reader->left_size) {
        return false;
    }
    *bytes = (struct wire_bytes){reader->next, (size_t)size};
    skip(reader, (size_t)size);
    return true;
}

static bool read_tag(struct wire_reader *reader, struct wire_field *field) {
    uint64_t tag;
    if (!read_varint(reader, &tag) || tag > UINT32_MAX || tag >> 3 == 0) {
        return false;
    }
    field->number = (uint32_t)(tag >> 3);
    field->type = (enum wire_type)(tag & 7);
    return true;
}

static bool read_field(struct wire_reader *reader, struct wire_field *field) {
    *field = (struct wire_field){0};
    if (!read_tag(reader, field)) {
        return false;
    }
    switch (field->type) {
    case WIRE_VARINT:
        return read_varint(reader, &field->value);
    case WIRE_FIXED64:
        return read_fixed(reader, 8, &field->value);
    case WIRE_BYTES:
        return read_bytes(reader, &field->bytes);
    case WIRE_FIXED32:
        return read_fixed(reader, 4, &field->value);
    }
    return false; /* a group, or a type that there is not */
}

bool wire_next_field(struct wire_reader *reader, struct wire_field *field) {
    if (reader->left_size == 0 || reader->is_malformed) {
        return false;
    }
    reader->is_malformed = !read_field(reader, field);
    return !reader->is_malformed;
}

static void write_varint(struct wire_writer *writer, uint64_t value) {
    assert(writer->room_size - writer->size >= wire_varint_size(value));
    while (value > 0x7f) {
        writer->room[writer->size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    writer->room[writer->size++] = (uint8_t)value;
}

static void write_tag(struct wire_writer *writer, uint32_t number, enum wire_type type) {
    write_varint(writer, (uint64_t)number << 3 | type);
}

void wire_write_varint_field(struct wire_writer *writer, uint32_t number, uint64_t value) {
    write_tag(writer, number, WIRE_VARINT);
    write_varint(writer, value);
}

void wire_write_bytes_head(struct wire_writer *writer, uint32_t number, size_t size) {
    write_tag(writer, number, WIRE_BYTES);
    write_varint(writer, size);
}

void wire_write_bytes_field(struct wire_writer *writer, uint32_t number, struct wire_bytes bytes) {
    wire_write_bytes_head(writer, number, bytes.size);
    assert(writer->room_size - writer->size >= bytes.size);
    if (bytes.size > 0) {
        memcpy(writer->room + writer->size, bytes.bytes, bytes.size);
    }
    writer->size += bytes.size;
}

size_t wire_varint_size(uint64_t value) {
    size_t size = 1;
    while (value > 0x7f) {
        value >>= 7;
        size++;
    }
    return size;
}
