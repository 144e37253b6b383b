#include "testing/files.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
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
    if (!stream) {
        ThrowErrno(path.c_str());
    }
    return std::string(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
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
