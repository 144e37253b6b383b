// Plain records many at a time and the others one by one, as a connection reads them, beside the
// decoder that knows no short way.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/records/record_decoder.h"

namespace {

using std::string_literals::operator""s;

using Events = std::vector<std::string>;

class Stream {
  public:
    static constexpr size_t kRoomCount = 100;

    explicit Stream(const record_decoder_options &options, unsigned rest_count = 0) {
        record_decoder_init(&decoder_, &options);
        decoder_.rest = {rest_count, rest_count};
    }
    ~Stream() {
        record_decoder_destroy(&decoder_);
    }
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;

    void Receive(const std::string &bytes, bool at_end) {
        kept_ += bytes;
        record_event event;
        do {
            TakePlain();
            record_decoder_next(&decoder_, kept_.data(), kept_.size(), at_end, &event);
            if (event.kind == RECORD_EVENT_RECORD) {
                Note(event.record);
            } else if (event.kind == RECORD_EVENT_ERROR) {
                events_.push_back("! "s + event.message);
            }
            kept_.erase(0, event.consumed_size);
        } while (event.kind != RECORD_EVENT_PARTIAL);
    }

    const Events &events() const {
        return events_;
    }
    size_t plain_count() const {
        return plain_count_;
    }
    unsigned longest_rest_count() const {
        return longest_rest_count_;
    }

  private:
    void TakePlain() {
        char room[64 * kRoomCount];
        record_line places[kRoomCount];
        record_lines lines = {room, sizeof room, 0, places, kRoomCount, 0};
        const size_t size =
            record_decoder_take_plain(&decoder_, kept_.data(), kept_.size(), &lines);
        for (size_t index = 0; index < lines.count; index++) {
            Note(record_line_read(&places[index]));
        }
        kept_.erase(0, size);
        plain_count_ += lines.count;
        longest_rest_count_ = std::max(longest_rest_count_, decoder_.rest.count);
    }
    void Note(const record &record) {
        events_.push_back(ToString(record.id) + "|" + ToString(record.name) + "|" +
                          ToString(record.age));
    }
    static std::string ToString(record_text text) {
        return {text.bytes, text.size};
    }

    record_decoder decoder_;
    std::string kept_;
    Events events_;
    size_t plain_count_ = 0;
    unsigned longest_rest_count_ = 0;
};

record_decoder_options Options(const record_kernel *kernel) {
    return {RECORDS_RECORD_SIZE_MAX, 0, false, kernel};
}

const char kStrings[] = "{\"id\": \"1\", \"name\": \"John Doe\", \"age\": \"25\"}\n";
const char kNumbers[] = "{\"id\": 1, \"name\": \"John\", \"age\": 25}\n";
const char kOtherOrder[] = "{\"name\": \"Jane\", \"age\": \"\", \"id\": \"2\"}\n";
const char kEscape[] = "{\"id\": \"3\", \"name\": \"J\\u00f6hn\", \"age\": \"25\"}\n";
const char kBad[] = "{\"id\": \"4\", \"name\": \"bad\"}\n";

// Runs of every kind of record, from one to more than the kernel ever rests for.
std::string StreamOfRuns() {
    std::string bytes;
    for (int length = 1; length <= 4 * KERNEL_REST_COUNT_MAX; length *= 3) {
        for (const char *kind : {kStrings, kNumbers, kOtherOrder, kEscape, kBad}) {
            for (int count = 0; count < length; count++) {
                bytes += kind;
            }
        }
    }
    return bytes;
}

TEST(RecordDecoderPlain, SameEventsHoweverLongTheKernelRests) {
    const std::string bytes = StreamOfRuns();
    record_decoder_options reference_options = Options(nullptr);
    reference_options.reference_only = true;
    Stream reference(reference_options);
    reference.Receive(bytes, true);
    ASSERT_EQ(reference.plain_count(), 0u);
    for (size_t kernel = 0; kernel < record_kernel_count(); kernel++) {
        for (unsigned rest_count : {0u, 1u, 2u, static_cast<unsigned>(KERNEL_REST_COUNT_MAX)}) {
            for (size_t chunk_size : {bytes.size(), size_t{1000}, size_t{100}}) {
                Stream stream(Options(record_kernel_get(kernel)), rest_count);
                for (size_t at = 0; at < bytes.size(); at += chunk_size) {
                    stream.Receive(bytes.substr(at, chunk_size), at + chunk_size >= bytes.size());
                }
                ASSERT_EQ(stream.events(), reference.events())
                    << "kernel " << kernel << ", rest " << rest_count << ", chunks " << chunk_size;
                EXPECT_EQ(stream.longest_rest_count(), unsigned{KERNEL_REST_COUNT_MAX});
                EXPECT_GT(stream.plain_count(), 0u);
            }
        }
    }
}

TEST(RecordDecoderPlain, NumbersAndOtherOrdersArePlainToo) {
    std::string bytes;
    for (int count = 0; count < 20; count++) {
        bytes += kStrings + ""s + kNumbers + kOtherOrder;
    }
    Stream stream(Options(nullptr));
    stream.Receive(bytes, true);
    EXPECT_EQ(stream.plain_count(), 60u);
}

TEST(RecordDecoderPlain, TheKernelNeverRestsLongInAStreamOfOneKind) {
    std::string bytes;
    for (int count = 0; count < 1000; count++) {
        bytes += kStrings;
    }
    Stream stream(Options(nullptr));
    stream.Receive(bytes, true);
    EXPECT_GE(stream.plain_count(), 1000 - 1000 / Stream::kRoomCount)
        << "more than one left at the end of each room";
    EXPECT_LE(stream.longest_rest_count(), 2u);
}

} // namespace
