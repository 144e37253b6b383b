#include "server/numbers/faulty_server.h"

#include "server/numbers/numbers_process.h"
#include "gtest/gtest.h"

namespace harness {

ProcessOptions Faulty(const std::string &plan) {
    ProcessOptions options = NumbersServerCommand({});
    options.environment["OS_FAULT"] = plan;
    options.environment["OS_FAULT_COUNTS"] = "1";
    return options;
}

size_t CallCount(const Process &process, const std::string &function) {
    const std::string errors = process.errors();
    const std::string key = " " + function + "=";
    const size_t found = errors.find(key, errors.find("os_faulty: "));
    EXPECT_NE(found, std::string::npos) << errors;
    return found == std::string::npos ? 0 : std::stoul(errors.substr(found + key.size()));
}

} // namespace harness
