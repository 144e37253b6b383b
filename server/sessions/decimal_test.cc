#include "server/sessions/decimal.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

bool Parse(const std::string &text, uint32_t maximum, uint32_t *value) {
    // A copy of its own size, so that a sanitizer sees any byte read behind it.
    const std::vector<char> bytes(text.begin(), text.end());
    return decimal_parse(bytes.data(), bytes.size(), maximum, value);
}

TEST(Decimal, ReadsWhatItWrites) {
    for (uint32_t number : {0u, 1u, 9u, 10u, 65535u, 4294967294u, 4294967295u}) {
        char text[DECIMAL_LENGTH_MAX];
        const std::string written(text, decimal_write(number, text));
        EXPECT_EQ(written, std::to_string(number));
        uint32_t read = 7;
        EXPECT_TRUE(Parse(written, UINT32_MAX, &read));
        EXPECT_EQ(read, number);
    }
}

TEST(Decimal, HasOneSpelling) {
    for (const std::string &bad :
         {std::string(), std::string("00"), std::string("01"), std::string("-1"), std::string("+1"),
          std::string(" 1"), std::string("1 "), std::string("0x1"), std::string("1\0", 2),
          std::string("4294967296"), std::string("99999999999999999999999")}) {
        uint32_t read = 7;
        EXPECT_FALSE(Parse(bad, UINT32_MAX, &read)) << bad;
        EXPECT_EQ(read, 7u);
    }
}

TEST(Decimal, KeepsToTheMaximum) {
    uint32_t read;
    EXPECT_TRUE(Parse("65535", 65535, &read));
    EXPECT_FALSE(Parse("65536", 65535, &read));
}

TEST(Decimal, CanBeOfAnySize) {
    const std::string large(1000, '9');
    EXPECT_TRUE(decimal_is_valid(large.data(), large.size()));
    EXPECT_FALSE(decimal_is_valid("0123", 4));
}

} // namespace
