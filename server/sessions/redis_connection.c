#include "server/sessions/redis_connection.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "server/runtime/escape.h"
#include "server/runtime/listener.h"
#include "server/runtime/os.h"
#include "server/sessions/decimal.h"

enum { PORT_TEXT_SIZE = DECIMAL_LENGTH_MAX + 1 };

static bool fail(struct redis_connection *connection, const char *text) {
    (void)escape_bytes(connection->problem, sizeof connection->problem, text, strlen(text));
    redis_connection_close(connection);
    return false;
}

/* The innermost of the errors that OpenSSL has noted, or `otherwise`. */
static const char *describe_tls_error(const char *otherwise) {
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == NULL ? otherwise : reason;
}

static bool fail_tls(struct redis_connection *connection) {
    long verification = SSL_get_verify_result(connection->tls);
    const char *text = verification != X509_V_OK ? X509_verify_cert_error_string(verification)
                                                 : describe_tls_error("TLS failed");
    return fail(connection, text);
}

void redis_connection_close(struct redis_connection *connection) {
    SSL_free(connection->tls);
    connection->tls = NULL;
    if (connection->is_open) {
        (void)os_close(connection->fd);
    }
    connection->is_open = false;
}

/* Waits for `events`. False, and closed: the time is over. */
static bool wait_for(struct redis_connection *connection, short events, int64_t deadline_ms) {
    struct pollfd polled = {.fd = connection->fd, .events = events};
    for (;;) {
        int64_t left_ms = deadline_ms - os_now_ms();
        if (left_ms <= 0) {
            return fail(connection, "it does not answer in time");
        }
        int count = os_poll(&polled, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
        if (count < 0) {
            return fail(connection, strerror(-count));
        }
        if (count > 0) {
            return true;
        }
    }
}

/* What to do after a call of OpenSSL that returned `result`: true to repeat it. */
static bool wait_for_tls(struct redis_connection *connection, int result, int64_t deadline_ms) {
    switch (SSL_get_error(connection->tls, result)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(connection, POLLIN, deadline_ms);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(connection, POLLOUT, deadline_ms);
    case SSL_ERROR_ZERO_RETURN:
        return fail(connection, "connection closed by the server");
    default:
        return fail_tls(connection);
    }
}

static bool connect_socket(struct redis_connection *connection, const struct sockaddr *address,
                           socklen_t size, int64_t deadline_ms) {
    int error = 0;
    socklen_t error_size = sizeof error;
    int fd = os_socket(address->sa_family, SOCK_STREAM, 0);
    if (fd < 0) {
        return fail(connection, strerror(-fd));
    }
    connection->fd = fd;
    connection->is_open = true;
    if (connect(fd, address, size) != 0) {
        if (errno != EINPROGRESS && errno != EINTR) {
            return fail(connection, strerror(errno));
        }
        if (!wait_for(connection, POLLOUT, deadline_ms)) {
            return false;
        }
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) != 0) {
            error = errno;
        }
        if (error != 0) {
            return fail(connection, strerror(error));
        }
    }
    if (address->sa_family != AF_UNIX) {
        listener_tune_connection(fd);
    }
    return true;
}

static bool connect_path(struct redis_connection *connection, const char *path,
                         int64_t deadline_ms) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return fail(connection, "the socket's path is too long");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connect_socket(connection, (const struct sockaddr *)&address, sizeof address,
                          deadline_ms);
}

/* Connects to one of the host's addresses. The name is looked up each time: it may have come to
 * mean another server. */
static bool connect_host(struct redis_connection *connection, const struct redis_address *address,
                         int64_t deadline_ms) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[PORT_TEXT_SIZE];
    port[decimal_write(address->port, port)] = '\0';
    int lookup = getaddrinfo(address->host, port, &hints, &found);
    if (lookup != 0) {
        return fail(connection, lookup == EAI_SYSTEM ? strerror(errno) : gai_strerror(lookup));
    }
    bool is_connected = false;
    for (const struct addrinfo *each = found; each != NULL && !is_connected; each = each->ai_next) {
        is_connected = connect_socket(connection, each->ai_addr, each->ai_addrlen, deadline_ms);
    }
    freeaddrinfo(found);
    return is_connected;
}

static bool start_tls(struct redis_connection *connection, const char *host, SSL_CTX *context,
                      int64_t deadline_ms) {
    ERR_clear_error();
    connection->tls = SSL_new(context);
    if (connection->tls == NULL || SSL_set_fd(connection->tls, connection->fd) != 1) {
        return fail(connection, describe_tls_error("no memory"));
    }
    bool is_numeric = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection->tls), host) == 1;
    if (!is_numeric && (SSL_set1_host(connection->tls, host) != 1 ||
                        SSL_set_tlsext_host_name(connection->tls, host) != 1)) {
        return fail(connection, describe_tls_error("no memory"));
    }
    ERR_clear_error();
    int result;
    while ((result = SSL_connect(connection->tls)) != 1) {
        if (!wait_for_tls(connection, result, deadline_ms)) {
            return false;
        }
    }
    return true;
}

bool redis_connection_open(struct redis_connection *connection, const struct redis_address *address,
                           SSL_CTX *tls, char *reply_bytes, int64_t deadline_ms) {
    redis_connection_close(connection);
    connection->reply_bytes = reply_bytes;
    bool is_connected = address->port == 0 ? connect_path(connection, address->host, deadline_ms)
                                           : connect_host(connection, address, deadline_ms);
    return is_connected && (tls == NULL || start_tls(connection, address->host, tls, deadline_ms));
}

static bool send_bytes(struct redis_connection *connection, const char *bytes, size_t size,
                       int64_t deadline_ms) {
    while (size > 0) {
        ssize_t sent_size;
        if (connection->tls != NULL) {
            ERR_clear_error();
            sent_size = SSL_write(connection->tls, bytes, (int)size);
            if (sent_size <= 0) {
                if (!wait_for_tls(connection, (int)sent_size, deadline_ms)) {
                    return false;
                }
                continue;
            }
        } else {
            sent_size = os_send(connection->fd, bytes, size);
            if (sent_size == -EAGAIN) {
                if (!wait_for(connection, POLLOUT, deadline_ms)) {
                    return false;
                }
                continue;
            }
            if (sent_size < 0) {
                return fail(connection, strerror((int)-sent_size));
            }
        }
        bytes += sent_size;
        size -= (size_t)sent_size;
    }
    return true;
}

/* Receives at most `size` bytes, at least one. 0, and closed: there are none. */
static size_t receive_bytes(struct redis_connection *connection, char *bytes, size_t size,
                            int64_t deadline_ms) {
    for (;;) {
        /* Bytes that drip in must not move the end. */
        if (os_now_ms() >= deadline_ms) {
            (void)fail(connection, "it does not answer in time");
            return 0;
        }
        ssize_t received_size;
        bool is_ready = true;
        if (connection->tls != NULL) {
            ERR_clear_error();
            received_size = SSL_read(connection->tls, bytes, (int)size);
            is_ready =
                received_size > 0 || wait_for_tls(connection, (int)received_size, deadline_ms);
        } else {
            received_size = os_recv(connection->fd, bytes, size);
            if (received_size == 0) {
                is_ready = fail(connection, "connection closed by the server");
            } else if (received_size < 0) {
                is_ready = received_size == -EAGAIN
                               ? wait_for(connection, POLLIN, deadline_ms)
                               : fail(connection, strerror((int)-received_size));
            }
        }
        if (received_size > 0 || !is_ready) {
            return is_ready ? (size_t)received_size : 0;
        }
    }
}

/* Writes the command as an array of strings. Returns its size; 0: it is too long. */
static size_t write_command(const char *const *words, size_t word_count,
                            char command[REDIS_COMMAND_SIZE_MAX]) {
    size_t size = 0;
    command[size++] = '*';
    size += decimal_write((uint32_t)word_count, command + size);
    for (size_t i = 0; i < word_count; i++) {
        enum { FRAME_SIZE = DECIMAL_LENGTH_MAX + sizeof "\r\n$\r\n\r\n" };
        size_t length = strlen(words[i]);
        if (length > REDIS_COMMAND_SIZE_MAX - FRAME_SIZE - size ||
            size > REDIS_COMMAND_SIZE_MAX - FRAME_SIZE) {
            return 0;
        }
        memcpy(command + size, "\r\n$", 3);
        size += 3 + decimal_write((uint32_t)length, command + size + 3);
        memcpy(command + size, "\r\n", 2);
        memcpy(command + size + 2, words[i], length);
        size += 2 + length;
    }
    memcpy(command + size, "\r\n", 2);
    return size + 2;
}

bool redis_connection_call(struct redis_connection *connection, const char *const *words,
                           size_t word_count, int64_t deadline_ms, struct redis_reply *reply,
                           size_t *reply_size) {
    char command[REDIS_COMMAND_SIZE_MAX];
    size_t command_size = write_command(words, word_count, command);
    if (command_size == 0) {
        return fail(connection, "the password or the user's name is too long");
    }
    bool is_sent = send_bytes(connection, command, command_size, deadline_ms);
    explicit_bzero(command, command_size);
    size_t size = 0;
    while (is_sent) {
        size_t received_size = receive_bytes(connection, connection->reply_bytes + size,
                                             REDIS_REPLY_SIZE_MAX - size, deadline_ms);
        if (received_size == 0) {
            return false;
        }
        size += received_size;
        switch (redis_reply_measure(connection->reply_bytes, size, reply_size)) {
        case REDIS_REPLY_PARTIAL:
            break;
        case REDIS_REPLY_INVALID:
            return fail(connection, "what it sends is no reply of Redis, or too long");
        case REDIS_REPLY_COMPLETE:
            if (*reply_size != size) {
                return fail(connection, "it sends more than was asked for");
            }
            return redis_reply_parse(connection->reply_bytes, size, reply, &size) ==
                   REDIS_REPLY_COMPLETE;
        }
    }
    return false;
}

SSL_CTX *redis_connection_make_tls(const struct redis_location *location,
                                   char problem[REDIS_PROBLEM_SIZE]) {
    const char *file = location->ca_path;
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    bool is_made = tls != NULL && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1;
    if (is_made) {
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        is_made = file[0] == '\0' ? SSL_CTX_set_default_verify_paths(tls) == 1
                                  : SSL_CTX_load_verify_locations(tls, file, NULL) == 1;
    }
    if (is_made && location->certificate_path[0] != '\0') {
        file = location->certificate_path;
        is_made = SSL_CTX_use_certificate_chain_file(tls, file) == 1;
    }
    if (is_made && location->key_path[0] != '\0') {
        file = location->key_path;
        is_made = SSL_CTX_use_PrivateKey_file(tls, file, SSL_FILETYPE_PEM) == 1 &&
                  SSL_CTX_check_private_key(tls) == 1;
    }
    if (!is_made) {
        (void)snprintf(problem, REDIS_PROBLEM_SIZE, "%.128s: %s", file,
                       describe_tls_error("no memory"));
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}
