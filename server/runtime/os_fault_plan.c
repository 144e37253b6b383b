#include "server/runtime/os_fault_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PLAN_CAPACITY = 1024, ERROR_HIGHEST = 200 };

const char *const os_function_names[OS_FUNCTION_COUNT] = {
    [OS_FUNCTION_OPEN] = "open",
    [OS_FUNCTION_CLOSE] = "close",
    [OS_FUNCTION_READ] = "read",
    [OS_FUNCTION_WRITE] = "write",
    [OS_FUNCTION_PREAD] = "pread",
    [OS_FUNCTION_APPEND] = "append",
    [OS_FUNCTION_FTRUNCATE] = "ftruncate",
    [OS_FUNCTION_FILE_SIZE] = "file_size",
    [OS_FUNCTION_FDATASYNC] = "fdatasync",
    [OS_FUNCTION_FSYNC] = "fsync",
    [OS_FUNCTION_LOCK_EXCLUSIVE] = "lock_exclusive",
    [OS_FUNCTION_OPEN_STANDARD_STREAMS] = "open_standard_streams",
    [OS_FUNCTION_ENTER_WORKING_DIRECTORY] = "enter_working_directory",
    [OS_FUNCTION_ALLOW_DESCRIPTORS] = "allow_descriptors",
    [OS_FUNCTION_SOCKET] = "socket",
    [OS_FUNCTION_ACCEPT] = "accept",
    [OS_FUNCTION_RECV] = "recv",
    [OS_FUNCTION_SEND] = "send",
    [OS_FUNCTION_POLL] = "poll",
    [OS_FUNCTION_EPOLL_CREATE] = "epoll_create",
    [OS_FUNCTION_EPOLL_CONTROL] = "epoll_control",
    [OS_FUNCTION_EPOLL_WAIT] = "epoll_wait",
    [OS_FUNCTION_EVENTFD] = "eventfd",
    [OS_FUNCTION_MAP_MEMORY] = "map_memory",
    [OS_FUNCTION_THREAD_CREATE] = "thread_create",
    [OS_FUNCTION_FORK] = "fork",
};

enum os_function os_function_find(const char *name) {
    enum os_function function = OS_FUNCTION_OPEN;
    while (function < OS_FUNCTION_COUNT && strcmp(os_function_names[function], name) != 0) {
        function++;
    }
    return function;
}

/* The errno value of a name like "EIO", or 0. */
static int find_error(const char *name) {
    for (int error = 1; error <= ERROR_HIGHEST; error++) {
        const char *error_name = strerrorname_np(error);
        if (error_name != NULL && strcmp(error_name, name) == 0) {
            return error;
        }
    }
    return 0;
}

/* Reads all of text as a number. */
static bool parse_number(const char *text, uint64_t *number) {
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static bool parse_action(struct os_fault_rule *rule, const char *text) {
    uint64_t number = 0;
    if (strncmp(text, "short=", 6) == 0 && parse_number(text + 6, &number)) {
        rule->short_size = number;
        return number > 0;
    }
    if (strncmp(text, "delay=", 6) == 0 && parse_number(text + 6, &number)) {
        rule->delay_ms = (int)number;
        return number <= INT32_MAX;
    }
    rule->holds = strcmp(text, "hold") == 0;
    rule->error = find_error(text);
    return rule->holds || rule->error != 0;
}

static bool parse_times(struct os_fault_rule *rule, const char *text) {
    uint64_t times = 1;
    if (text != NULL && strcmp(text, "always") == 0) {
        rule->last_call = UINT64_MAX;
        return true;
    }
    if (text != NULL && strcmp(text, "once") != 0 && (!parse_number(text, &times) || times == 0)) {
        return false;
    }
    rule->last_call = rule->first_call + times - 1;
    return true;
}

/* Takes FUNCTION:CALL:ACTION[:TIMES] apart. */
static bool parse_rule(struct os_fault_rule *rule, char *text) {
    char *rest = text;
    const char *function = strsep(&rest, ":");
    const char *call = strsep(&rest, ":");
    const char *action = strsep(&rest, ":");
    const char *times = strsep(&rest, ":");
    if (action == NULL || rest != NULL) {
        return false;
    }
    *rule = (struct os_fault_rule){.function = os_function_find(function), .short_size = SIZE_MAX};
    if (rule->function == OS_FUNCTION_COUNT || !parse_action(rule, action)) {
        return false;
    }
    if (strcmp(call, "*") == 0) {
        rule->first_call = 1;
        rule->last_call = UINT64_MAX;
        return times == NULL;
    }
    return parse_number(call, &rule->first_call) && rule->first_call > 0 &&
           parse_times(rule, times);
}

static bool parse_rules(char *text, struct os_fault_rule *rules, size_t *rule_count) {
    char *rest = text[0] == '\0' ? NULL : text;
    while (rest != NULL) {
        if (*rule_count == OS_FAULT_RULE_CAPACITY ||
            !parse_rule(&rules[*rule_count], strsep(&rest, ","))) {
            return false;
        }
        ++*rule_count;
    }
    return true;
}

bool os_fault_plan_read(const char *plan, struct os_fault_rule *rules, size_t *rule_count) {
    char text[PLAN_CAPACITY];
    *rule_count = 0;
    if (strlen(plan) >= sizeof text) {
        return false;
    }
    (void)strcpy(text, plan);
    if (!parse_rules(text, rules, rule_count)) {
        *rule_count = 0;
        return false;
    }
    return true;
}
