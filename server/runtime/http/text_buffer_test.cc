#include "server/runtime/http/text_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace {

class TextBuffer : public testing::Test {
  protected:
    TextBuffer() {
        text_buffer_init(&text_, bytes_, sizeof bytes_);
    }

    char bytes_[64];
    text_buffer text_;
};

TEST_F(TextBuffer, IsPutTogether) {
    text_buffer_print(&text_, "%s-", "a");
    text_buffer_print(&text_, "%d", 7);
    EXPECT_STREQ(bytes_, "a-7");
    EXPECT_EQ(text_.size, 3u);
    EXPECT_FALSE(text_.is_cut);
}

TEST_F(TextBuffer, LeavesOutAPieceThatDoesNotFitAndKnowsIt) {
    const std::string longest(sizeof bytes_ - 1, 'x');
    text_buffer_print(&text_, "%s", longest.c_str());
    EXPECT_FALSE(text_.is_cut);
    text_buffer_print(&text_, "y");
    EXPECT_TRUE(text_.is_cut);
    EXPECT_EQ(bytes_, longest);
}

TEST_F(TextBuffer, EscapesHtml) {
    text_buffer_add_html(&text_, "<b a='\"'>&");
    EXPECT_STREQ(bytes_, "&#60;b a=&#39;&#34;&#39;&#62;&#38;");
}

TEST_F(TextBuffer, ShowsWhatIsNotVisible) {
    text_buffer_add_html(&text_, "a\x1b[31m\xe2\x80\xae z");
    EXPECT_EQ(std::string(bytes_).find('\x1b'), std::string::npos);
    EXPECT_EQ(std::string(bytes_).find("\xe2\x80\xae"), std::string::npos);
}

TEST_F(TextBuffer, GroupsDigits) {
    text_buffer_add_count(&text_, 0);
    text_buffer_print(&text_, "|");
    text_buffer_add_count(&text_, 999);
    text_buffer_print(&text_, "|");
    text_buffer_add_count(&text_, 1234567);
    EXPECT_STREQ(bytes_, "0|999|1&#8239;234&#8239;567");
}

} // namespace
