#include "server/records/record_json.h"

#include <gtest/gtest.h>

#include <string>

namespace {

record_text Text(const std::string &text) {
    return {text.data(), text.size()};
}

std::string Format(const std::string &id, const std::string &name, const std::string &age) {
    record record = {Text(id), Text(name), Text(age)};
    std::string line(record_json_size_max(&record), '\0');
    size_t size = record_json_format(&record, line.data());
    EXPECT_LE(size, line.size());
    line.resize(size);
    return line;
}

TEST(RecordJson, LooksLikeTheSpecification) {
    EXPECT_EQ(Format("1", "John Doe", "25"),
              "{\"id\": \"1\", \"name\": \"John Doe\", \"age\": \"25\"}\n");
}

TEST(RecordJson, EmptyTexts) {
    EXPECT_EQ(Format("", "", ""), "{\"id\": \"\", \"name\": \"\", \"age\": \"\"}\n");
}

TEST(RecordJson, EscapesWhatJsonDoesNotAllowInAString) {
    EXPECT_EQ(Format("\"", "\\\n\r\t\b\f", "\x01\x1f\x7f/"),
              "{\"id\": \"\\\"\", \"name\": \"\\\\\\n\\r\\t\\b\\f\", \"age\": "
              "\"\\u0001\\u001f\x7f/\"}\n");
}

TEST(RecordJson, LeavesUtf8AsItIs) {
    EXPECT_EQ(Format("é", "日本", "😀"), "{\"id\": \"é\", \"name\": \"日本\", \"age\": \"😀\"}\n");
}

TEST(RecordJson, TheLongestFormFits) {
    std::string worst(1000, '\x01');
    EXPECT_EQ(Format(worst, worst, worst).size(), 3 * 6000 + Format("", "", "").size());
}

std::string FormatError(const char *message, size_t capacity) {
    std::string line(capacity, '\0');
    line.resize(record_json_format_error(message, line.data(), line.size()));
    return line;
}

TEST(RecordJson, Errors) {
    EXPECT_EQ(FormatError("no \"id\"", 100), "{\"error\": \"no \\\"id\\\"\"}\n");
    std::string cut = FormatError(std::string(1000, '"').c_str(), 100);
    EXPECT_LE(cut.size(), 100u);
    EXPECT_EQ(cut.substr(cut.size() - 5), "\\\"\"}\n");
}

} // namespace
