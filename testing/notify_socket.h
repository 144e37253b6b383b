// A stand-in for the service manager: the socket at which it hears what its services have to say
// (sd_notify(3)).
//
// Ownership: the object owns the socket and its name. Threading: belongs to one thread.
#ifndef TESTING_NOTIFY_SOCKET_H_
#define TESTING_NOTIFY_SOCKET_H_

#include <chrono>
#include <string>
#include <vector>

#include "testing/patience.h"

namespace harness {

class NotifySocket {
  public:
    // name: what NOTIFY_SOCKET is to be; "@" and an abstract name, or the path of a new socket.
    // Throws std::system_error.
    explicit NotifySocket(std::string name);
    ~NotifySocket();
    NotifySocket(const NotifySocket &) = delete;
    NotifySocket &operator=(const NotifySocket &) = delete;

    // An abstract name that nobody else has: tests in sandboxes share these names, and not their
    // process ids.
    static std::string FreshName();

    const std::string &name() const {
        return name_;
    }

    // Waits for a message that contains `part`; false when none has come in time.
    bool Await(const std::string &part, std::chrono::milliseconds patience = kPatience);

    // All messages that have been read so far.
    const std::vector<std::string> &messages() const {
        return messages_;
    }

  private:
    std::string name_;
    int descriptor_ = -1;
    std::vector<std::string> messages_;
};

} // namespace harness

#endif // TESTING_NOTIFY_SOCKET_H_
