#include "bench/numbers/load_source.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers made at a time: they and their lines stay in the first-level cache between the steps. */
enum { BLOCK_COUNT = 1024 };

static void generate_lines(const struct load_generator *generator,
                           const struct number_formatter *formatter, uint32_t position,
                           size_t count, char *lines) {
    uint32_t numbers[BLOCK_COUNT];

    for (size_t done = 0; done < count;) {
        size_t block = count - done < BLOCK_COUNT ? count - done : BLOCK_COUNT;
        load_generator_fill(generator, position + (uint32_t)done, numbers, block);
        number_formatter_format(formatter, numbers, block, lines + done * LOAD_LINE_SIZE);
        done += block;
    }
}

int load_source_open(struct load_source *source, const struct load_source_options *options) {
    assert(options->buffer_size >= LOAD_LINE_SIZE);
    *source = (struct load_source){.options = *options};
    /* Cannot fail without a name: the scalar kernel runs everywhere. */
    (void)number_formatter_select(&source->formatter, NULL);
    if (options->from_fd >= 0) {
        source->carry = malloc(options->buffer_size);
        return source->carry == NULL ? ENOMEM : 0;
    }
    if (options->prepared_count > 0) {
        struct load_generator generator;
        source->prepared =
            malloc((size_t)options->prepared_count * LOAD_LINE_SIZE + NUMBER_FORMATTER_SLACK_SIZE);
        if (source->prepared == NULL) {
            return ENOMEM;
        }
        load_generator_init(&generator, &options->numbers);
        generate_lines(&generator, &source->formatter, 0, options->prepared_count,
                       source->prepared);
    }
    return 0;
}

void load_source_close(struct load_source *source) {
    free(source->prepared);
    free(source->carry);
    source->prepared = NULL;
    source->carry = NULL;
}

/* The first of count items that belongs to share index of share_count equal shares. */
static uint32_t share_start(uint32_t count, uint32_t index, uint32_t share_count) {
    return (uint32_t)((uint64_t)count * index / share_count);
}

int load_cursor_open(struct load_cursor *cursor, const struct load_source *source, uint32_t index) {
    const struct load_source_options *options = &source->options;
    uint32_t start = share_start(options->number_count, index, options->cursor_count);
    uint32_t end = share_start(options->number_count, index + 1, options->cursor_count);
    struct load_generator_options numbers = options->numbers;
    *cursor = (struct load_cursor){.count = end - start};
    cursor->prepared_index = share_start(options->prepared_count, index, options->cursor_count);
    numbers.first_index += start;
    load_generator_init(&cursor->generator, &numbers);
    if (source->prepared != NULL) {
        return 0;
    }
    cursor->buffer = malloc(options->buffer_size + NUMBER_FORMATTER_SLACK_SIZE);
    return cursor->buffer == NULL ? ENOMEM : 0;
}

void load_cursor_close(struct load_cursor *cursor) {
    free(cursor->buffer);
    cursor->buffer = NULL;
}

static uint64_t count_newlines(const char *data, size_t size) {
    uint64_t count = 0;
    for (size_t i = 0; i < size; i++) {
        count += data[i] == '\n';
    }
    return count;
}

/* Keeps the started line at the end of the buffer back for the next chunk, whoever sends that. */
static size_t hold_back_started_line(struct load_source *source, const char *buffer, size_t size) {
    const char *newline = memrchr(buffer, '\n', size);
    size_t whole_size = newline == NULL ? 0 : (size_t)(newline - buffer) + 1;
    if (whole_size == 0 && size == source->options.buffer_size) {
        return size;
    }
    source->carry_size = size - whole_size;
    memcpy(source->carry, buffer + whole_size, source->carry_size);
    return whole_size;
}

/* Gives a last line without a newline one, for which buffers have room: it is a number, too.
 * Returns the bytes added. */
static size_t complete_last_line(struct load_source *source, char *buffer, size_t size) {
    if (size > 0) {
        source->is_in_line = buffer[size - 1] != '\n';
    }
    /* With several cursors the line may be another one's, unless it is here. */
    if (!source->at_end || !source->is_in_line || (size == 0 && source->options.cursor_count > 1)) {
        return 0;
    }
    buffer[size] = '\n';
    return 1;
}

static enum load_source_status next_from_file(struct load_source *source,
                                              struct load_cursor *cursor, size_t line_limit,
                                              struct load_chunk *chunk) {
    const struct load_source_options *options = &source->options;

    while (!source->at_end) {
        struct pollfd readable = {.fd = options->from_fd, .events = POLLIN};
        if (poll(&readable, 1, 0) == 0) {
            return LOAD_SOURCE_WAIT;
        }

        size_t size = source->carry_size;
        size_t room = options->buffer_size - size;
        if (line_limit < room / LOAD_LINE_SIZE) {
            room = line_limit * LOAD_LINE_SIZE;
        }
        ssize_t got = read(options->from_fd, cursor->buffer + size, room);
        if (got < 0) {
            if (errno == EINTR || errno == EAGAIN) {
                continue;
            }
            return LOAD_SOURCE_FAILED;
        }
        memcpy(cursor->buffer, source->carry, size);
        source->carry_size = 0;
        size += (size_t)got;
        source->at_end = got == 0;
        if (!source->at_end && options->cursor_count > 1) {
            size = hold_back_started_line(source, cursor->buffer, size);
        }
        size += complete_last_line(source, cursor->buffer, size);
        if (size > 0) {
            *chunk =
                (struct load_chunk){cursor->buffer, size, count_newlines(cursor->buffer, size)};
            return LOAD_SOURCE_CHUNK;
        }
    }
    return LOAD_SOURCE_END;
}

enum load_source_status load_source_next(struct load_source *source, struct load_cursor *cursor,
                                         size_t line_limit, struct load_chunk *chunk) {
    const struct load_source_options *options = &source->options;
    size_t count = cursor->count - cursor->position;
    assert(line_limit > 0);
    if (options->from_fd >= 0) {
        return next_from_file(source, cursor, line_limit, chunk);
    }
    if (count == 0) {
        return LOAD_SOURCE_END;
    }
    if (count > options->buffer_size / LOAD_LINE_SIZE) {
        count = options->buffer_size / LOAD_LINE_SIZE;
    }
    if (count > line_limit) {
        count = line_limit;
    }

    const char *data = cursor->buffer;
    if (source->prepared != NULL) {
        size_t until_end = options->prepared_count - cursor->prepared_index;
        count = count < until_end ? count : until_end;
        data = source->prepared + (size_t)cursor->prepared_index * LOAD_LINE_SIZE;
        cursor->prepared_index += (uint32_t)count;
        if (cursor->prepared_index == options->prepared_count) {
            cursor->prepared_index = 0;
        }
    } else {
        generate_lines(&cursor->generator, &source->formatter, cursor->position, count,
                       cursor->buffer);
    }
    cursor->position += (uint32_t)count;
    *chunk = (struct load_chunk){data, count * LOAD_LINE_SIZE, count};
    return LOAD_SOURCE_CHUNK;
}
