#include "server/station/number_sequence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "server/station/limits.h"

namespace {

struct number_sequence Make() {
    uint8_t key[GENERATOR_KEY_SIZE];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = static_cast<uint8_t>(i);
    }
    struct number_sequence sequence;
    number_sequence_init(&sequence, key);
    return sequence;
}

std::vector<uint32_t> Read(struct number_sequence *sequence, uint32_t first_index, size_t count) {
    std::vector<uint32_t> numbers(count);
    number_sequence_read(sequence, first_index, numbers.data(), count);
    return numbers;
}

TEST(NumberSequence, ThePublishedPairHasItsChecksum) {
    const uint32_t numbers[] = {1327694389, 648333537};
    struct number_checksum checksum;
    number_checksum_init(&checksum);
    number_checksum_update(&checksum, numbers, 2);
    EXPECT_EQ(checksum.crc, 639769904U);
    number_checksum_init(&checksum);
    number_checksum_update(&checksum, numbers, 1);
    number_checksum_update(&checksum, numbers + 1, 1);
    EXPECT_EQ(checksum.crc, 639769904U);
}

TEST(NumberSequence, TheChecksumIsThatOfTheJoinedTexts) {
    // "0" "9" "10" "4294967295": echo -n 09104294967295 | gzip -c | tail -c8 | od -tu4 -N4
    const uint32_t numbers[] = {0, 9, 10, UINT32_MAX};
    struct number_checksum checksum;
    number_checksum_init(&checksum);
    number_checksum_update(&checksum, numbers, 4);
    EXPECT_EQ(checksum.crc, 3844492286U);
}

TEST(NumberSequence, AnyPieceIsTheSameAtAnyTime) {
    struct number_sequence sequence = Make();
    const std::vector<uint32_t> all = Read(&sequence, 0, 100);
    for (uint32_t first : {99U, 0U, 15U, 16U, 17U, 50U}) {
        const size_t count = 100 - first;
        EXPECT_EQ(Read(&sequence, first, count),
                  std::vector<uint32_t>(all.begin() + first, all.end()));
    }
}

TEST(NumberSequence, TheChecksumDoesNotDependOnWhereReadingBegan) {
    constexpr uint32_t kCount = LIMIT_NUMBER_COUNT_MAX;
    struct number_sequence whole = Make();
    for (uint32_t first = 0; first < kCount; first += LIMIT_PIECE_NUMBER_COUNT) {
        const uint32_t left = kCount - first;
        Read(&whole, first, std::min<uint32_t>(left, LIMIT_PIECE_NUMBER_COUNT));
    }
    EXPECT_EQ(whole.checksum.number_count, kCount) << "made once";
    const uint32_t checksum = number_sequence_checksum(&whole, kCount);

    struct number_sequence end = Make();
    Read(&end, kCount - 1, 1);
    EXPECT_EQ(number_sequence_checksum(&end, kCount), checksum);

    struct number_sequence overlapping = Make();
    Read(&overlapping, 0, 100);
    Read(&overlapping, 50, 100);
    Read(&overlapping, 10, 20);
    EXPECT_EQ(overlapping.checksum.number_count, 150U);
    EXPECT_EQ(number_sequence_checksum(&overlapping, kCount), checksum);

    struct number_sequence untouched = Make();
    EXPECT_EQ(number_sequence_checksum(&untouched, kCount), checksum);
}

} // namespace
