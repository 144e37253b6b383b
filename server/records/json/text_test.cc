#include "server/records/json/text.h"

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

TEST(Text, Utf8EveryCharacterAndNoSurrogate) {
    for (uint32_t character = 0; character < 0x120000; character++) {
        const std::string bytes = Encode(character);
        const bool is_good = character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF);
        ASSERT_EQ(text_character_size(bytes.data(), bytes.size()), is_good ? bytes.size() : 0)
            << character;
    }
}

// Every sequence of three bytes: good ones are those that some characters are written as.
TEST(Text, Utf8EveryThreeBytes) {
    for (uint32_t number = 0; number < 1 << 24; number++) {
        const char bytes[] = {static_cast<char>(number >> 16), static_cast<char>(number >> 8),
                              static_cast<char>(number)};
        const size_t size = text_character_size(bytes, sizeof bytes);
        if (size == 3) {
            const uint32_t character =
                (number >> 16 & 0xF) << 12 | (number >> 8 & 0x3F) << 6 | (number & 0x3F);
            ASSERT_EQ(Encode(character), std::string(bytes, 3)) << number;
        }
    }
}

TEST(Text, Utf8ACharacterThatIsCutOff) {
    for (const std::string &character : {"é"s, "€"s, "😀"s}) {
        for (size_t size = 1; size < character.size(); size++) {
            EXPECT_EQ(text_character_size(character.data(), size), 0u) << character;
        }
    }
}

// A continuation alone, overlong forms, bytes that never occur, a character cut by the next one.
TEST(Text, Utf8WhatIsNone) {
    for (const std::string &bytes :
         {"\x80"s, "\xC0\xAF"s, "\xC1\xBF"s, "\xE0\x9F\xBF"s, "\xF0\x8F\xBF\xBF"s,
          "\xF5\x80\x80\x80"s, "\xFF"s, "\xC3\x28"s, "\xE2\x82\x28"s}) {
        EXPECT_EQ(text_character_size(bytes.data(), bytes.size()), 0u);
    }
}

TEST(Text, PlainEveryByteAtEveryPlaceOfEveryLength) {
    for (size_t size = 0; size <= 20; size++) {
        for (size_t at = 0; at < size; at++) {
            for (int byte = 0; byte < 256; byte++) {
                std::string text(size, 'x');
                text[at] = static_cast<char>(byte);
                bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                ASSERT_EQ(text_plain_span(text.data(), size), is_plain ? size : at)
                    << byte << " at " << at << " of " << size;
            }
        }
    }
}

// A mark may be wrong above the first one; the first one never is.
TEST(Text, PlainEveryPairOfBytes) {
    for (int first = 0; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            std::string text = "abcdefgh";
            text[3] = static_cast<char>(first);
            text[4] = static_cast<char>(second);
            size_t expected = !text_is_plain(text[3]) ? 3 : !text_is_plain(text[4]) ? 4 : 8;
            ASSERT_EQ(text_plain_span(text.data(), text.size()), expected)
                << first << " " << second;
        }
    }
}

TEST(Text, SpaceIsWhatJsonSaysItIs) {
    const std::string text = " \t\r\n\v";
    EXPECT_EQ(text_space_span(text.data(), text.size()), 4u);
    EXPECT_EQ(text_space_span(text.data(), 2), 2u);
}

} // namespace
