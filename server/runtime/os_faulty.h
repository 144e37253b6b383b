/*
 * The system-call seam (os.h) for tests: the real calls, of which chosen ones fail.
 *
 * A program that links //server/runtime:os_faulty in place of //server/runtime:os is told what is
 * to fail by the environment variable OS_FAULT, and a test that links it, by os_faulty_plan. A plan
 * is a list of at most 16 rules, separated by commas:
 *
 *   FUNCTION:CALL:ACTION[:TIMES]
 *
 * - FUNCTION: one of os.h without its "os_": append, fdatasync, thread_create, ...; the clock and
 *   what gives memory back have no way to fail
 * - CALL: the first call that the rule is for, counted from 1 in the whole process; or *, for all
 *   calls
 * - ACTION, one of
 *   - ENOSPC, EIO, ...: the call fails with this error, and nothing is done
 *   - short=BYTES: no more than so many bytes are read or written
 *   - delay=MS: the call takes so much longer
 *   - hold: the call begins when os_faulty_release is called, not before
 * - TIMES: once (the default), always, or for how many calls in a row
 *
 *   OS_FAULT=append:3:ENOSPC:20,fdatasync:1:EIO:always,append:*:short=7
 *
 * With OS_FAULT_COUNTS set, a process that exits in an orderly way says on standard error how many
 * calls a rule changed and how often each function was called:
 *
 *   os_faulty: faults=1 open=1 close=7 append=3 ...
 *
 * Ownership: the plan is copied. Threading: all functions may be called by any thread. A forked
 * process goes on with the counts that it was born with.
 */
#ifndef SERVER_RUNTIME_OS_FAULTY_H_
#define SERVER_RUNTIME_OS_FAULTY_H_

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Replaces the plan and sets all counts to 0. "" is no fault at all. False when the plan cannot be
 * understood; then nothing fails. */
bool os_faulty_plan(const char *plan);

/* How often a function ("append") was called since the plan was made. */
uint64_t os_faulty_call_count(const char *function);

/* How many calls a rule has changed. */
uint64_t os_faulty_fault_count(void);

/* Waits until the call_count-th call of a function has begun: it may be held, or done already. */
void os_faulty_await_call(const char *function, uint64_t call_count);

/* Lets all held calls go on, and holds no more. */
void os_faulty_release(void);

#ifdef __cplusplus
}
#endif

#endif /* SERVER_RUNTIME_OS_FAULTY_H_ */
