#include "server/runtime/os_fault_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PLAN_CAPACITY = 1024, ERROR_MAX = 200 };

/* The errno value of a name like "EIO", or 0. */
static int find_error(const char *name) {
    for (int error = 1; error <= ERROR_MAX; error++) {
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
    *rule = (struct os_fault_rule){.short_size = SIZE_MAX};
    size_t function_size = strlen(function) + 1;
    if (function_size > sizeof rule->function || !parse_action(rule, action)) {
        return false;
    }
    memcpy(rule->function, function, function_size);
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
    size_t size = strlen(plan) + 1;
    *rule_count = 0;
    if (size > sizeof text) {
        return false;
    }
    memcpy(text, plan, size);
    if (!parse_rules(text, rules, rule_count)) {
        *rule_count = 0;
        return false;
    }
    return true;
}
