// Each kernel that this CPU runs, beside the decoder that reads one record at a time: both must
// take the same records and write the same lines, wherever the bytes end.
#include "server/records/record_kernel.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "server/records/record_decoder.h"
#include "server/records/record_json.h"
#include "testing/guard_buffer.h"

namespace {

using std::string_literals::operator""s;

constexpr size_t kCountMax = 1000;

class RecordKernel : public testing::TestWithParam<size_t> {
  protected:
    void SetUp() override {
        ASSERT_EQ(guard_buffer_open(&input_, 64 * 1024), 0);
        ASSERT_EQ(guard_buffer_open(&output_, 128 * 1024), 0);
    }
    void TearDown() override {
        guard_buffer_close(&input_);
        guard_buffer_close(&output_);
    }

    // Learns the pattern of the first record, and takes what follows with the kernel. The bytes
    // end, and so does the room, where a page begins that must not be touched.
    void Run(const std::string &first, const std::string &rest, size_t room_size = 64 * 1024,
             size_t line_capacity = kCountMax,
             record_kernel_limits limits = {RECORDS_RECORD_SIZE_MAX, SIZE_MAX}) {
        const record_pattern pattern = Learn(first);
        char *data = guard_buffer_tail(&input_, rest.size());
        memcpy(data, rest.data(), rest.size());
        places_.resize(line_capacity);
        lines_ = {
            guard_buffer_tail(&output_, room_size), room_size, 0, places_.data(), line_capacity, 0};
        consumed_size_ =
            record_kernel_get(GetParam())->run(&pattern, &limits, data, rest.size(), &lines_);
        CheckLines(rest);
    }

    static record_pattern Learn(const std::string &bytes) {
        record_decoder_options options = {RECORDS_RECORD_SIZE_MAX, 0, false, nullptr};
        record_decoder decoder;
        record_decoder_init(&decoder, &options);
        record_event event;
        record_decoder_next(&decoder, bytes.data(), bytes.size(), false, &event);
        EXPECT_EQ(event.kind, RECORD_EVENT_RECORD) << bytes;
        record_pattern pattern = {};
        record_pattern_learn(&pattern, bytes.data(), bytes.size(), event.consumed_size,
                             &event.record);
        EXPECT_TRUE(pattern.is_known) << bytes;
        record_decoder_destroy(&decoder);
        return pattern;
    }

    // What was taken has to be what the reference reads.
    void CheckLines(const std::string &rest) const {
        record_decoder_options options = {RECORDS_RECORD_SIZE_MAX, 0, true, nullptr};
        record_decoder decoder;
        record_decoder_init(&decoder, &options);
        size_t at = 0;
        const char *line_end = lines_.bytes;
        for (size_t index = 0; index < lines_.count; index++) {
            record_event event;
            record_decoder_next(&decoder, rest.data() + at, rest.size() - at, true, &event);
            ASSERT_EQ(event.kind, RECORD_EVENT_RECORD);
            at += event.consumed_size;
            const record record = record_line_read(&places_[index]);
            ExpectText(record.id, event.record.id);
            ExpectText(record.name, event.record.name);
            ExpectText(record.age, event.record.age);
            std::string line(record_json_size_max(&event.record), '\0');
            line.resize(record_json_format(&event.record, &line[0]));
            EXPECT_EQ(std::string(places_[index].bytes, places_[index].size), line);
            EXPECT_EQ(places_[index].bytes, line_end) << "the lines do not touch";
            line_end += line.size();
        }
        EXPECT_EQ(lines_.size, static_cast<size_t>(line_end - lines_.bytes));
        EXPECT_LE(at, lines_.count == 0 ? rest.size() : consumed_size_);
        record_decoder_destroy(&decoder);
    }

    static void ExpectText(record_text text, record_text expected) {
        EXPECT_EQ(std::string(text.bytes, text.size), std::string(expected.bytes, expected.size));
    }

    guard_buffer input_;
    guard_buffer output_;
    std::vector<record_line> places_;
    record_lines lines_;
    size_t consumed_size_ = 0;
};

std::string Line(const std::string &id, const std::string &name = "John Doe",
                 const std::string &age = "25") {
    return "{\"Id\":\"" + id + "\",\"Name\":\"" + name + "\",\"Age\":\"" + age + "\"}\n";
}

// More than any kernel looks ahead, so that the records before it are not too near to the end.
const std::string kTail(128, ' ');

TEST_P(RecordKernel, TakesAllRecordsOfThePattern) {
    std::string rest;
    for (size_t number = 0; number < 100; number++) {
        rest += Line(std::to_string(number * number), std::string(number % 10, 'n'));
    }
    Run(Line("1"), rest + kTail);
    EXPECT_EQ(lines_.count, 100u);
    EXPECT_EQ(consumed_size_, rest.size());
}

// Every length of a text: in the first block, across blocks, over several of them.
TEST_P(RecordKernel, TextsOfAnyLengthAnywhere) {
    for (size_t size = 0; size < 300; size++) {
        const std::string text(size, 'x');
        Run(Line("1"), Line(text) + Line("a", text) + Line("a", "b", text) + Line("c") + kTail);
        ASSERT_EQ(lines_.count, 4u) << size;
    }
}

TEST_P(RecordKernel, ReadsNothingBehindTheEnd) {
    const std::string rest = Line("1") + Line("2", std::string(100, 'n')) + Line("3");
    for (size_t size = 0; size <= rest.size(); size++) {
        Run(Line("1"), rest.substr(0, size));
    }
}

TEST_P(RecordKernel, WritesNothingBehindTheRoom) {
    const std::string rest = Line("1") + Line("2", std::string(100, 'n')) + Line("3") + kTail;
    for (size_t room_size = 0; room_size < 1000; room_size++) {
        Run(Line("1"), rest, room_size);
        if (room_size == 999) {
            EXPECT_EQ(lines_.count, 3u);
        }
    }
}

TEST_P(RecordKernel, TakesNoMoreThanThereArePlaces) {
    Run(Line("1"), Line("1") + Line("2") + Line("3") + kTail, 64 * 1024, 2);
    EXPECT_EQ(lines_.count, 2u);
    EXPECT_EQ(consumed_size_, Line("1").size() + Line("2").size());
}

TEST_P(RecordKernel, MembersInAnyOrderAndSpacesAnywhere) {
    for (const char *order : {"ina", "ian", "nia", "nai", "ain", "ani"}) {
        auto make = [order](const std::string &id, const std::string &name,
                            const std::string &age) {
            std::string record = "{ ";
            for (const char *at = order; *at != '\0'; at++) {
                record += *at == 'i'   ? "\"ID\" :\"" + id + "\""
                          : *at == 'n' ? "\"name\":\t\"" + name + "\""
                                       : "\"aGe\" \n: \"" + age + "\"";
                record += at[1] == '\0' ? "\n}" : ", ";
            }
            return record;
        };
        Run(make("1", "2", "3"), make("4", "Jane", "") + make("", "", "6") + kTail);
        EXPECT_EQ(lines_.count, 2u) << order;
    }
}

// What it must leave to the parser.
TEST_P(RecordKernel, StopsAtWhatIsNotOfThePattern) {
    const std::string good = Line("1");
    const std::vector<std::string> others = {
        "{\"id\":\"1\",\"Name\":\"n\",\"Age\":\"2\"}\n",
        "{\"Id\":\"1\",\"Name\":\"n\",\"Age\":\"2\",}\n",
        "{\"Id\":\"1\",\"Name\":\"n\"}\n",
        "{\"Id\":\"1\",\"Name\":\"n\",\"Age\":25}\n",
        "{\"Id\":\"1\",\"Id\":\"n\",\"Age\":\"25\"}\n",
        Line("1", "a\\\"b"),
        Line("1", "a\"b"),
        Line("1", "a\nb"),
        Line("1", "a\tb"),
        Line("1", "a\0b"s),
        Line("1", "a\\u0041"),
        Line("a\x1F"),
        Line("1", "\x80"),
        Line("1", "n", "\xC3"),
        Line("\xED\xA0\x80"),
        Line("1", std::string(100, 'n') + "\xFF"),
        Line("1", std::string(100, 'n') + "\\\\"),
        "[" + good,
        "x" + good,
    };
    for (const std::string &other : others) {
        Run(good, good + good + other + good + kTail);
        EXPECT_EQ(lines_.count, 2u) << other;
        EXPECT_EQ(consumed_size_, 2 * good.size()) << other;
    }
}

TEST_P(RecordKernel, Utf8IsTakenAsItIs) {
    Run(Line("1"), Line("1", "Zoë") + Line("東京") + Line("2", "n", "😀") +
                       Line("3", std::string(100, 'n') + "Ł") + kTail);
    EXPECT_EQ(lines_.count, 4u);
}

TEST_P(RecordKernel, LimitsAreKept) {
    Run(Line("1"), Line("1", "0123456789") + Line("1", "0123456789a") + kTail, 64 * 1024, kCountMax,
        {RECORDS_RECORD_SIZE_MAX, 10});
    EXPECT_EQ(lines_.count, 1u);
    Run(Line("1"), Line("12345") + Line("123456") + kTail, 64 * 1024, kCountMax,
        {Line("12345").size(), SIZE_MAX});
    EXPECT_EQ(lines_.count, 1u);
}

// Every byte in every place of a text: the kernel takes just those that the shortcut and the
// reference take as they are.
TEST_P(RecordKernel, EveryByte) {
    for (int byte = 0; byte < 256; byte++) {
        const bool is_plain = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
        for (size_t at = 0; at < 70; at++) {
            std::string text(70, 'x');
            text[at] = static_cast<char>(byte);
            Run(Line("1"), Line("1", text) + kTail);
            ASSERT_EQ(lines_.count, is_plain ? 1u : 0u) << byte << " at " << at;
        }
    }
}

TEST(RecordKernels, EachHasItsName) {
    ASSERT_GE(record_kernel_count(), 1u);
    EXPECT_STREQ(record_kernel_get(0)->name, "portable");
    for (size_t index = 1; index < record_kernel_count(); index++) {
        EXPECT_STRNE(record_kernel_get(index)->name, record_kernel_get(index - 1)->name);
    }
}

INSTANTIATE_TEST_SUITE_P(All, RecordKernel, testing::Range(size_t{0}, record_kernel_count()),
                         [](const auto &param_info) {
                             return std::string(record_kernel_get(param_info.param)->name);
                         });

} // namespace
