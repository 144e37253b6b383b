/*
 * Resuming from a damaged log, against a plain account of what the file holds.
 *
 * Input: a byte N, how much a read gives at most (0: all there is); the file. A log must be loaded,
 * number for number, and lose a torn last line and the NULs behind it; any other file must be
 * refused with its first wrong line named, and left alone. What was loaded must load once more, to
 * the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz_target.h"
#include "server/numbers/limits.h"
#include "server/numbers/log_loader.h"
#include "server/runtime/logger.h"
#include "server/runtime/os_faulty.h"

enum { MESSAGES_CAPACITY = 1024, PATH_CAPACITY = 64 };

static const char not_nine_digits[] = "is not nine digits";
static const char there_before[] = "has a number that was there before";

/* What must come of loading the file. */
struct account {
    const char *fault; /* NULL: it is a log */
    size_t line_count; /* whole lines; before the fault, if there is one */
    bool is_torn;
};

/* Made once: to map and unmap all of it takes longer than to load most files. */
static struct fixture {
    int file_fd;
    int messages_fd;
    char path[PATH_CAPACITY];
    struct logger logger;
    struct line_parser parser;
    void *map_memory;
    uint8_t *seen; /* a byte for each number, for the account */
} fixture;

static void check(bool is_true, const char *what) {
    if (!is_true) {
        (void)fprintf(stderr, "log resume: %s\n", what);
        abort();
    }
}

/* Zeroed memory of which little is used, in small pages: what is not used is never there. */
static void *reserve(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(memory != MAP_FAILED, "out of memory");
    (void)madvise(memory, size, MADV_NOHUGEPAGE);
    return memory;
}

static void set_up(void) {
    if (fixture.map_memory != NULL) {
        return;
    }
    fixture.file_fd = memfd_create("log", MFD_CLOEXEC);
    fixture.messages_fd = memfd_create("messages", MFD_CLOEXEC);
    check(fixture.file_fd >= 0 && fixture.messages_fd >= 0, "memfd_create");
    (void)snprintf(fixture.path, sizeof fixture.path, "/proc/self/fd/%d", fixture.file_fd);
    fixture.logger = (struct logger){.lowest = LOG_LEVEL_DEBUG, .fd = fixture.messages_fd};
    check(line_parser_select(&fixture.parser, NULL) == LINE_PARSER_SELECTED, "no kernel");
    fixture.map_memory = reserve(dedup_map_size());
    fixture.seen = reserve(DEDUP_NUMBER_COUNT);
}

static bool are_digits(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < '0' || bytes[i] > '9') {
            return false;
        }
    }
    return true;
}

static uint32_t number_at(const uint8_t *line) {
    uint32_t number = 0;
    for (size_t i = 0; i < LINE_SIZE - 1; i++) {
        number = number * 10 + (uint32_t)(line[i] - '0');
    }
    return number;
}

/* The beginning of a line, then NULs, to the end of the file. */
static bool is_torn_tail(const uint8_t *bytes, size_t size) {
    size_t digit_count = 0;
    while (digit_count < size && digit_count < LINE_SIZE - 1 &&
           are_digits(bytes + digit_count, 1)) {
        digit_count++;
    }
    for (size_t i = digit_count; i < size; i++) {
        if (bytes[i] != '\0') {
            return false;
        }
    }
    return true;
}

/* One line after the other; the first fault counts. */
static struct account account_for(const uint8_t *bytes, size_t size) {
    struct account account = {0};
    for (size_t offset = 0; offset < size && account.fault == NULL; offset += LINE_SIZE) {
        const uint8_t *line = bytes + offset;
        bool is_line = size - offset >= LINE_SIZE && are_digits(line, LINE_SIZE - 1) &&
                       line[LINE_SIZE - 1] == '\n';
        if (!is_line) {
            account.is_torn = is_torn_tail(line, size - offset);
            account.fault = account.is_torn ? NULL : not_nine_digits;
            break;
        } else if (fixture.seen[number_at(line)]++ > 0) {
            account.fault = there_before;
        } else {
            account.line_count++;
        }
    }
    for (size_t i = 0; i < account.line_count; i++) {
        fixture.seen[number_at(bytes + i * LINE_SIZE)] = 0;
    }
    return account;
}

/* Loads the file into an empty map, and keeps what was said. */
static enum log_file_status load(struct dedup_map *map, char *messages) {
    struct log_file log;
    check(madvise(fixture.map_memory, dedup_map_size(), MADV_DONTNEED) == 0, "madvise");
    dedup_map_init(map, fixture.map_memory);
    check(ftruncate(fixture.messages_fd, 0) == 0 && lseek(fixture.messages_fd, 0, SEEK_SET) == 0,
          "messages");
    check(log_file_open(&log, fixture.path, &fixture.logger) == LOG_FILE_OK, "open");
    const struct log_loader_configuration configuration = {.log = &log,
                                                           .map = map,
                                                           .parser = &fixture.parser,
                                                           .stop_fd = -1,
                                                           .logger = &fixture.logger};
    off_t kept_size;
    enum log_file_status status = log_loader_load(&configuration, &kept_size);
    if (status == LOG_FILE_OK) {
        status = log_file_cut(&log, kept_size, &fixture.logger);
    }
    log_file_close(&log);
    ssize_t size = pread(fixture.messages_fd, messages, MESSAGES_CAPACITY - 1, 0);
    check(size >= 0, "messages");
    messages[size] = '\0';
    return status;
}

/* Whether the file is bytes[0, size). */
static bool file_is(const uint8_t *bytes, size_t size) {
    uint8_t *content = malloc(size + 1); /* one more, to see that there is none */
    check(content != NULL, "out of memory");
    bool is_same = pread(fixture.file_fd, content, size + 1, 0) == (ssize_t)size &&
                   memcmp(content, bytes, size) == 0;
    free(content);
    return is_same;
}

static void check_refusal(const struct account *account, const char *messages) {
    char expected[MESSAGES_CAPACITY];
    (void)snprintf(expected, sizeof expected, " line %zu, at byte %zu, %s; the file was left alone",
                   account->line_count + 1, account->line_count * LINE_SIZE, account->fault);
    check(strstr(messages, expected) != NULL, "another line or reason was named");
}

static void check_loaded(const struct account *account, const struct dedup_map *map,
                         const uint8_t *bytes, const char *messages) {
    char expected[MESSAGES_CAPACITY];
    (void)snprintf(expected, sizeof expected, " with %zu number%s\n", account->line_count,
                   account->line_count == 1 ? "" : "s");
    check(strstr(messages, expected) != NULL, "count");
    check((strstr(messages, " is cut off: ") != NULL) == account->is_torn, "torn line");
    for (size_t i = 0; i < account->line_count; i++) {
        check(dedup_map_contains(map, number_at(bytes + i * LINE_SIZE)), "a number is missing");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    set_up();
    const uint8_t *bytes = data + 1;
    size_t file_size = size - 1;
    char plan[PATH_CAPACITY] = "";
    if (data[0] > 0) {
        (void)snprintf(plan, sizeof plan, "pread:*:short=%d", data[0]);
    }
    check(os_faulty_plan(plan), "plan");
    check(ftruncate(fixture.file_fd, 0) == 0 &&
              pwrite(fixture.file_fd, bytes, file_size, 0) == (ssize_t)file_size,
          "write the file");

    struct account account = account_for(bytes, file_size);
    struct dedup_map map;
    char messages[MESSAGES_CAPACITY];
    enum log_file_status status = load(&map, messages);
    check((status == LOG_FILE_OK) == (account.fault == NULL), "status");
    if (account.fault != NULL) {
        check_refusal(&account, messages);
        check(file_is(bytes, file_size), "a refused file was changed");
        return 0;
    }
    check_loaded(&account, &map, bytes, messages);
    check(file_is(bytes, account.line_count * LINE_SIZE), "more or less than the torn line went");
    account.is_torn = false;
    check(load(&map, messages) == LOG_FILE_OK, "a loaded log is refused");
    check_loaded(&account, &map, bytes, messages);
    return 0;
}
