// The numbers server on an operating system that fails to order (server/runtime/os_faulty.h).
//
// For tests whose target names the faulty program as its server. Threading: stateless.
#ifndef SERVER_NUMBERS_FAULTY_SERVER_H_
#define SERVER_NUMBERS_FAULTY_SERVER_H_

#include <cstddef>
#include <string>

#include "testing/process.h"

namespace harness {

// Options of a server without arguments that meets the faults of `plan`, and counts its calls.
ProcessOptions Faulty(const std::string &plan);

// How often the server that has ended called a function of the seam. Fails the running test where
// it has not said so.
size_t CallCount(const Process &process, const std::string &function);

} // namespace harness

#endif // SERVER_NUMBERS_FAULTY_SERVER_H_
