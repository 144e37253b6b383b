// What the tests of all daemons ask of the program under test: where it is, where it listens, and
// whether a sanitizer has found something in it.
//
// Threading: stateless.
#ifndef TESTING_DAEMON_H_
#define TESTING_DAEMON_H_

#include <cstdint>
#include <string>

#include "testing/process.h"

namespace harness {

// The absolute path of the program that the environment variable names, for tests that run it
// elsewhere. Throws std::runtime_error when the variable is not set.
std::string ProgramPath(const char *variable);

// The port of the line "listening on ADDRESS:PORT" in `errors`; 0 when there is none yet.
std::uint16_t FindListeningPort(const std::string &errors, const std::string &address);

// Waits until `process` says that it listens at `address`. Result: the port. Throws
// std::runtime_error, with what the program said, when it never does.
std::uint16_t WaitForPort(Process *process, const std::string &address = "127.0.0.1");

// A port of 127.0.0.1 that was free a moment ago, for a program that cannot choose one itself.
std::uint16_t FindFreePort();

// Fails the running test when `errors`, a program's standard error, hold a sanitizer's report.
void ExpectNoSanitizerReport(const std::string &errors);

} // namespace harness

#endif // TESTING_DAEMON_H_
