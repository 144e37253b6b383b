// Text from outside, made safe to show.

#include "server/runtime/escape.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace {

using namespace std::string_literals;

std::string Escape(const std::string &bytes, size_t capacity = 1000) {
    // As large as the function is told, so that AddressSanitizer sees a byte beyond.
    std::vector<char> text(capacity, '?');
    const std::vector<char> exact(bytes.begin(), bytes.end());
    return escape_bytes(text.data(), capacity, exact.data(), exact.size());
}

TEST(EscapeTest, WhatPrintsStays) {
    EXPECT_EQ(Escape(""), "");
    EXPECT_EQ(Escape("123 ~abc/[::1]:4000"), "123 ~abc/[::1]:4000");
    EXPECT_EQ(Escape("Zürich Ωμέγα 数字 😀"), "Zürich Ωμέγα 数字 😀");
}

TEST(EscapeTest, OneTextHasOneOrigin) {
    EXPECT_EQ(Escape("a\\n"), R"(a\\n)");
    EXPECT_EQ(Escape("a\n"), R"(a\n)");
    EXPECT_EQ(Escape("\"\r\t"), R"(\"\r\t)");
}

TEST(EscapeTest, NoControlCharacterStays) {
    for (int value = 0; value < 256; ++value) {
        const std::string text = Escape(std::string(1, static_cast<char>(value)));
        for (const char shown : text) {
            EXPECT_TRUE(shown >= ' ' && shown <= '~') << value;
        }
        EXPECT_EQ(text.size() == 1, value >= ' ' && value <= '~' && value != '"' && value != '\\')
            << value;
    }
    EXPECT_EQ(Escape("\0\x1b[31m\x7f"s), R"(\x00\x1b[31m\x7f)");
}

TEST(EscapeTest, NothingInvisibleOfUnicodeStays) {
    EXPECT_EQ(Escape("\xc2\x9b"
                     "31m"),
              R"(\xc2\x9b31m)");
    for (const char *hidden :
         {"\xc2\x80", "\xc2\x9f", "\xc2\xad", "\xd8\x9c", "\xe1\xa0\x8e", "\xe2\x80\x8b",
          "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa",
          "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9", "\xef\xbb\xbf", "\xef\xbf\xb9",
          "\xf3\xa0\x80\x81"}) {
        EXPECT_EQ(Escape(hidden).substr(0, 2), "\\x") << hidden;
        EXPECT_EQ(Escape(hidden).size(), 4 * std::string(hidden).size());
    }
    EXPECT_EQ(Escape("\xc2\xa0"), "\xc2\xa0") << "the neighbour of C1";
}

TEST(EscapeTest, WhatIsNoUtf8IsShownByteByByte) {
    EXPECT_EQ(Escape("\xff\x80"), R"(\xff\x80)");
    EXPECT_EQ(Escape("\xc0\xaf"), R"(\xc0\xaf)") << "a slash in two bytes";
    EXPECT_EQ(Escape("\xe0\x82\x9b"), R"(\xe0\x82\x9b)") << "C1 in three bytes";
    EXPECT_EQ(Escape("\xed\xa0\x80"), R"(\xed\xa0\x80)") << "a surrogate";
    EXPECT_EQ(Escape("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)") << "beyond Unicode";
    EXPECT_EQ(Escape("\xe2\x82"), R"(\xe2\x82)") << "cut off";
    EXPECT_EQ(Escape("\xe2(\xa1"), R"(\xe2(\xa1)");
}

TEST(EscapeTest, WhatHasNoRoomIsCutBetweenCharacters) {
    EXPECT_EQ(Escape("1234567", 8), "1234567");
    EXPECT_EQ(Escape("12345678", 8), "1234...");
    EXPECT_EQ(Escape("123\n5678", 8), "123...");
    EXPECT_EQ(Escape("12\xe2\x82\xac"
                     "345678",
                     8),
              "12...");
    EXPECT_EQ(Escape("\n\n\n", 4), "...");
    EXPECT_EQ(Escape("\n", 4), "\\n");
    EXPECT_EQ(Escape("abc", 4), "abc");
}

std::string EscapeMessage(const std::string &message, size_t capacity) {
    std::vector<char> text(capacity, '?');
    return escape_message(text.data(), capacity, message.c_str());
}

TEST(EscapeMessageTest, WhatIsEscapedStaysAsItIs) {
    EXPECT_EQ(EscapeMessage("line \"a\\n\" of caf\u00e9\n\x1b[0m", 100),
              "line \"a\\n\" of caf\u00e9\\n\\x1b[0m");
}

TEST(EscapeMessageTest, LosesItsMiddle) {
    const std::string message = "cannot open " + std::string(5000, 'x') + ": File name too long";
    const std::string text = EscapeMessage(message, 200);
    EXPECT_EQ(text.rfind("cannot open xxx", 0), 0u) << text;
    EXPECT_NE(text.find("xxx...xxx"), std::string::npos) << text;
    EXPECT_EQ(text.substr(text.size() - 23), "xxx: File name too long") << text;
}

TEST(EscapeMessageTest, FitsWhateverIsInIt) {
    const std::string pieces[] = {"x", "\n", "\u00e9", "\u6570", "\x80", "\\"};
    for (const std::string &piece : pieces) {
        for (size_t capacity = ESCAPED_MESSAGE_CAPACITY_MIN; capacity < 60; ++capacity) {
            std::string message;
            for (size_t count = 0; count < 40; ++count) {
                const std::string text = EscapeMessage(message, capacity);
                EXPECT_LT(text.size(), capacity);
                EXPECT_EQ(text.find('\n'), std::string::npos);
                message += piece;
            }
        }
    }
}

} // namespace
