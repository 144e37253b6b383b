/* Messages of the station from a hostile client or server: everything that reads one reads it; what
 * is written of what was read is read as the same; an answer of the reflection service fits. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_target.h"
#include "server/station/codec.h"
#include "server/station/reflection.h"
#include "server/station/wire.h"

static void require(bool condition) {
    if (!condition) {
        abort();
    }
}

/* Texts lie within the message. */
static void check_bytes(struct wire_bytes message, struct wire_bytes bytes) {
    require(bytes.size == 0 || (bytes.bytes >= message.bytes &&
                                bytes.bytes + bytes.size <= message.bytes + message.size));
}

static void check_number(struct wire_bytes message) {
    struct codec_number number;
    if (!codec_decode_station_number(message, &number)) {
        return;
    }
    uint8_t room[CODEC_NUMBER_SIZE_MAX];
    struct codec_number again;
    size_t size = codec_encode_station_number(&number, room);
    require(codec_decode_station_number((struct wire_bytes){room, size}, &again));
    require(again.index == number.index && again.number == number.number &&
            again.has_checksum == number.has_checksum && again.checksum == number.checksum);
    require(codec_encode_numbers_response(&number, room) <= sizeof room);
}

static void check_reflection(struct wire_bytes message) {
    static uint8_t answer[REFLECTION_ANSWER_SIZE_MAX];
    struct codec_reflection_request request;
    size_t size = 0;
    bool is_message = codec_decode_reflection_request(message, &request);
    if (is_message) {
        check_bytes(message, request.host);
        check_bytes(message, request.text);
    }
    if (message.size > LIMIT_MESSAGE_SIZE_MAX) {
        return;
    }
    require(reflection_answer(message, answer, &size) == is_message);
    struct wire_reader reader = wire_read((struct wire_bytes){answer, size});
    struct wire_field field;
    while (wire_next_field(&reader, &field)) {
    }
    require(!reader.is_malformed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct wire_bytes message = {data, size};
    struct codec_sequence_request request;
    struct wire_bytes service;
    bool is_message = codec_decode_sequence_request(message, &request);
    if (is_message) {
        check_bytes(message, request.client_id);
    }
    require(codec_decode_health_request(message, &service) == is_message);
    if (is_message) {
        check_bytes(message, service);
    }
    check_number(message);
    check_reflection(message);
    return 0;
}
