#include "server/station/reflection.h"

#include <string.h>

#include "server/station/codec.h"
#include "server/station/descriptors.h"
#include "server/station/status.h"

/* Numbers of fields in google/protobuf/descriptor.proto, */
enum {
    SET_FILE = 1,
    FILE_NAME = 1,
    FILE_PACKAGE = 2,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    ELEMENT_NAME = 1, /* of a message, an enum, a service, a method */
    SERVICE_METHOD = 2,
    MESSAGE_NESTED = 3,
    MESSAGE_ENUM = 4,
};

/* and of the answer. */
enum {
    ANSWER_HOST = 1,
    ANSWER_QUESTION = 2,
    ANSWER_FILES = 4,
    ANSWER_EXTENSIONS = 5,
    ANSWER_SERVICES = 6,
    ANSWER_ERROR = 7,
    FILES_FILE = 1,
    EXTENSIONS_TYPE = 1,
    SERVICES_SERVICE = 1,
    SERVICE_NAME = 1,
    ERROR_CODE = 1,
    ERROR_TEXT = 2,
};

/* The fields whose elements have names below that of their parent; 0 ends a list. */
static const uint32_t file_children[] = {FILE_MESSAGE, FILE_ENUM, FILE_SERVICE, 0};
static const uint32_t service_children[] = {SERVICE_METHOD, 0};
static const uint32_t message_children[] = {MESSAGE_NESTED, MESSAGE_ENUM, 0};
static const uint32_t no_children[] = {0};

static struct wire_bytes find_bytes(struct wire_bytes message, uint32_t number) {
    struct wire_reader reader = wire_read(message);
    struct wire_field field;
    while (wire_next_field(&reader, &field)) {
        if (field.number == number && field.type == WIRE_BYTES) {
            return field.bytes;
        }
    }
    return (struct wire_bytes){0};
}

static bool equals(struct wire_bytes left, struct wire_bytes right) {
    return left.size == right.size && memcmp(left.bytes, right.bytes, left.size) == 0;
}

/* Takes "<name>." off the beginning of a symbol, if it is there. */
static bool strip_name(struct wire_bytes *symbol, struct wire_bytes name) {
    if (symbol->size <= name.size || symbol->bytes[name.size] != '.' ||
        memcmp(symbol->bytes, name.bytes, name.size) != 0) {
        return false;
    }
    symbol->bytes += name.size + 1;
    symbol->size -= name.size + 1;
    return true;
}

static const uint32_t *children_of(uint32_t number, const uint32_t *parent_children) {
    if (parent_children == file_children && number == FILE_SERVICE) {
        return service_children;
    }
    bool is_message = (parent_children == file_children && number == FILE_MESSAGE) ||
                      (parent_children == message_children && number == MESSAGE_NESTED);
    return is_message ? message_children : no_children;
}

static bool contains(const uint32_t *numbers, uint32_t number) {
    while (*numbers != 0 && *numbers != number) {
        numbers++;
    }
    return *numbers != 0;
}

/* Whether an element, or one below it, has the name `symbol`. A symbol gets shorter with each level
 * down, so this ends, and our files are two levels deep. */
static bool defines(struct wire_bytes element, const uint32_t *children, struct wire_bytes symbol) {
    struct wire_reader reader = wire_read(element);
    struct wire_field field;
    while (wire_next_field(&reader, &field)) {
        if (field.type != WIRE_BYTES || !contains(children, field.number)) {
            continue;
        }
        struct wire_bytes name = find_bytes(field.bytes, ELEMENT_NAME);
        struct wire_bytes rest = symbol;
        if (equals(name, symbol) ||
            (strip_name(&rest, name) &&
             defines(field.bytes, children_of(field.number, children), rest))) {
            return true;
        }
    }
    return false;
}

static bool file_defines(struct wire_bytes file, struct wire_bytes symbol) {
    return strip_name(&symbol, find_bytes(file, FILE_PACKAGE)) &&
           defines(file, file_children, symbol);
}

static bool file_is_named(struct wire_bytes file, struct wire_bytes name) {
    return equals(find_bytes(file, FILE_NAME), name);
}

/* The descriptor of the file that `matches` the text; false if there is none. */
static bool find_file(bool (*matches)(struct wire_bytes file, struct wire_bytes text),
                      struct wire_bytes text, struct wire_bytes *file) {
    struct wire_reader reader = wire_read(descriptors_set());
    struct wire_field field;
    while (text.size > 0 && wire_next_field(&reader, &field)) {
        if (field.number == SET_FILE && matches(field.bytes, text)) {
            *file = field.bytes;
            return true;
        }
    }
    return false;
}

static void write_error(struct wire_writer *writer, enum status status, const char *text) {
    size_t text_size = strlen(text);
    size_t size = 1 + wire_varint_size(status) + 1 + wire_varint_size(text_size) + text_size;
    wire_write_bytes_head(writer, ANSWER_ERROR, size);
    wire_write_varint_field(writer, ERROR_CODE, status);
    wire_write_bytes_field(writer, ERROR_TEXT,
                           (struct wire_bytes){(const uint8_t *)text, text_size});
}

static void write_file(struct wire_writer *writer, struct wire_bytes file) {
    wire_write_bytes_head(writer, ANSWER_FILES, 1 + wire_varint_size(file.size) + file.size);
    wire_write_bytes_field(writer, FILES_FILE, file);
}

static void write_no_extensions(struct wire_writer *writer, struct wire_bytes type) {
    wire_write_bytes_head(writer, ANSWER_EXTENSIONS, 1 + wire_varint_size(type.size) + type.size);
    wire_write_bytes_field(writer, EXTENSIONS_TYPE, type);
}

/* The size that "<package>.<service>" takes as a ServiceResponse in a list of them. */
static size_t service_name_size(struct wire_bytes package, struct wire_bytes service) {
    return package.size + 1 + service.size;
}

/* Writes the services of a file, or only counts their bytes where `writer` is NULL. */
static size_t write_services_of_file(struct wire_writer *writer, struct wire_bytes file) {
    struct wire_bytes package = find_bytes(file, FILE_PACKAGE);
    struct wire_reader reader = wire_read(file);
    struct wire_field field;
    size_t total = 0;
    while (wire_next_field(&reader, &field)) {
        if (field.number != FILE_SERVICE) {
            continue;
        }
        uint8_t text[LIMIT_PATH_SIZE];
        struct wire_bytes service = find_bytes(field.bytes, ELEMENT_NAME);
        struct wire_bytes name = {text, service_name_size(package, service)};
        size_t size = 1 + wire_varint_size(name.size) + name.size;
        total += 1 + wire_varint_size(size) + size;
        if (writer != NULL) {
            memcpy(text, package.bytes, package.size);
            text[package.size] = '.';
            memcpy(text + package.size + 1, service.bytes, service.size);
            wire_write_bytes_head(writer, SERVICES_SERVICE, size);
            wire_write_bytes_field(writer, SERVICE_NAME, name);
        }
    }
    return total;
}

static size_t write_services_of_all(struct wire_writer *writer) {
    struct wire_reader reader = wire_read(descriptors_set());
    struct wire_field field;
    size_t total = 0;
    while (wire_next_field(&reader, &field)) {
        total += write_services_of_file(writer, field.bytes);
    }
    return total;
}

static void write_answer(struct wire_writer *writer,
                         const struct codec_reflection_request *request) {
    struct wire_bytes file;
    switch (request->question) {
    case CODEC_QUESTION_FILE:
        if (find_file(file_is_named, request->text, &file)) {
            write_file(writer, file);
            return;
        }
        break;
    case CODEC_QUESTION_FILE_OF_SYMBOL:
        if (find_file(file_defines, request->text, &file)) {
            write_file(writer, file);
            return;
        }
        break;
    case CODEC_QUESTION_EXTENSIONS:
        if (find_file(file_defines, request->text, &file)) {
            write_no_extensions(writer, request->text);
            return;
        }
        break;
    case CODEC_QUESTION_SERVICES:
        wire_write_bytes_head(writer, ANSWER_SERVICES, write_services_of_all(NULL));
        (void)write_services_of_all(writer);
        return;
    case CODEC_QUESTION_FILE_OF_EXTENSION:
        break; /* there are no extensions */
    case CODEC_QUESTION_NONE:
        write_error(writer, STATUS_INVALID_ARGUMENT, "no question");
        return;
    }
    write_error(writer, STATUS_NOT_FOUND, "not found");
}

bool reflection_answer(struct wire_bytes question, uint8_t answer[REFLECTION_ANSWER_SIZE_MAX],
                       size_t *answer_size) {
    struct codec_reflection_request request;
    if (!codec_decode_reflection_request(question, &request)) {
        return false;
    }
    struct wire_writer writer = {.room = answer, .room_size = REFLECTION_ANSWER_SIZE_MAX};
    if (request.host.size > 0) {
        wire_write_bytes_field(&writer, ANSWER_HOST, request.host);
    }
    wire_write_bytes_field(&writer, ANSWER_QUESTION, question);
    write_answer(&writer, &request);
    *answer_size = writer.size;
    return true;
}
