/*
 * The common record, without a JSON tree: three members, texts without escapes.
 *
 * What it accepts, record_object.h accepts with the same result; whatever it is not sure of it
 * leaves to that. The tests and the fuzzer compare the two.
 */

#ifndef SERVER_RECORDS_JSON_RECORD_SHORTCUT_H_
#define SERVER_RECORDS_JSON_RECORD_SHORTCUT_H_

#include <stddef.h>

#include "server/records/json/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Tries to read the record at the front of `data[0..size)`, which begins with '{'.
 *
 * Returns its size in bytes and sets `record`, whose texts point into `data` and have nothing in
 * them that a line of JSON escapes; or returns 0 when the record is not plain, not good or not
 * complete. */
size_t record_shortcut_parse(const char *data, size_t size, struct record *record);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_JSON_RECORD_SHORTCUT_H_ */
