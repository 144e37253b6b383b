#include "server/records/json/message.h"

#include <stdarg.h>
#include <stdio.h>

void message_format(char message[MESSAGE_SIZE], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(message, MESSAGE_SIZE, format, arguments) < 0) {
        message[0] = '\0';
    }
    va_end(arguments);
    for (char *at = message; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~') {
            *at = '?';
        }
    }
}
