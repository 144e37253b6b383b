// Files of a test: a directory that goes away by itself, and whole-file reading and writing.
//
// Threading: stateless functions; a TemporaryDirectory belongs to one thread.
#ifndef TESTING_FILES_H_
#define TESTING_FILES_H_

#include <string>
#include <string_view>

namespace harness {

// A fresh directory under TEST_TMPDIR (else TMPDIR, else /tmp), removed with all that is in it by
// the destructor. The object owns the directory.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

    // Absolute, without a slash at the end.
    const std::string &path() const {
        return path_;
    }
    // The path of `name` in this directory.
    std::string File(std::string_view name) const;

  private:
    std::string path_;
};

// The whole content of the file at `path`; throws std::system_error when it cannot be read.
std::string ReadFile(const std::string &path);

// Creates or replaces the file at `path`; throws std::system_error when it cannot be written.
void WriteFile(const std::string &path, std::string_view content);

} // namespace harness

#endif // TESTING_FILES_H_
