#include "server/sessions/session.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

const char kClientId[] = "123e4567-e89b-12d3-a456-426614174000";

session MakeSession(uint32_t number_count, uint32_t batch_size, generator_kind kind) {
    session made = {};
    memcpy(made.client_id, kClientId, sizeof kClientId);
    made.number_count = number_count;
    made.batch_size = batch_size;
    made.kind = kind;
    for (size_t i = 0; i < sizeof made.key; i++) {
        made.key[i] = static_cast<uint8_t>(i * 37 + 250);
    }
    return made;
}

TEST(Session, CountsItsBatches) {
    const struct {
        uint32_t number_count, batch_size, batch_count;
    } cases[] = {{0, 5, 0},  {1, 5, 1},         {5, 5, 1},         {6, 5, 2},
                 {10, 5, 2}, {65535, 1, 65535}, {65535, 65535, 1}, {65535, 65534, 2}};
    for (const auto &expected : cases) {
        session made = MakeSession(expected.number_count, expected.batch_size, GENERATOR_KEYED);
        EXPECT_EQ(session_batch_count(&made), expected.batch_count)
            << expected.number_count << " by " << expected.batch_size;
    }
}

TEST(Session, StartsTheGeneratorOfItsKind) {
    session python = MakeSession(5, 5, GENERATOR_PYTHON);
    generator source;
    session_start_generator(&python, &source);
    uint8_t numbers[5];
    generator_read(&source, 0, numbers, 5);
    const uint8_t expected[] = {6, 41, 81, 68, 68};
    EXPECT_EQ(memcmp(numbers, expected, sizeof numbers), 0);

    session keyed = MakeSession(5, 5, GENERATOR_KEYED);
    session_start_generator(&keyed, &source);
    EXPECT_EQ(source.kind, GENERATOR_KEYED);
    EXPECT_EQ(memcmp(source.key, keyed.key, sizeof keyed.key), 0);
}

TEST(Session, ReadsBackItsText) {
    for (generator_kind kind : {GENERATOR_KEYED, GENERATOR_PYTHON}) {
        for (uint32_t number_count : {0u, 7u, 65535u}) {
            session made = MakeSession(number_count, 65535, kind);
            char text[SESSION_TEXT_SIZE_MAX];
            session_write_text(&made, text);
            session read;
            ASSERT_TRUE(session_parse_text(kClientId, text, strlen(text), &read)) << text;
            EXPECT_EQ(memcmp(&made, &read, sizeof made), 0) << text;
        }
    }
}

// Whatever else may stand under the key in a shared Redis is refused, not misread.
TEST(Session, RefusesAnyOtherText) {
    session made = MakeSession(10, 5, GENERATOR_KEYED);
    char text[SESSION_TEXT_SIZE_MAX];
    session_write_text(&made, text);
    const std::string good = text;
    session read;
    for (size_t size = 0; size < good.size(); size++) {
        EXPECT_FALSE(session_parse_text(kClientId, good.data(), size, &read)) << size;
    }
    for (size_t i = 0; i < good.size(); i++) {
        std::string bad = good;
        bad[i] = '~';
        EXPECT_FALSE(session_parse_text(kClientId, bad.data(), bad.size(), &read)) << bad;
    }
    const std::string key = good.substr(good.size() - 64);
    for (const std::string &bad :
         {good + " ", good + "0", std::string(1000, '1'), "1 65536 5 k " + key, "1 10 0 k " + key,
          "1 10 65536 k " + key, "1 -1 5 k " + key, "2 10 5 k " + key, "1 10 5 x " + key}) {
        EXPECT_FALSE(session_parse_text(kClientId, bad.data(), bad.size(), &read)) << bad;
    }
    EXPECT_FALSE(session_parse_text("short", good.data(), good.size(), &read));
}

// Each spelling that a lenient reader of numbers takes for one, and what it would write back is
// longer than the buffer for it.
TEST(Session, RefusesEveryOtherSpelling) {
    const std::string key(64, '0');
    const std::string nul(1, '\0');
    session read;
    for (const std::string &bad : {
             "1 -10 -5 k " + key,
             "1 4294967286 4294967291 k " + key,
             "1 +10 5 k " + key,
             "1  10 5 k " + key,
             "1\t10 5 k " + key,
             " 1 10 5 k " + key,
             "1 010 5 k " + key,
             "1 10 05 k " + key,
             "1 0x5 5 k " + key,
             "1 10 5 k" + key,
             "1 10 5 kk " + key,
             "1 10 5 k " + key + nul,
             "1 10 5 k " + nul + key.substr(1),
             "1 10 5 k" + nul + key,
             "1 10" + nul + " 5 k " + key,
             "1 10 5 k " + key.substr(1) + "A",
             "1 10 5 p " + key.substr(1) + "\xff",
             "1 10 5 k " + key + key,
             std::string("1 "),
             std::string("1 1"),
             nul,
         }) {
        // A copy of its own size, so that a sanitizer sees any byte read behind it.
        const std::vector<char> bytes(bad.begin(), bad.end());
        EXPECT_FALSE(session_parse_text(kClientId, bytes.data(), bytes.size(), &read)) << bad;
    }
    const std::string good = "1 10 5 k " + key;
    EXPECT_TRUE(session_parse_text(kClientId, good.data(), good.size(), &read));
    EXPECT_FALSE(session_parse_text("123e4567-e89b-12d3-a456-42661417400z", good.data(),
                                    good.size(), &read));
}

} // namespace
