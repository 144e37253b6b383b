#include "server/records/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace {

using std::string_literals::operator""s;

// The definition: what a character's number is written as.
std::string Encode(uint32_t character) {
    auto byte = [](uint32_t value) { return static_cast<char>(value); };
    if (character < 0x80) {
        return {byte(character)};
    }
    if (character < 0x800) {
        return {byte(0xC0 | character >> 6), byte(0x80 | (character & 0x3F))};
    }
    if (character < 0x10000) {
        return {byte(0xE0 | character >> 12), byte(0x80 | (character >> 6 & 0x3F)),
                byte(0x80 | (character & 0x3F))};
    }
    return {byte(0xF0 | character >> 18), byte(0x80 | (character >> 12 & 0x3F)),
            byte(0x80 | (character >> 6 & 0x3F)), byte(0x80 | (character & 0x3F))};
}

TEST(Utf8, EveryCharacterAndNoSurrogate) {
    for (uint32_t character = 0; character < 0x120000; character++) {
        const std::string bytes = Encode(character);
        const bool is_good = character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF);
        ASSERT_EQ(utf8_character_size(bytes.data(), bytes.size()), is_good ? bytes.size() : 0)
            << character;
        ASSERT_EQ(utf8_is_valid(bytes.data(), bytes.size()), is_good) << character;
    }
}

// Every sequence of three bytes: good ones are those that some characters are written as.
TEST(Utf8, EveryThreeBytes) {
    for (uint32_t number = 0; number < 1 << 24; number++) {
        const char bytes[] = {static_cast<char>(number >> 16), static_cast<char>(number >> 8),
                              static_cast<char>(number)};
        const size_t size = utf8_character_size(bytes, sizeof bytes);
        if (size == 3) {
            const uint32_t character =
                (number >> 16 & 0xF) << 12 | (number >> 8 & 0x3F) << 6 | (number & 0x3F);
            ASSERT_EQ(Encode(character), std::string(bytes, 3)) << number;
        }
    }
}

TEST(Utf8, ACharacterThatIsCutOff) {
    for (const std::string &character : {"é"s, "€"s, "😀"s}) {
        for (size_t size = 1; size < character.size(); size++) {
            EXPECT_EQ(utf8_character_size(character.data(), size), 0u) << character;
            EXPECT_FALSE(utf8_is_valid(character.data(), size)) << character;
        }
    }
}

TEST(Utf8, Texts) {
    for (const std::string &text : {""s, "plain"s, "Zoë, Łukasz, 東京, 😀"s, "\0"s}) {
        EXPECT_TRUE(utf8_is_valid(text.data(), text.size())) << text;
    }
    // A continuation alone, overlong forms, bytes that never occur.
    for (const std::string &text :
         {"a\x80"s, "\xC0\xAF"s, "\xC1\xBF"s, "\xE0\x9F\xBF"s, "\xF0\x8F\xBF\xBF"s,
          "\xF5\x80\x80\x80"s, "\xFF"s, "\xC3\x28"s, "\xE2\x82\x28"s}) {
        EXPECT_FALSE(utf8_is_valid(text.data(), text.size()));
    }
}

} // namespace
