/*
 * Reads USER@HOST[:PORT]/DATABASE, the location of a MySQL store. Pure.
 *
 * Ownership: the texts belong to the location. Threading: none inside.
 */
#ifndef SERVER_RECORDS_STORE_MYSQL_LOCATION_H_
#define SERVER_RECORDS_STORE_MYSQL_LOCATION_H_

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MYSQL_DEFAULT_PORT = 3306 };

struct mysql_location {
    char *text; /* holds the others */
    const char *user;
    const char *host; /* an IPv6 address comes in brackets and is kept without */
    const char *database;
    unsigned port;
};

/* False: it is none, has a password in it, which does not belong there, or there is no memory;
 * `message` says which. */
bool mysql_location_parse(struct mysql_location *location, const char *text, char *message);
void mysql_location_destroy(struct mysql_location *location);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_MYSQL_LOCATION_H_ */
