/*
 * Reads the plans of os_faulty (os_faulty.h describes them): text to rules, and nothing else.
 *
 * Threading: none inside; functions of their arguments.
 */
#ifndef SERVER_RUNTIME_OS_FAULT_PLAN_H_
#define SERVER_RUNTIME_OS_FAULT_PLAN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The functions of os.h that can fail. The clock cannot, nor can what gives memory back. */
enum os_function {
    OS_FUNCTION_OPEN,
    OS_FUNCTION_CLOSE,
    OS_FUNCTION_READ,
    OS_FUNCTION_WRITE,
    OS_FUNCTION_PREAD,
    OS_FUNCTION_APPEND,
    OS_FUNCTION_FTRUNCATE,
    OS_FUNCTION_FILE_SIZE,
    OS_FUNCTION_FDATASYNC,
    OS_FUNCTION_FSYNC,
    OS_FUNCTION_LOCK_EXCLUSIVE,
    OS_FUNCTION_OPEN_STANDARD_STREAMS,
    OS_FUNCTION_ENTER_WORKING_DIRECTORY,
    OS_FUNCTION_ALLOW_DESCRIPTORS,
    OS_FUNCTION_SOCKET,
    OS_FUNCTION_ACCEPT,
    OS_FUNCTION_RECV,
    OS_FUNCTION_SEND,
    OS_FUNCTION_POLL,
    OS_FUNCTION_EPOLL_CREATE,
    OS_FUNCTION_EPOLL_CONTROL,
    OS_FUNCTION_EPOLL_WAIT,
    OS_FUNCTION_EVENTFD,
    OS_FUNCTION_MAP_MEMORY,
    OS_FUNCTION_THREAD_CREATE,
    OS_FUNCTION_FORK,
    OS_FUNCTION_COUNT,
};

/* Their names in a plan: without the "os_". */
extern const char *const os_function_names[OS_FUNCTION_COUNT];

/* The function of a name, or OS_FUNCTION_COUNT. */
enum os_function os_function_find(const char *name);

/* What becomes of the calls from first_call to last_call, counted from 1, of a function. */
struct os_fault_rule {
    enum os_function function;
    uint64_t first_call, last_call;
    int error;         /* an errno value, or 0 */
    size_t short_size; /* SIZE_MAX: whole */
    int delay_ms;
    bool holds;
};

enum { OS_FAULT_RULE_CAPACITY = 16 };

/* Fills rules (OS_FAULT_RULE_CAPACITY of them) and *rule_count. False where the plan cannot be
 * understood, and then there are none. */
bool os_fault_plan_read(const char *plan, struct os_fault_rule *rules, size_t *rule_count);

#endif /* SERVER_RUNTIME_OS_FAULT_PLAN_H_ */
