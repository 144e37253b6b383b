#include "server/sessions/checksum.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

std::string ChecksumOf(const std::vector<uint8_t> &numbers, size_t piece_size) {
    checksum sum;
    checksum_init(&sum);
    for (size_t i = 0; i < numbers.size(); i += piece_size) {
        checksum_update(&sum, numbers.data() + i, std::min(piece_size, numbers.size() - i));
    }
    char text[CHECKSUM_TEXT_LENGTH + 1];
    checksum_finish(&sum, text);
    return text;
}

// Python: hashlib.md5(str(numbers).encode()).hexdigest(); the last two are published vectors.
TEST(Checksum, IsTheMd5OfPythonsList) {
    EXPECT_EQ(ChecksumOf({}, 1), "d751713988987e9331980363e24189ce");
    EXPECT_EQ(ChecksumOf({100}, 1), "5dd14615efeb2d086e519ed35efd3f73");
    EXPECT_EQ(ChecksumOf({6, 41, 81, 68, 68}, 5), "f90b20dae8c9b7d7be2a5fb7cc856e8b");
    EXPECT_EQ(ChecksumOf({6, 41, 81, 68, 68, 41, 10, 40, 78, 98}, 10),
              "9b14501c5359fb4eac96df9e874348b2");
}

TEST(Checksum, DoesNotDependOnThePieces) {
    std::vector<uint8_t> numbers;
    for (int number = 0; number < 256; number++) {
        numbers.push_back(static_cast<uint8_t>(number));
    }
    for (size_t piece_size = 1; piece_size <= numbers.size(); piece_size++) {
        EXPECT_EQ(ChecksumOf(numbers, piece_size), "e2aba17168786245d6b6e3d7016f8784");
    }
}

} // namespace
