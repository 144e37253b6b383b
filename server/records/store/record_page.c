#include "server/records/store/record_page.h"

#include <stdlib.h>
#include <string.h>

void record_page_clear(struct record_page *page) {
    page->size = 0;
    page->count = 0;
}

void record_page_destroy(struct record_page *page) {
    free(page->texts);
    *page = (struct record_page){0};
}

bool record_page_is_full(const struct record_page *page) {
    return page->count == RECORD_PAGE_COUNT_MAX || page->size >= RECORD_PAGE_SIZE_FULL;
}

static bool reserve(struct record_page *page, size_t size) {
    if (page->capacity - page->size >= size) {
        return true;
    }
    size_t capacity = page->size + size + RECORD_PAGE_SIZE_FULL;
    char *texts = realloc(page->texts, capacity);
    if (texts == NULL) {
        return false;
    }
    page->texts = texts;
    page->capacity = capacity;
    return true;
}

static void append(struct record_page *page, struct record_text text) {
    if (text.size > 0) {
        memcpy(page->texts + page->size, text.bytes, text.size);
    }
    page->size += text.size;
}

bool record_page_add(struct record_page *page, const struct record *record) {
    if (!reserve(page, record->id.size + record->name.size + record->age.size)) {
        return false;
    }
    page->rows[page->count++] = (struct record_page_row){.offset = page->size,
                                                         .id_size = record->id.size,
                                                         .name_size = record->name.size,
                                                         .age_size = record->age.size};
    append(page, record->id);
    append(page, record->name);
    append(page, record->age);
    return true;
}

struct record record_page_get(const struct record_page *page, size_t index) {
    const struct record_page_row *row = &page->rows[index];
    const char *id = page->texts + row->offset;
    const char *name = id + row->id_size;
    const char *age = name + row->name_size;
    return (struct record){
        .id = {id, row->id_size}, .name = {name, row->name_size}, .age = {age, row->age_size}};
}
