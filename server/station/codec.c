#include "server/station/codec.h"

#include <assert.h>
#include <string.h>

bool codec_decode_sequence_request(struct wire_bytes message,
                                   struct codec_sequence_request *request) {
    struct wire_reader reader = wire_read(message);
    struct wire_field field;
    *request = (struct codec_sequence_request){0};
    while (wire_next_field(&reader, &field)) {
        if (field.number == 1 && field.type == WIRE_BYTES) {
            request->client_id = field.bytes;
        } else if (field.number == 2 && field.type == WIRE_VARINT) {
            request->argument = field.value;
        }
    }
    return !reader.is_malformed;
}

bool codec_decode_health_request(struct wire_bytes message, struct wire_bytes *service) {
    struct wire_reader reader = wire_read(message);
    struct wire_field field;
    *service = (struct wire_bytes){0};
    while (wire_next_field(&reader, &field)) {
        if (field.number == 1 && field.type == WIRE_BYTES) {
            *service = field.bytes;
        }
    }
    return !reader.is_malformed;
}

/* The type that an ExtensionRequest names. */
static bool decode_extension_request(struct wire_bytes message, struct wire_bytes *type) {
    struct wire_reader reader = wire_read(message);
    struct wire_field field;
    *type = (struct wire_bytes){0};
    while (wire_next_field(&reader, &field)) {
        if (field.number == 1 && field.type == WIRE_BYTES) {
            *type = field.bytes;
        }
    }
    return !reader.is_malformed;
}

bool codec_decode_reflection_request(struct wire_bytes message,
                                     struct codec_reflection_request *request) {
    struct wire_reader reader = wire_read(message);
    struct wire_field field;
    *request = (struct codec_reflection_request){0};
    while (wire_next_field(&reader, &field)) {
        if (field.type != WIRE_BYTES) {
            continue;
        }
        if (field.number == 1) {
            request->host = field.bytes;
        } else if (field.number >= CODEC_QUESTION_FILE && field.number <= CODEC_QUESTION_SERVICES) {
            request->question = (enum codec_question)field.number;
            request->text = field.bytes;
        }
    }
    if (!reader.is_malformed && request->question == CODEC_QUESTION_FILE_OF_EXTENSION) {
        return decode_extension_request(request->text, &request->text);
    }
    return !reader.is_malformed;
}

/* Proto3 leaves zeros out, but not those of a field that is optional. */
static void write_number(struct wire_writer *writer, uint32_t field_number, uint32_t value) {
    if (value != 0) {
        wire_write_varint_field(writer, field_number, value);
    }
}

size_t codec_encode_numbers_response(const struct codec_number *number,
                                     uint8_t room[CODEC_NUMBER_SIZE_MAX]) {
    struct wire_writer writer = {.room = room, .room_size = CODEC_NUMBER_SIZE_MAX};
    write_number(&writer, 1, number->number);
    if (number->has_checksum) {
        wire_write_varint_field(&writer, 3, number->checksum);
    }
    return writer.size;
}

size_t codec_encode_station_number(const struct codec_number *number,
                                   uint8_t room[CODEC_NUMBER_SIZE_MAX]) {
    struct wire_writer writer = {.room = room, .room_size = CODEC_NUMBER_SIZE_MAX};
    write_number(&writer, 1, number->index);
    write_number(&writer, 2, number->number);
    if (number->has_checksum) {
        wire_write_varint_field(&writer, 3, number->checksum);
    }
    return writer.size;
}

size_t codec_encode_health_response(enum codec_health health, uint8_t room[CODEC_HEALTH_SIZE_MAX]) {
    struct wire_writer writer = {.room = room, .room_size = CODEC_HEALTH_SIZE_MAX};
    write_number(&writer, 1, health);
    return writer.size;
}

size_t codec_encode_sequence_request(const char *client_id, uint32_t argument,
                                     uint8_t room[CODEC_REQUEST_SIZE_MAX]) {
    struct wire_writer writer = {.room = room, .room_size = CODEC_REQUEST_SIZE_MAX};
    size_t size = strlen(client_id);
    assert(size <= CODEC_CLIENT_ID_SIZE_MAX);
    wire_write_bytes_field(&writer, 1, (struct wire_bytes){(const uint8_t *)client_id, size});
    write_number(&writer, 2, argument);
    return writer.size;
}

bool codec_decode_station_number(struct wire_bytes message, struct codec_number *number) {
    struct wire_reader reader = wire_read(message);
    struct wire_field field;
    *number = (struct codec_number){0};
    while (wire_next_field(&reader, &field)) {
        if (field.type != WIRE_VARINT || field.number > 3) {
            continue;
        }
        if (field.value > UINT32_MAX) {
            return false;
        }
        uint32_t value = (uint32_t)field.value;
        if (field.number == 1) {
            number->index = value;
        } else if (field.number == 2) {
            number->number = value;
        } else {
            number->has_checksum = true;
            number->checksum = value;
        }
    }
    return !reader.is_malformed;
}
