/*
 * Reads the plans of os_faulty (os_faulty.h describes them): text to rules, and nothing else. Which
 * functions there are is not known here.
 *
 * Threading: none inside; functions of their arguments.
 */
#ifndef SERVER_RUNTIME_OS_FAULT_PLAN_H_
#define SERVER_RUNTIME_OS_FAULT_PLAN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OS_FAULT_RULE_CAPACITY = 16, OS_FUNCTION_NAME_CAPACITY = 32 };

/* What becomes of the calls from first_call to last_call, counted from 1, of a function. */
struct os_fault_rule {
    char function[OS_FUNCTION_NAME_CAPACITY]; /* its name without the "os_" */
    uint64_t first_call, last_call;
    int error;         /* an errno value, or 0 */
    size_t short_size; /* SIZE_MAX: whole */
    int delay_ms;
    bool holds;
};

/* Fills rules (OS_FAULT_RULE_CAPACITY of them) and *rule_count. False where the plan cannot be
 * understood, and then there are none. */
bool os_fault_plan_read(const char *plan, struct os_fault_rule *rules, size_t *rule_count);

#endif /* SERVER_RUNTIME_OS_FAULT_PLAN_H_ */
