/*
 * Lines of explanation, for senders and for the log. They quote bytes of unknown origin, so
 * everything but printable ASCII becomes '?'.
 */

#ifndef SERVER_RECORDS_JSON_MESSAGE_H_
#define SERVER_RECORDS_JSON_MESSAGE_H_

#ifdef __cplusplus
extern "C" {
#endif

/* Room for one, the terminating NUL included. */
enum { MESSAGE_SIZE = 256 };

/* Writes the text that `format` makes to `message`, cut where it is too long. */
__attribute__((format(printf, 2, 3))) void message_format(char message[MESSAGE_SIZE],
                                                          const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_JSON_MESSAGE_H_ */
