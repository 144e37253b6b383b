/*
 * Lines of explanation for a sender. They quote bytes of unknown origin, so everything but
 * printable ASCII becomes '?'.
 */

#ifndef SERVER_RECORDS_RECORD_MESSAGE_H_
#define SERVER_RECORDS_RECORD_MESSAGE_H_

#include "server/records/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the text that `format` makes to `message`, cut where it is too long. */
__attribute__((format(printf, 2, 3))) void record_message_format(char message[RECORDS_MESSAGE_SIZE],
                                                                 const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_RECORD_MESSAGE_H_ */
