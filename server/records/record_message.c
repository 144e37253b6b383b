#include "server/records/record_message.h"

#include <stdarg.h>
#include <stdio.h>

void record_message_format(char message[RECORDS_MESSAGE_SIZE], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, RECORDS_MESSAGE_SIZE, format, arguments) < 0) {
        message[0] = '\0';
    }
    va_end(arguments);
    for (char *at = message; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~') {
            *at = '?';
        }
    }
}
