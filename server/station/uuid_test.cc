#include "server/station/uuid.h"

#include <gtest/gtest.h>

#include <string>

namespace {

bool Normalize(const std::string &spelling, std::string *text) {
    char written[UUID_TEXT_LENGTH + 1];
    const bool is_uuid = uuid_normalize(
        {reinterpret_cast<const uint8_t *>(spelling.data()), spelling.size()}, written);
    *text = is_uuid ? written : "";
    return is_uuid;
}

TEST(Uuid, AllSpellingsAreOneAndTheSame) {
    for (const char *spelling :
         {"123e4567-e89b-12d3-a456-42661417400f", "123E4567-E89B-12D3-A456-42661417400F",
          "{123e4567-e89b-12d3-a456-42661417400f}", "urn:uuid:123e4567-e89b-12d3-a456-42661417400f",
          "URN:UUID:123E4567-e89b-12d3-a456-42661417400f", "123e4567e89b12d3a45642661417400F",
          "urn:uuid:123e4567e89b12d3a45642661417400f"}) {
        std::string text;
        EXPECT_TRUE(Normalize(spelling, &text)) << spelling;
        EXPECT_EQ(text, "123e4567-e89b-12d3-a456-42661417400f");
    }
}

TEST(Uuid, AnythingElseIsNone) {
    const std::string good = "123e4567-e89b-12d3-a456-42661417400f";
    std::string text;
    for (size_t size = 0; size < good.size(); size++) {
        EXPECT_FALSE(Normalize(good.substr(0, size), &text)) << size;
    }
    for (size_t i = 0; i < good.size(); i++) {
        for (char wrong : {'g', 'G', '\0', '@', '`', '/', ':', ' ', '\xff'}) {
            std::string bad = good;
            bad[i] = wrong;
            EXPECT_FALSE(Normalize(bad, &text)) << bad;
        }
        std::string bad = good;
        bad[i] = good[i] == '-' ? '0' : '-';
        EXPECT_FALSE(Normalize(bad, &text)) << bad;
    }
    for (const std::string &bad :
         {good + "0", " " + good, good + "\n", "{" + good, good + "}", "(" + good + ")",
          "{{" + good + "}}", std::string("urn:uuid:"), "urn:uuid:{" + good + "}x"}) {
        EXPECT_FALSE(Normalize(bad, &text)) << bad;
    }
}

} // namespace
