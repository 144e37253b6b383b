/*
 * A page of records that were read from a store, with texts of its own.
 *
 * Ownership: the page owns the texts; they are valid until the next clear or add.
 * Threading: one thread.
 */
#ifndef SERVER_RECORDS_STORE_RECORD_PAGE_H_
#define SERVER_RECORDS_STORE_RECORD_PAGE_H_

#include <stdbool.h>
#include <stddef.h>

#include "server/records/json/record.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    RECORD_PAGE_COUNT_MAX = 256,
    RECORD_PAGE_SIZE_FULL = 256 * 1024, /* bytes of texts after which a page counts as full */
};

struct record_page_row {
    size_t offset;
    size_t id_size;
    size_t name_size;
    size_t age_size;
};

struct record_page {
    char *texts;
    size_t size;
    size_t capacity;
    struct record_page_row rows[RECORD_PAGE_COUNT_MAX];
    size_t count;
};

/* A page that is all zero is empty. */
void record_page_clear(struct record_page *page);
void record_page_destroy(struct record_page *page);

bool record_page_is_full(const struct record_page *page);

/* Copies a record in; the page must not be full. False: no memory. */
bool record_page_add(struct record_page *page, const struct record *record);

/* The record at `index`, which is below page->count. */
struct record record_page_get(const struct record_page *page, size_t index);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_RECORD_PAGE_H_ */
