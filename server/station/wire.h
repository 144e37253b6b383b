/*
 * The wire format of protocol buffers: fields, one after the other, of a message in memory.
 *
 * Reading is strict: a length that leads out of the message, a varint of more than 64 bits, a field
 * number that cannot be, and the groups that nobody has used since 2008 are errors, and nothing
 * after one is read. A field of an unknown number or another type than expected is the caller's to
 * skip, as protocol buffers ask for it. The format is described in
 * https://protobuf.dev/programming-guides/encoding/.
 *
 * Ownership: a reader refers to the caller's bytes; a writer to the caller's room, which is
 * measured beforehand: writing too much is a mistake of the caller's and ends the program.
 * Threading: pure functions.
 */
#ifndef SERVER_STATION_WIRE_H_
#define SERVER_STATION_WIRE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2, /* strings, bytes and messages */
    WIRE_FIXED32 = 5,
};

enum {
    WIRE_VARINT_SIZE_MAX = 10,  /* of 64 bits */
    WIRE_VARINT32_SIZE_MAX = 5, /* of 32 bits */
};

struct wire_bytes {
    const uint8_t *bytes;
    size_t size;
};

struct wire_field {
    uint32_t number; /* 1 to 2^29 - 1 */
    enum wire_type type;
    uint64_t value;          /* WIRE_VARINT, WIRE_FIXED64, WIRE_FIXED32 */
    struct wire_bytes bytes; /* WIRE_BYTES */
};

struct wire_reader {
    const uint8_t *next;
    size_t left_size;
    bool is_malformed;
};

/* Starts to read the message. */
struct wire_reader wire_read(struct wire_bytes message);

/* The next field. False: there is none, because the message is over or is_malformed. */
bool wire_next_field(struct wire_reader *reader, struct wire_field *field);

struct wire_writer {
    uint8_t *room;
    size_t room_size;
    size_t size; /* written */
};

void wire_write_varint_field(struct wire_writer *writer, uint32_t number, uint64_t value);
void wire_write_bytes_field(struct wire_writer *writer, uint32_t number, struct wire_bytes bytes);

/* The beginning of a field of WIRE_BYTES whose `size` bytes are written next. */
void wire_write_bytes_head(struct wire_writer *writer, uint32_t number, size_t size);

/* How many bytes the varint of a value has. */
size_t wire_varint_size(uint64_t value);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_WIRE_H_ */
