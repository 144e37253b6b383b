/*
 * The messages of the station's services, as protocol buffers (protos/ has their definitions).
 *
 * Decoding keeps the last value of a field that comes twice, skips what it does not know, and
 * leaves numbers as wide as they came, so that the caller can refuse what is too large instead of
 * serving something else. Encoding is what protoc makes of the same values.
 *
 * Ownership: decoded texts refer to the caller's bytes; they are hostile until they are judged.
 * Threading: pure functions.
 */
#ifndef SERVER_STATION_CODEC_H_
#define SERVER_STATION_CODEC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/station/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

/* numbers.NumbersRequest, station.v1.StartRequest and station.v1.ResumeRequest, which have the same
 * form: an id (1), and the count or the first index (2). */
struct codec_sequence_request {
    struct wire_bytes client_id;
    uint64_t argument; /* 0 where it was left out */
};

/* False: the bytes are no such message. */
bool codec_decode_sequence_request(struct wire_bytes message,
                                   struct codec_sequence_request *request);

/* grpc.health.v1.HealthCheckRequest: the service's name. */
bool codec_decode_health_request(struct wire_bytes message, struct wire_bytes *service);

enum codec_question {
    CODEC_QUESTION_NONE,
    CODEC_QUESTION_FILE = 3,              /* of this name */
    CODEC_QUESTION_FILE_OF_SYMBOL = 4,    /* that defines this service, method or type */
    CODEC_QUESTION_FILE_OF_EXTENSION = 5, /* of the type `text` */
    CODEC_QUESTION_EXTENSIONS = 6,        /* the numbers of this type's extensions */
    CODEC_QUESTION_SERVICES = 7,          /* their names */
};

/* grpc.reflection.v1.ServerReflectionRequest, and v1alpha's, which is the same. */
struct codec_reflection_request {
    struct wire_bytes host;
    enum codec_question question;
    struct wire_bytes text;
};

bool codec_decode_reflection_request(struct wire_bytes message,
                                     struct codec_reflection_request *request);

enum {
    /* Three fields of a byte's tag and a varint of 32 bits. */
    CODEC_NUMBER_SIZE_MAX = 3 * (1 + WIRE_VARINT32_SIZE_MAX),
    CODEC_HEALTH_SIZE_MAX = 2,
};

/* A number of a sequence on its way. */
struct codec_number {
    uint32_t index;
    uint32_t number;
    bool has_checksum;
    uint32_t checksum;
};

/* These write the message to `room`, of at least the size given, and return how long it is.
 * numbers.NumbersResponse; station.v1.Number; grpc.health.v1.HealthCheckResponse. */
size_t codec_encode_numbers_response(const struct codec_number *number,
                                     uint8_t room[CODEC_NUMBER_SIZE_MAX]);
size_t codec_encode_station_number(const struct codec_number *number,
                                   uint8_t room[CODEC_NUMBER_SIZE_MAX]);

enum codec_health {
    CODEC_HEALTH_UNKNOWN = 0,
    CODEC_HEALTH_SERVING = 1,
    CODEC_HEALTH_NOT_SERVING = 2,
    CODEC_HEALTH_SERVICE_UNKNOWN = 3,
};

size_t codec_encode_health_response(enum codec_health health, uint8_t room[CODEC_HEALTH_SIZE_MAX]);

/* For the client: station.v1.StartRequest and ResumeRequest out, station.v1.Number in. The id has
 * at most CODEC_CLIENT_ID_SIZE_MAX bytes. */
enum {
    CODEC_CLIENT_ID_SIZE_MAX = 64,
    CODEC_REQUEST_SIZE_MAX = 2 + CODEC_CLIENT_ID_SIZE_MAX + 1 + WIRE_VARINT32_SIZE_MAX,
};
size_t codec_encode_sequence_request(const char *client_id, uint32_t argument,
                                     uint8_t room[CODEC_REQUEST_SIZE_MAX]);
bool codec_decode_station_number(struct wire_bytes message, struct codec_number *number);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_STATION_CODEC_H_ */
