#include "server/records/plain_text.h"

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(PlainText, EveryByteAtEveryPlaceOfEveryLength) {
    for (size_t size = 0; size <= 20; size++) {
        for (size_t at = 0; at < size; at++) {
            for (int byte = 0; byte < 256; byte++) {
                std::string text(size, 'x');
                text[at] = static_cast<char>(byte);
                bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                ASSERT_EQ(plain_text_span(text.data(), size), is_plain ? size : at)
                    << byte << " at " << at << " of " << size;
            }
        }
    }
}

// A mark may be wrong above the first one; the first one never is.
TEST(PlainText, EveryPairOfBytes) {
    for (int first = 0; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            std::string text = "abcdefgh";
            text[3] = static_cast<char>(first);
            text[4] = static_cast<char>(second);
            size_t expected = !plain_text_is_plain(text[3])   ? 3
                              : !plain_text_is_plain(text[4]) ? 4
                                                              : 8;
            ASSERT_EQ(plain_text_span(text.data(), text.size()), expected)
                << first << " " << second;
        }
    }
}

} // namespace
