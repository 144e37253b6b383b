/*
 * Memory between two pages that must not be touched: a read or write one byte too far, in front or
 * behind, ends the test with SIGSEGV instead of passing by luck.
 *
 * Ownership: guard_buffer_open maps the pages, guard_buffer_close unmaps them.
 * Threading: none of its own. For tests only; usable from C and C++.
 */
#ifndef TESTING_GUARD_BUFFER_H_
#define TESTING_GUARD_BUFFER_H_

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard_buffer {
    char *bytes;     /* the first byte that may be used; a multiple of the page size */
    size_t capacity; /* bytes that may be used; a multiple of the page size */
};

/* Maps at least size bytes and a guard page on either side. Returns 0, or -1 with errno set. */
static inline int guard_buffer_open(struct guard_buffer *buffer, size_t size) {
    const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    const size_t capacity = (size + page_size) / page_size * page_size;
    void *pages =
        mmap(NULL, capacity + 2 * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return -1;
    }
    buffer->bytes = (char *)pages + page_size;
    buffer->capacity = capacity;
    return mprotect(buffer->bytes, capacity, PROT_READ | PROT_WRITE);
}

/* The last size bytes, size <= capacity: they end where the guard page begins. */
static inline char *guard_buffer_tail(const struct guard_buffer *buffer, size_t size) {
    return buffer->bytes + (buffer->capacity - size);
}

static inline void guard_buffer_close(struct guard_buffer *buffer) {
    const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    (void)munmap(buffer->bytes - page_size, buffer->capacity + 2 * page_size);
    buffer->bytes = NULL;
    buffer->capacity = 0;
}

#endif /* TESTING_GUARD_BUFFER_H_ */
