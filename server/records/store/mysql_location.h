/*
 * Reads the location of a MySQL store. Pure.
 *
 *     USER@HOST[:PORT][,HOST[:PORT]...]/DATABASE[?OPTION[&OPTION]]
 *     USER@/DATABASE?socket=PATH[&OPTION]
 *
 * Options: ssl-ca=PATH (TLS, and the certificates that the server's has to be signed by),
 * ssl-mode=required (TLS with whatever certificate), socket=PATH (a Unix socket). %40 and the like
 * stand for the byte they name, everywhere but in HOST.
 *
 * Ownership: the texts belong to the location. Threading: none inside.
 */
#ifndef SERVER_RECORDS_STORE_MYSQL_LOCATION_H_
#define SERVER_RECORDS_STORE_MYSQL_LOCATION_H_

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { MYSQL_DEFAULT_PORT = 3306, MYSQL_HOSTS_MAX = 16 };

struct mysql_host {
    const char *name; /* an IPv6 address comes in brackets and is kept without; NULL: a socket */
    unsigned port;
};

struct mysql_location {
    char *text; /* holds the others */
    const char *user;
    struct mysql_host hosts[MYSQL_HOSTS_MAX]; /* nodes of one cluster, any of which will do */
    size_t host_count;                        /* 1 at least */
    const char *database;
    const char *socket; /* or NULL */
    const char *ssl_ca; /* or NULL */
    bool requires_tls;
};

/* False: it is none, has a password in it, which does not belong there, or there is no memory;
 * `message` says which. */
bool mysql_location_parse(struct mysql_location *location, const char *text, char *message);
void mysql_location_destroy(struct mysql_location *location);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RECORDS_STORE_MYSQL_LOCATION_H_ */
