#include "server/records/json/record_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using std::string_literals::operator""s;

record_text Text(const std::string &text) {
    return {text.data(), text.size()};
}
// A temporary would be gone before its text is looked at.
record_text Text(std::string &&text) = delete;

std::string ToString(record_text text) {
    return {text.bytes, text.size};
}

class Lines {
  public:
    Lines(size_t size, size_t count) : bytes_(size), places_(count) {
        lines_ = {bytes_.data(), size, 0, places_.data(), count, 0};
    }
    bool Append(const std::string &id, const std::string &name, const std::string &age) {
        const record record = {Text(id), Text(name), Text(age)};
        return record_lines_append(&lines_, &record);
    }
    const record_lines &get() const {
        return lines_;
    }
    std::string Shown(size_t index) const {
        const record record = record_line_read(&places_[index]);
        return ToString(record.id) + "|" + ToString(record.name) + "|" + ToString(record.age);
    }
    std::string Line(size_t index) const {
        return {places_[index].bytes, places_[index].size};
    }
    bool IsNameWithinLine(size_t index) const {
        const record_text name = record_line_read(&places_[index]).name;
        return name.bytes >= places_[index].bytes &&
               name.bytes + name.size <= places_[index].bytes + places_[index].size;
    }

  private:
    std::vector<char> bytes_;
    std::vector<record_line> places_;
    record_lines lines_;
};

TEST(RecordLines, PlainRecordsTouchAndLieInTheirLines) {
    Lines lines(1000, 3);
    ASSERT_TRUE(lines.Append("1", "John Doe", "25"));
    ASSERT_TRUE(lines.Append("2", "", "Zoë"));
    ASSERT_EQ(lines.get().count, 2u);
    EXPECT_EQ(lines.Shown(0), "1|John Doe|25");
    EXPECT_EQ(lines.Shown(1), "2||Zoë");
    EXPECT_EQ(std::string(lines.get().bytes, lines.get().size),
              "{\"id\": \"1\", \"name\": \"John Doe\", \"age\": \"25\"}\n"
              "{\"id\": \"2\", \"name\": \"\", \"age\": \"Zoë\"}\n");
    EXPECT_EQ(lines.Line(0).size() + lines.Line(1).size(), lines.get().size);
    EXPECT_TRUE(lines.IsNameWithinLine(0));
}

TEST(RecordLines, TextsThatAreEscapedInTheLineFollowIt) {
    Lines lines(1000, 1);
    const std::string name = "\"Joe\"\n\x01\\";
    ASSERT_TRUE(lines.Append("1", name, "2"));
    EXPECT_EQ(lines.Line(0),
              "{\"id\": \"1\", \"name\": \"\\\"Joe\\\"\\n\\u0001\\\\\", \"age\": \"2\"}\n");
    EXPECT_EQ(lines.Shown(0), "1|" + name + "|2");
    EXPECT_FALSE(lines.IsNameWithinLine(0));
}

TEST(RecordLines, TheSizeIsExact) {
    const std::string id = "1";
    const std::string age = "2";
    for (const std::string &name : {""s, "plain"s, "\"\b\f\n\r\t\x02\\"s, "Zoë"s, "a\0b"s}) {
        const record record = {Text(id), Text(name), Text(age)};
        const size_t size = record_lines_size_of(&record);
        Lines enough(size, 1);
        EXPECT_TRUE(enough.Append(id, name, age));
        EXPECT_EQ(enough.get().size, size);
        Lines too_little(size - 1, 1);
        EXPECT_FALSE(too_little.Append(id, name, age));
        EXPECT_EQ(too_little.get().size, 0u);
        EXPECT_EQ(too_little.get().count, 0u);
    }
}

TEST(RecordLines, NoMoreThanThereArePlaces) {
    Lines lines(1000, 1);
    EXPECT_TRUE(lines.Append("1", "n", "a"));
    EXPECT_FALSE(lines.Append("2", "n", "a"));
    EXPECT_EQ(lines.get().count, 1u);
}

std::string Format(const std::string &id, const std::string &name, const std::string &age) {
    record record = {Text(id), Text(name), Text(age)};
    std::string line(record_line_size(&record), '\0');
    size_t size = record_line_format(&record, line.data());
    EXPECT_EQ(size, line.size());
    line.resize(size);
    return line;
}

TEST(RecordLine, LooksLikeTheSpecification) {
    EXPECT_EQ(Format("1", "John Doe", "25"),
              "{\"id\": \"1\", \"name\": \"John Doe\", \"age\": \"25\"}\n");
}

TEST(RecordLine, EmptyTexts) {
    EXPECT_EQ(Format("", "", ""), "{\"id\": \"\", \"name\": \"\", \"age\": \"\"}\n");
}

TEST(RecordLine, EscapesWhatJsonDoesNotAllowInAString) {
    EXPECT_EQ(Format("\"", "\\\n\r\t\b\f", "\x01\x1f\x7f/"),
              "{\"id\": \"\\\"\", \"name\": \"\\\\\\n\\r\\t\\b\\f\", \"age\": "
              "\"\\u0001\\u001f\x7f/\"}\n");
}

TEST(RecordLine, LeavesUtf8AsItIs) {
    EXPECT_EQ(Format("é", "日本", "😀"), "{\"id\": \"é\", \"name\": \"日本\", \"age\": \"😀\"}\n");
}

TEST(RecordLine, TheLongestFormFits) {
    std::string worst(1000, '\x01');
    EXPECT_EQ(Format(worst, worst, worst).size(), 3 * 6000 + Format("", "", "").size());
}

std::string FormatError(const char *message, size_t capacity) {
    std::string line(capacity, '\0');
    line.resize(record_line_format_error(message, line.data(), line.size()));
    return line;
}

TEST(RecordLine, Errors) {
    EXPECT_EQ(FormatError("no \"id\"", 100), "{\"error\": \"no \\\"id\\\"\"}\n");
    std::string cut = FormatError(std::string(1000, '"').c_str(), 100);
    EXPECT_LE(cut.size(), 100u);
    EXPECT_EQ(cut.substr(cut.size() - 5), "\\\"\"}\n");
}

} // namespace
