#include "server/records/record_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/records/record_json.h"

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
    bool AppendPlain(const std::string &id, const std::string &name, const std::string &age) {
        const record record = {Text(id), Text(name), Text(age)};
        return record_lines_append_plain(&lines_, &record);
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

TEST(RecordLines, PlainTextsAreTakenWithoutALook) {
    const std::string id = "17";
    const std::string age;
    for (const std::string &name : {""s, "John Doe"s, "Zoë"s, std::string(100, 'n')}) {
        const record record = {Text(id), Text(name), Text(age)};
        const size_t size = record_lines_size_of(&record);
        Lines looked_at(size, 1);
        Lines plain(size, 1);
        ASSERT_TRUE(looked_at.Append(id, name, age));
        ASSERT_TRUE(plain.AppendPlain(id, name, age));
        EXPECT_EQ(plain.Line(0), looked_at.Line(0));
        EXPECT_EQ(plain.Shown(0), looked_at.Shown(0));
        EXPECT_EQ(plain.get().size, size);
        EXPECT_FALSE(plain.AppendPlain(id, name, age)) << "no place";
        Lines too_little(size - 1, 1);
        EXPECT_FALSE(too_little.AppendPlain(id, name, age));
        EXPECT_EQ(too_little.get().count, 0u);
    }
}

TEST(RecordLines, NoMoreThanThereArePlaces) {
    Lines lines(1000, 1);
    EXPECT_TRUE(lines.Append("1", "n", "a"));
    EXPECT_FALSE(lines.Append("2", "n", "a"));
    EXPECT_EQ(lines.get().count, 1u);
}

} // namespace
