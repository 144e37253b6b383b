// Every check of kernel_checks.h with every kernel that this CPU runs.
#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

#include "parser/kernel_checks.h"
#include "parser/line_parser.h"

namespace {

class KernelChecksTest
    : public testing::TestWithParam<std::tuple<std::string, const kernel_check *>> {};

TEST_P(KernelChecksTest, AgreesWithScalar) {
    line_parser parser = {};
    ASSERT_EQ(line_parser_select(&parser, std::get<0>(GetParam()).c_str()), LINE_PARSER_SELECTED);
    char message[KERNEL_CHECK_MESSAGE_SIZE] = "";
    EXPECT_TRUE(std::get<1>(GetParam())->run(&parser, message)) << message;
}

std::vector<std::string> SupportedKernels() {
    std::vector<std::string> names;
    for (size_t i = 0; i < line_parser_supported_count(); i++) {
        names.push_back(line_parser_supported_name(i));
    }
    return names;
}

std::vector<const kernel_check *> Checks() {
    std::vector<const kernel_check *> checks;
    for (size_t i = 0; kernel_check_at(i) != nullptr; i++) {
        checks.push_back(kernel_check_at(i));
    }
    return checks;
}

INSTANTIATE_TEST_SUITE_P(Kernels, KernelChecksTest,
                         testing::Combine(testing::ValuesIn(SupportedKernels()),
                                          testing::ValuesIn(Checks())),
                         [](const auto &test) {
                             return std::get<0>(test.param) + std::get<1>(test.param)->name;
                         });

} // namespace
