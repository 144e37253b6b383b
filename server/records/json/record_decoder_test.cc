#include "server/records/json/record_decoder.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "server/records/json/decoded_stream.h"

namespace {

using std::string_literals::operator""s;

using harness::Decode;
using harness::DecodedStream;
using harness::Options;
using harness::ToString;
using Events = std::vector<std::string>;

const char kJohn[] = R"({"id": "1", "name": "John Doe", "age": "25"})";
const char kJane[] = R"({"id": "2", "name": "Jane Roe", "age": "31"})";

TEST(RecordDecoder, OneRecordWithOrWithoutNewline) {
    EXPECT_EQ(Decode(kJohn), Events{"1|John Doe|25"});
    EXPECT_EQ(Decode(kJohn + "\n"s), Events{"1|John Doe|25"});
    EXPECT_EQ(Decode(kJohn + "\r\n"s), Events{"1|John Doe|25"});
}

TEST(RecordDecoder, NothingAtAll) {
    EXPECT_EQ(Decode(""), Events{});
    EXPECT_EQ(Decode(" \r\n\t\n"), Events{});
}

TEST(RecordDecoder, ARecordIsReportedBeforeTheStreamEnds) {
    DecodedStream stream;
    stream.Receive(kJohn);
    EXPECT_EQ(stream.events(), Events{"1|John Doe|25"});
}

TEST(RecordDecoder, SeveralRecordsHoweverTheyAreSeparated) {
    Events both = {"1|John Doe|25", "2|Jane Roe|31"};
    EXPECT_EQ(Decode(kJohn + ""s + kJane), both);
    EXPECT_EQ(Decode(kJohn + " \n\n "s + kJane), both);
    EXPECT_EQ(Decode(kJohn + "\n"s + kJane + "\n"), both);
}

TEST(RecordDecoder, KeysInAnyLetterCaseAndAnyOrder) {
    EXPECT_EQ(Decode(R"({"Id": "7", "Name": "John Hasa", "Age": "30"})"), Events{"7|John Hasa|30"});
    EXPECT_EQ(Decode(R"({"AGE":"30","nAmE":"n","ID":"7"})"), Events{"7|n|30"});
}

TEST(RecordDecoder, ARecordOverSeveralLines) {
    EXPECT_EQ(Decode("{\n  \"id\": \"1\",\n  \"name\": \"n\",\n  \"age\": \"2\"\n}\n"),
              Events{"1|n|2"});
}

TEST(RecordDecoder, NumbersKeepTheirText) {
    EXPECT_EQ(Decode(R"({"id": 17, "name": "n", "age": 25})"), Events{"17|n|25"});
    EXPECT_EQ(Decode(R"({"id": 12345678901234567890123, "name": "n", "age": 2.50})"),
              Events{"12345678901234567890123|n|2.50"});
    EXPECT_EQ(Decode(R"({"age": -1.5E+2 ,"name": "a\"b", "id":0})"), Events{"0|a\"b|-1.5E+2"});
    EXPECT_EQ(Decode(R"({"age": 007, "name": "n", "id": "1"})").size(), 1u);
    EXPECT_EQ(Decode(R"({"age": 007, "name": "n", "id": "1"})")[0].substr(0, 11), "! bad JSON:");
}

TEST(RecordDecoder, NumbersOfAnySizeKeepTheirText) {
    const std::string digits(400, '7');
    for (const std::string &number :
         {"1e400"s, "-1E+4000"s, digits, "-" + digits + ".5e-3", "0.0e" + digits}) {
        EXPECT_EQ(
            Decode(R"({"id": )" + number + R"(, "name": "n 1e400 \"", "age":)" + number + "}"),
            Events{number + "|n 1e400 \"|" + number});
    }
}

TEST(RecordDecoder, EscapesAndUnicode) {
    EXPECT_EQ(Decode(R"({"id": "\u0041\n", "name": "Zoë 日本 \ud83d\ude00", "age": "\"}{"})"),
              Events{"A\n|Zoë 日本 😀|\"}{"});
}

struct BadInput {
    const char *what;
    std::string bytes;
    std::string message_begin;
};

// Every one of them is dropped with one line, and the records around it are kept.
const BadInput kBadInputs[] = {
    {"truncated in a string", R"({"id": "1", "name": "Jo)", "bad JSON: newline inside a string"},
    {"truncated between members", R"({"id": "1",)", "record not closed before the next one"},
    {"truncated before a value", R"({"id": "1", "name":)", "record not closed before the next one"},
    {"nested object", R"({"id": "1", "name": {"first": "J"}, "age": "2"})",
     "\"name\" is not a string"},
    {"nested array", R"({"id": ["1"], "name": "n", "age": "2"})", "\"id\" is not a string"},
    {"null", R"({"id": null, "name": "n", "age": "2"})", "\"id\" is not a string"},
    {"boolean", R"({"id": "1", "name": "n", "age": true})", "\"age\" is not a string"},
    {"number for the name", R"({"id": "1", "name": 5, "age": "2"})", "\"name\" is not a string"},
    {"missing member", R"({"id": "1", "name": "n"})", "\"age\" is missing"},
    {"empty object", "{}", "\"id\" is missing"},
    {"other member", R"({"id": "1", "name": "n", "age": "2", "x": "y"})", "unknown member \"x\""},
    {"other member that is an object", R"({"a": {"b": [{}]}, "id": "1", "name": "n", "age": "2"})",
     "unknown member \"a\""},
    {"duplicate key", R"({"id": "1", "id": "2", "name": "n", "age": "2"})",
     "bad JSON: duplicate object key"},
    {"duplicate key in another case", R"({"id": "1", "ID": "2", "name": "n", "age": "2"})",
     "\"id\" appears twice"},
    {"bad UTF-8", "{\"id\": \"1\", \"name\": \"\xC3\x28\", \"age\": \"2\"}",
     "bad JSON: unable to decode byte 0xc3"},
    {"overlong UTF-8", "{\"id\": \"1\", \"name\": \"\xC0\xAF\", \"age\": \"2\"}", "bad JSON: "},
    {"surrogate in UTF-8", "{\"id\": \"1\", \"name\": \"\xED\xA0\x80\", \"age\": \"2\"}",
     "bad JSON: "},
    {"lone surrogate", R"({"id": "1", "name": "\ud83d", "age": "2"})", "bad JSON: "},
    {"NUL byte", "{\"id\": \"1\", \"name\": \"a\0b\", \"age\": \"2\"}"s, "bad JSON: NUL byte"},
    {"NUL byte behind a number", "{\"id\": 1\0, \"name\": \"n\", \"age\": \"2\"}"s,
     "bad JSON: NUL byte"},
    {"escaped NUL", R"({"id": "1", "name": "a\u0000b", "age": "2"})", "bad JSON: NUL in a string"},
    {"escaped NUL in a key", R"({"id": "1", "na\u0000me": "ab", "age": "2"})",
     "bad JSON: NUL in a string"},
    {"control character", "{\"id\": \"1\", \"name\": \"a\x01z\", \"age\": \"2\"}", "bad JSON: "},
    {"no JSON", "get data", "not a JSON object"},
    {"numbers in an array", "[1, 2, 3]", "not a JSON object"},
    {"closing brace too many", "}", "not a JSON object"},
    {"mismatched bracket", R"({"id": ], "name": "n", "age": "2"})", "bad JSON: "},
    {"missing comma", R"({"id": "1" "name": "n", "age": "2"})", "bad JSON: "},
    {"single quotes", R"({'id': '1', 'name': 'n', 'age': '2'})", "bad JSON: "},
    {"two signs before a large number", R"({"id": --1e999, "name": "n", "age": "2"})",
     "bad JSON: "},
    {"a large number with more behind it", R"({"id": 1e999x, "name": "n", "age": 1})",
     "bad JSON: "},
    {"a large number for the name", R"({"id": "1", "name": 1e999, "age": "2"})",
     "\"name\" is not a string"},
    {"closing brackets too many and more", "]]}", "not a JSON object"},
    {"deep nesting inside", "{\"id\": " + std::string(30000, '[') + "}", "bad JSON: "},
    {"too large", "{\"id\": \"" + std::string(RECORDS_RECORD_SIZE_MAX, 'x') + "\"}",
     "record larger than 65536 bytes"},
};

TEST(RecordDecoder, BadInputsCostOneLineAndNothingElse) {
    for (const BadInput &bad : kBadInputs) {
        for (bool reference_only : {false, true}) {
            Events events =
                Decode(kJohn + "\n"s + bad.bytes + "\n" + kJane + "\n", Options(reference_only));
            ASSERT_EQ(events.size(), 3u) << bad.what;
            EXPECT_EQ(events[0], "1|John Doe|25") << bad.what;
            EXPECT_EQ(events[1].substr(0, 2 + bad.message_begin.size()), "! " + bad.message_begin)
                << bad.what;
            EXPECT_EQ(events[2], "2|Jane Roe|31") << bad.what;
        }
    }
}

TEST(RecordDecoder, GarbageEndsAtTheNextBrace) {
    EXPECT_EQ(Decode("xyz"s + kJohn), (Events{"! not a JSON object", "1|John Doe|25"}));
}

TEST(RecordDecoder, ArraysAndOtherSequencesAreSoManyRecords) {
    const Events both = {"1|John Doe|25", "2|Jane Roe|31"};
    EXPECT_EQ(Decode("["s + kJohn + ", " + kJane + "]\n"), both);
    EXPECT_EQ(Decode("[\n  "s + kJohn + ",\n  " + kJane + "\n]"), both);
    EXPECT_EQ(Decode("[[]]["s + kJohn + "],[" + kJane + "]"), both);
    EXPECT_EQ(Decode("\x1E"s + kJohn + "\n\x1E" + kJane + "\n"), both) << "RFC 7464";
    EXPECT_EQ(Decode(kJohn + "\0"s + kJane + "\0"s), both);
    EXPECT_EQ(Decode("\xEF\xBB\xBF"s + kJohn + kJane), both) << "a byte order mark";
    EXPECT_EQ(Decode("\xEF\xBB\xBF["s + kJohn + "," + kJane + "]"), both);
    EXPECT_EQ(Decode("\xEF\xBB\xBF"), Events{});
}

TEST(RecordDecoder, AByteOrderMarkStandsAtTheStartOnly) {
    EXPECT_EQ(Decode(kJohn + "\xEF\xBB\xBF"s + kJane),
              (Events{"1|John Doe|25", "! not a JSON object", "2|Jane Roe|31"}));
    EXPECT_EQ(Decode("\xEF\xBB"), Events{"! not a JSON object"});
}

TEST(RecordDecoder, AnHttpRequestEndsTheConnection) {
    const std::string body = "Host: x\r\n\r\n"s + kJohn;
    for (const std::string &line : {"GET / HTTP/1.1"s, "POST /" + std::string(kJohn) + " HTTP/1.0",
                                    "patch * HTTP/1.1"s, "PRI * HTTP/2.0"s, "M-SEARCH / HTTP/9.9"s,
                                    "GET " + std::string(8000, 'x') + " HTTP/1.1"}) {
        for (const char *end : {"\r\n", "\n"}) {
            EXPECT_EQ(Decode(line + end + body), Events{"X this is no HTTP server"}) << line;
        }
    }
    // Not the first line, or no HTTP.
    EXPECT_EQ(Decode(kJohn + "\nGET / HTTP/1.1\n"s + kJane),
              (Events{"1|John Doe|25", "! not a JSON object", "2|Jane Roe|31"}));
    EXPECT_EQ(Decode("GET /\n"s + kJane), (Events{"! not a JSON object", "2|Jane Roe|31"}));
    EXPECT_EQ(Decode(" HTTP/1.1\n"s + kJane), (Events{"! not a JSON object", "2|Jane Roe|31"}));
}

TEST(RecordDecoder, HalfARecordAtTheEndOfTheStream) {
    std::string john = kJohn;
    for (size_t size = 1; size < john.size(); size++) {
        EXPECT_EQ(Decode(kJane + john.substr(0, size)),
                  (Events{"2|Jane Roe|31", "! end of stream inside a record"}));
    }
}

TEST(RecordDecoder, TheLargestRecordAndOneByteMore) {
    std::string empty = R"({"id": "1", "name": "", "age": "2"})";
    std::string name(RECORDS_RECORD_SIZE_MAX - empty.size(), 'n');
    std::string largest = R"({"id": "1", "name": ")" + name + R"(", "age": "2"})";
    ASSERT_EQ(largest.size(), size_t{RECORDS_RECORD_SIZE_MAX});
    EXPECT_EQ(Decode(largest + kJane), (Events{"1|" + name + "|2", "2|Jane Roe|31"}));

    std::string larger = R"({"id": "1", "name": "n)" + name + R"(", "age": "2"})";
    EXPECT_EQ(Decode(larger + kJane),
              (Events{"! record larger than 65536 bytes", "2|Jane Roe|31"}));
}

TEST(RecordDecoder, GivesUpWhereNoNextRecordCanBeFound) {
    std::string noise(RECORDS_SKIP_SIZE_MAX + 10, 'x');
    Events expected = {"1|John Doe|25", "! not a JSON object",
                       "X no next record found in 1048576 bytes"};
    EXPECT_EQ(Decode(kJohn + noise + kJane), expected);

    std::string open(3 * RECORDS_SKIP_SIZE_MAX, '{');
    EXPECT_EQ(Decode(open), (Events{"! record larger than 65536 bytes",
                                    "X no next record found in 1048576 bytes"}));
}

TEST(RecordDecoder, LimitInCharacters) {
    record_decoder_options options = Options();
    options.limits = {{4, 4, 5}};
    EXPECT_EQ(Decode(R"({"id": "1234", "name": "Zoë!", "age": 12345})", options),
              Events{"1234|Zoë!|12345"});
    EXPECT_EQ(Decode(R"({"id": "12345", "name": "n", "age": "1"})", options),
              Events{"! \"id\" is longer than 4 characters"});
    EXPECT_EQ(Decode(R"({"id": "1", "name": "Zoë!!", "age": "1"})", options),
              Events{"! \"name\" is longer than 4 characters"});
    EXPECT_EQ(Decode(R"({"id": "1", "name": "n", "age": 123456})", options),
              Events{"! \"age\" is longer than 5 characters"});
}

// A stream with something of everything in it, short enough to cut it everywhere.
std::string MixedStream() {
    return "{\"Id\":\"1\",\"Name\":\"J\\\\\",\"Age\":3}x\n{\"id\":\"}\",\"name\":\"\xC3\xAB{\","
           "\"age\":\"2\"}"
           "{\"id\":\"1\",\n{\"id\": \"\n "
           "{\"a\":{}}\r\n[]{\"age\":1,\"name\":\"\",\"id\":2.0}{\"id\"";
}

TEST(RecordDecoder, EveryCutGivesTheSameEvents) {
    for (const std::string &bytes :
         {MixedStream(), "\xEF\xBB\xBFx"s + kJohn, "G / HTTP/1.1\r\n{"s,
          "\xEF\xBB\xBFG / HTTP/1.1\r\n{"s, "\xEF\xBB\xBF\xEF\xBB\xBF"s + kJohn}) {
        const Events expected = Decode(bytes);
        for (size_t first = 0; first <= bytes.size(); first++) {
            for (size_t second = first; second <= bytes.size(); second++) {
                DecodedStream stream;
                stream.Receive(bytes.substr(0, first));
                stream.Receive(bytes.substr(first, second - first));
                stream.Receive(bytes.substr(second), true);
                ASSERT_EQ(stream.events(), expected) << first << " " << second;
            }
        }
    }
}

TEST(RecordDecoder, OneByteAtATimeGivesTheSameEvents) {
    std::string bytes = MixedStream();
    DecodedStream stream;
    for (char byte : bytes) {
        stream.Receive(std::string(1, byte));
    }
    stream.Receive("", true);
    EXPECT_EQ(stream.events(), Decode(bytes));
}

TEST(RecordDecoder, TheShortcutAgreesWithTheParser) {
    std::string bytes = MixedStream();
    EXPECT_EQ(Decode(bytes, Options(true)), Decode(bytes, Options(false)));
    // Every byte value at every place of a plain record.
    std::string plain = R"({ "id" : 12 ,"name":"Jo","age":"3" })";
    for (size_t at = 0; at < plain.size(); at++) {
        for (int byte = 0; byte < 256; byte++) {
            std::string changed = plain;
            changed[at] = static_cast<char>(byte);
            ASSERT_EQ(Decode(changed, Options(true)), Decode(changed, Options(false)))
                << "byte " << byte << " at " << at;
        }
    }
}

// Records of every kind by turns, many at a time and the others one by one, as a connection reads
// them.
TEST(RecordDecoder, ManyAtATimeAreTheSame) {
    const std::string bytes = std::string(kJohn) + kJohn + "\n" + kJane +
                              R"({"id": 1, "name": "n", "age": 25})" +
                              R"([{"name": "Jane", "age": "", "id": "2"},)" +
                              R"({"id": "3", "name": "J\u00f6", "age": "5"}])" + kJohn +
                              R"({"id": "4", "name": "bad"})" + kJane + kJohn;
    record_decoder decoder;
    const record_decoder_options options = Options();
    record_decoder_init(&decoder, &options);
    Events events;
    size_t at = 0;
    size_t many_count = 0;
    record_event event;
    auto note = [&](const record &record) {
        events.push_back(ToString(record.id) + "|" + ToString(record.name) + "|" +
                         ToString(record.age));
    };
    do {
        char room[200];
        record_line places[3];
        record_lines lines = {room, sizeof room, 0, places, 3, 0};
        at += record_decoder_take_plain(&decoder, bytes.data() + at, bytes.size() - at, &lines);
        for (size_t index = 0; index < lines.count; index++) {
            note(record_line_read(&places[index]));
        }
        many_count += lines.count;
        record_decoder_next(&decoder, bytes.data() + at, bytes.size() - at, true, &event);
        at += event.consumed_size;
        if (event.kind == RECORD_EVENT_RECORD) {
            note(event.record);
        } else if (event.kind == RECORD_EVENT_ERROR) {
            events.push_back("! "s + event.message);
        }
    } while (event.kind != RECORD_EVENT_PARTIAL);
    record_decoder_destroy(&decoder);
    EXPECT_EQ(events, Decode(bytes, Options(true)));
    EXPECT_GE(many_count, 5u);
}

// The input ends at a page that may not be read, so that one byte too far is a crash.
TEST(RecordDecoder, ReadsNoByteBehindTheInput) {
    size_t page_size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    char *pages = static_cast<char *>(
        mmap(nullptr, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(pages, MAP_FAILED);
    ASSERT_EQ(mprotect(pages + page_size, page_size, PROT_NONE), 0);
    std::string bytes = MixedStream();
    for (size_t size = 0; size <= bytes.size(); size++) {
        char *begin = pages + page_size - size;
        memcpy(begin, bytes.data(), size);
        record_decoder decoder;
        record_decoder_options options = Options();
        record_decoder_init(&decoder, &options);
        size_t at = 0;
        record_event event;
        do {
            record_decoder_next(&decoder, begin + at, size - at, true, &event);
            at += event.consumed_size;
        } while (event.kind != RECORD_EVENT_PARTIAL);
        EXPECT_EQ(at, size);
        record_decoder_destroy(&decoder);
    }
    munmap(pages, 2 * page_size);
}

} // namespace
