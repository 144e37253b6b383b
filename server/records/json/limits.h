/*
 * The limits of a record, with their reasons.
 */
#ifndef SERVER_RECORDS_JSON_LIMITS_H_
#define SERVER_RECORDS_JSON_LIMITS_H_

#include "server/records/json/message.h"

enum {
    /* The longest record that is accepted, from '{' to '}', in bytes. The specification's figure.
     */
    RECORDS_RECORD_SIZE_MAX = 64 * 1024,

    /* How many bytes without a place to go on from are skipped before a connection is given up. */
    RECORDS_SKIP_SIZE_MAX = 16 * RECORDS_RECORD_SIZE_MAX,

    /* What a record may grow by when it is written as a line of our own: spaces and quotes. */
    RECORDS_LINE_OVERHEAD = 64,

    /* An error line at its longest, every character of the message escaped. */
    RECORDS_ERROR_LINE_SIZE_MAX = 2 * MESSAGE_SIZE + 32,
};

#endif /* SERVER_RECORDS_JSON_LIMITS_H_ */
