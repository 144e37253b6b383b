#include "server/runtime/startup.h"

#include <string.h>

#include "server/runtime/inherited_sockets.h"
#include "server/runtime/os.h"
#include "server/runtime/signals.h"

enum exit_code startup_fail(const struct logger *logger, const char *action, int error) {
    logger_print(logger, LOG_LEVEL_ERROR, "cannot %s: %s", action, strerror(-error));
    return EXIT_CODE_START_FAILURE;
}

bool startup_check_addresses(const struct options *options, const struct option_list *addresses) {
    const char *nonsense = listener_find_nonsense(addresses->items, addresses->count);
    if (nonsense != NULL) {
        options_complain(options, "--bind takes an address or a name, not '%s'", nonsense);
    }
    return nonsense == NULL;
}

int startup_listen(struct listener *listener, const char *name, const struct option_list *addresses,
                   int64_t port, const struct logger *logger) {
    int inherited_count = inherited_sockets_listen(listener, name, logger);
    if (inherited_count != 0) {
        return inherited_count < 0 ? inherited_count : 0;
    }
    return listener_open(listener, addresses->items, addresses->count, (uint16_t)port, logger);
}

int startup_prepare_process(const struct logger *logger) {
    int error = os_open_standard_streams();
    if (error != 0) {
        (void)startup_fail(logger, "open /dev/null", error);
        return error;
    }
    int signal_fd = signals_open();
    if (signal_fd < 0) {
        (void)startup_fail(logger, "receive signals", signal_fd);
        return signal_fd;
    }
    error = os_enter_working_directory();
    if (error != 0) {
        (void)startup_fail(logger, "go to BUILD_WORKING_DIRECTORY", error);
        (void)os_close(signal_fd);
        return error;
    }
    return signal_fd;
}

void startup_allow_clients(size_t client_count, size_t other_count, const struct logger *logger) {
    if (os_allow_descriptors(client_count + other_count) != 0) {
        logger_print(logger, LOG_LEVEL_WARNING,
                     "the limit of open descriptors (ulimit -n) is too low to serve %zu clients",
                     client_count);
    }
}
