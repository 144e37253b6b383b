// A decoded stream, written down: what the decoder's tests compare.
//
// Threading: one thread for each stream.
#ifndef SERVER_RECORDS_JSON_DECODED_STREAM_H_
#define SERVER_RECORDS_JSON_DECODED_STREAM_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/records/json/limits.h"
#include "server/records/json/record_decoder.h"

namespace harness {

inline std::string ToString(record_text text) {
    return {text.bytes, text.size};
}

inline record_decoder_options Options(bool reference_only = false) {
    return {RECORDS_RECORD_SIZE_MAX, {}, reference_only};
}

// Decodes one stream that arrives in pieces, as a connection does it, and writes down what happens:
// "id|name|age" for a record, "! why" for an error, "X why" for the end of the connection.
class DecodedStream {
  public:
    explicit DecodedStream(record_decoder_options options = Options()) {
        record_decoder_init(&decoder_, &options);
    }
    ~DecodedStream() {
        record_decoder_destroy(&decoder_);
    }
    DecodedStream(const DecodedStream &) = delete;
    DecodedStream &operator=(const DecodedStream &) = delete;

    void Receive(const std::string &bytes, bool at_end = false) {
        kept_ += bytes;
        while (!lost_) {
            record_event event;
            // A copy of exactly the right size: the sanitizer sees a read behind it.
            std::vector<char> exact(kept_.begin(), kept_.end());
            record_decoder_next(&decoder_, exact.data(), exact.size(), at_end, &event);
            ASSERT_LE(event.consumed_size, kept_.size());
            Note(event);
            kept_.erase(0, event.consumed_size);
            if (event.kind == RECORD_EVENT_PARTIAL) {
                break;
            }
        }
        if (!lost_) {
            ASSERT_LT(kept_.size(), at_end ? size_t{1} : size_t{RECORDS_RECORD_SIZE_MAX});
        }
    }

    const std::vector<std::string> &events() const {
        return events_;
    }

  private:
    void Note(const record_event &event) {
        switch (event.kind) {
        case RECORD_EVENT_RECORD:
            events_.push_back(ToString(event.record.id) + "|" + ToString(event.record.name) + "|" +
                              ToString(event.record.age));
            break;
        case RECORD_EVENT_ERROR:
            events_.push_back(std::string("! ") + event.message);
            break;
        case RECORD_EVENT_LOST:
            events_.push_back(std::string("X ") + event.message);
            lost_ = true;
            break;
        case RECORD_EVENT_PARTIAL:
            break;
        }
    }

    record_decoder decoder_;
    std::string kept_;
    std::vector<std::string> events_;
    bool lost_ = false;
};

inline std::vector<std::string> Decode(const std::string &bytes,
                                       record_decoder_options options = Options()) {
    DecodedStream stream(options);
    stream.Receive(bytes, true);
    return stream.events();
}

} // namespace harness

#endif // SERVER_RECORDS_JSON_DECODED_STREAM_H_
