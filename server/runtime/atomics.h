/*
 * Atomic fields of structs that C++ code sees too: C spells them _Atomic, which C++ does not know.
 * The compilers that build this lay both out alike.
 */
#ifndef SERVER_RUNTIME_ATOMICS_H_
#define SERVER_RUNTIME_ATOMICS_H_

#ifdef __cplusplus
#include <atomic>
#define ATOMIC_FIELD(type) std::atomic<type>
#else
#include <stdatomic.h>
#define ATOMIC_FIELD(type) _Atomic(type)
#endif

#endif /* SERVER_RUNTIME_ATOMICS_H_ */
