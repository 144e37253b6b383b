// A logger for tests that keeps what it is told, in a file without a name.
//
// Ownership: the object owns the file. Threading: any thread may print and read.
#ifndef SERVER_RUNTIME_CAPTURED_LOGGER_H_
#define SERVER_RUNTIME_CAPTURED_LOGGER_H_

#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "server/runtime/logger.h"

class CapturedLogger {
  public:
    explicit CapturedLogger(log_level lowest = LOG_LEVEL_DEBUG) {
        logger_init(&logger_, lowest);
        logger_.fd = memfd_create("log", MFD_CLOEXEC);
    }
    ~CapturedLogger() {
        close(logger_.fd);
    }
    CapturedLogger(const CapturedLogger &) = delete;
    CapturedLogger &operator=(const CapturedLogger &) = delete;

    const logger *get() const {
        return &logger_;
    }

    // Everything said so far.
    std::string Text() const {
        std::string text(static_cast<size_t>(lseek(logger_.fd, 0, SEEK_END)), '\0');
        const ssize_t size = pread(logger_.fd, text.data(), text.size(), 0);
        text.resize(size < 0 ? 0 : static_cast<size_t>(size));
        return text;
    }

    // How often part occurs in it.
    size_t Count(const std::string &part) const {
        const std::string text = Text();
        size_t count = 0;
        for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
            ++count;
        }
        return count;
    }

  private:
    logger logger_;
};

#endif // SERVER_RUNTIME_CAPTURED_LOGGER_H_
