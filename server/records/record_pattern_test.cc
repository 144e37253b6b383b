#include "server/records/record_pattern.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

// A record in which the texts are marked: "<" and ">" stand for the quotes around id, name and age
// in the order that `order` names ("ina" is id, name, age).
class Marked {
  public:
    Marked(const std::string &marked, const std::string &order) {
        std::vector<size_t> begins, sizes;
        for (char byte : marked) {
            if (byte == '<') {
                bytes_ += '"';
                begins.push_back(bytes_.size());
            } else if (byte == '>') {
                sizes.push_back(bytes_.size() - begins.back());
                bytes_ += '"';
            } else {
                bytes_ += byte;
            }
        }
        for (size_t index = 0; index < order.size(); index++) {
            record_text text = {bytes_.data() + begins[index], sizes[index]};
            (order[index] == 'i'   ? record_.id
             : order[index] == 'n' ? record_.name
                                   : record_.age) = text;
        }
    }
    Marked(const Marked &) = delete;
    Marked &operator=(const Marked &) = delete;

    record_pattern Learn() const {
        record_pattern pattern = {};
        record_pattern_learn(&pattern, bytes_.data(), bytes_.size(), bytes_.rfind('}') + 1,
                             &record_);
        return pattern;
    }

  private:
    std::string bytes_;
    record record_ = {};
};

std::vector<std::string> Pieces(const record_pattern &pattern) {
    std::vector<std::string> pieces;
    for (const record_pattern_piece &piece : pattern.pieces) {
        pieces.emplace_back(piece.bytes, piece.size);
    }
    return pieces;
}

TEST(RecordPattern, PiecesAroundTheTexts) {
    const record_pattern pattern =
        Marked("{\"Id\":<1>, \"Name\" : <John Doe>,\n\"AGE\":<>}\r\n", "ina").Learn();
    ASSERT_TRUE(pattern.is_known);
    EXPECT_EQ(Pieces(pattern), (std::vector<std::string>{"{\"Id\":\"", "\", \"Name\" : \"",
                                                         "\",\n\"AGE\":\"", "\"}\r\n"}));
    EXPECT_EQ(pattern.places[RECORD_MEMBER_ID], 0);
    EXPECT_EQ(pattern.places[RECORD_MEMBER_NAME], 1);
    EXPECT_EQ(pattern.places[RECORD_MEMBER_AGE], 2);
    EXPECT_EQ(pattern.pieces[0].stop_count, 3u);
    EXPECT_EQ(pattern.pieces[1].stop_count, 4u);
    EXPECT_EQ(pattern.pieces[2].stop_count, 5u) << "a newline is a control character";
    EXPECT_EQ(pattern.pieces[0].ignored, UINT32_MAX << 7);
}

TEST(RecordPattern, MembersInAnotherOrder) {
    const record_pattern pattern = Marked("{\"age\":<>,\"id\":<>,\"name\":<>}", "ain").Learn();
    ASSERT_TRUE(pattern.is_known);
    EXPECT_EQ(pattern.places[RECORD_MEMBER_ID], 1);
    EXPECT_EQ(pattern.places[RECORD_MEMBER_NAME], 2);
    EXPECT_EQ(pattern.places[RECORD_MEMBER_AGE], 0);
    EXPECT_EQ(Pieces(pattern)[3], "\"}");
}

TEST(RecordPattern, NoPatternOfNumbers) {
    const std::string bytes = "{\"id\": 1, \"name\": \"n\", \"age\": \"2\"}";
    const record record = {{bytes.data() + bytes.find('1'), 1},
                           {bytes.data() + bytes.find("n\","), 1},
                           {bytes.data() + bytes.find('2'), 1}};
    record_pattern pattern = {};
    record_pattern_learn(&pattern, bytes.data(), bytes.size(), bytes.size(), &record);
    EXPECT_FALSE(pattern.is_known);
}

TEST(RecordPattern, NoPatternOfTextsThatStandElsewhere) {
    const std::string bytes = "{\"id\": \"1\", \"name\": \"n\", \"age\": \"2\"}";
    const std::string other = "\"x\"";
    const record record = {{bytes.data() + bytes.find('1'), 1},
                           {other.data() + 1, 1},
                           {bytes.data() + bytes.find('2'), 1}};
    record_pattern pattern = {};
    record_pattern_learn(&pattern, bytes.data(), bytes.size(), bytes.size(), &record);
    EXPECT_FALSE(pattern.is_known);
}

TEST(RecordPattern, APieceThatIsTooLongLeavesThePatternAsItWas) {
    const std::string spaces(RECORD_PATTERN_PIECE_SIZE_MAX, ' ');
    EXPECT_FALSE(
        Marked("{\"id\":" + spaces + "<1>,\"name\":<n>,\"age\":<2>}", "ina").Learn().is_known);
    EXPECT_FALSE(Marked("{\"id\":<1>,\"name\":<n>,\"age\":<2>}" + spaces, "ina").Learn().is_known);
}

} // namespace
