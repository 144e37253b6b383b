#include "testing/files.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "testing/patience.h"

namespace harness {
namespace {

std::string ParentOfTemporaryDirectories() {
    for (const char *name : {"TEST_TMPDIR", "TMPDIR"}) {
        const char *value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            return std::filesystem::absolute(value).string();
        }
    }
    return "/tmp";
}

} // namespace

TemporaryDirectory::TemporaryDirectory() : path_(ParentOfTemporaryDirectories() + "/test.XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) {
        ThrowErrno("mkdtemp");
    }
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryDirectory::File(std::string_view name) const {
    return path_ + "/" + std::string(name);
}

std::string ReadFile(const std::string &path) {
    std::ifstream stream(path, std::ios::binary);
    std::string content;
    std::string block(1 << 20, '\0');
    if (!stream) {
        ThrowErrno(path.c_str());
    }
    // A file that is being written to has no size to rely on, so it is read until its end.
    do {
        stream.read(block.data(), static_cast<std::streamsize>(block.size()));
        content.append(block, 0, static_cast<size_t>(stream.gcount()));
    } while (stream);
    if (stream.bad()) {
        ThrowErrno(path.c_str());
    }
    return content;
}

void WriteFile(const std::string &path, std::string_view content) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream.write(content.data(), static_cast<std::streamsize>(content.size()));
    stream.close();
    if (!stream) {
        ThrowErrno(path.c_str());
    }
}

} // namespace harness
