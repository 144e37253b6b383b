#include "server/sessions/generator.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

const std::string kClientId = "123e4567-e89b-12d3-a456-426614174000";
constexpr uint32_t kLongest = 65535;

std::vector<int> Read(generator *source, uint32_t first_index, size_t count) {
    std::vector<uint8_t> numbers(count);
    generator_read(source, first_index, numbers.data(), count);
    return std::vector<int>(numbers.begin(), numbers.end());
}

std::vector<int> ReadPython(const std::string &seed, uint32_t first_index, size_t count) {
    generator source;
    generator_init_python(&source, seed.data(), seed.size());
    return Read(&source, first_index, count);
}

generator KeyedGenerator(uint8_t fill) {
    const std::vector<uint8_t> key(GENERATOR_KEY_SIZE, fill);
    generator source;
    generator_init_keyed(&source, key.data());
    return source;
}

// Each line: random.seed(text); [random.randint(0, 100) for _ in range(n)], from CPython 3.
TEST(PythonGenerator, GivesTheNumbersOfCPython) {
    const std::vector<int> first = {6, 41, 81, 68, 68, 41, 10, 40, 78, 98};
    EXPECT_EQ(ReadPython(kClientId, 0, 10), first);
    const std::vector<int> batch_630 = {54, 94, 94, 19, 96};
    EXPECT_EQ(ReadPython(kClientId, 630 * 5, 5), batch_630);
    const std::vector<int> batch_1999 = {40, 53, 59, 98, 3};
    EXPECT_EQ(ReadPython(kClientId, 9995, 5), batch_1999);
    const std::vector<int> last = {26, 48, 60, 53, 77};
    EXPECT_EQ(ReadPython(kClientId, kLongest - 5, 5), last);

    const std::vector<int> of_empty_text = {58, 76, 26, 49, 93, 96, 28, 43, 99, 79};
    EXPECT_EQ(ReadPython("", 0, 10), of_empty_text);
    const std::vector<int> of_short_text = {34, 64, 8, 77, 76, 87, 82, 68, 22, 75};
    EXPECT_EQ(ReadPython("a", 0, 10), of_short_text);
    const std::vector<int> of_capitals = {54, 65, 55, 8, 63, 40, 2, 86, 10, 71};
    EXPECT_EQ(ReadPython("FFFFFFFF-0000-0000-0000-00000000000A", 0, 10), of_capitals);
}

// Leading zero bytes make the integer shorter, and CPython then seeds with fewer words.
TEST(PythonGenerator, DropsLeadingZeroWords) {
    const std::vector<int> expected = {29, 25, 79, 78, 27, 87, 90, 34, 79, 31};
    EXPECT_EQ(ReadPython(std::string("\0\0\0\0\0x", 6), 0, 10), expected);
}

TEST(PythonGenerator, GivesAnyPieceInAnyOrder) {
    const std::vector<int> whole = ReadPython(kClientId, 0, 2000);
    generator source;
    generator_init_python(&source, kClientId.data(), kClientId.size());
    for (uint32_t first_index : {1500u, 3u, 0u, 1995u, 700u, 700u}) {
        EXPECT_EQ(Read(&source, first_index, 5),
                  std::vector<int>(whole.begin() + first_index, whole.begin() + first_index + 5));
    }
}

TEST(KeyedGenerator, GivesAnyPieceInAnyOrderAndSize) {
    generator source = KeyedGenerator(7);
    const std::vector<int> whole = Read(&source, 0, 200);
    for (uint32_t first_index = 0; first_index < 100; first_index++) {
        for (uint32_t count = 0; count < 100; count++) {
            ASSERT_EQ(
                Read(&source, first_index, count),
                std::vector<int>(whole.begin() + first_index, whole.begin() + first_index + count));
        }
    }
}

TEST(KeyedGenerator, DependsOnTheKey) {
    generator one = KeyedGenerator(1);
    generator other = KeyedGenerator(2);
    EXPECT_NE(Read(&one, 0, 100), Read(&other, 0, 100));
}

TEST(KeyedGenerator, GivesTheWordsThatItsNumbersComeFrom) {
    generator source = KeyedGenerator(7);
    const std::vector<int> numbers = Read(&source, 3, 100);
    std::vector<uint32_t> words(100);
    generator_read_words(&source, 3, words.data(), words.size());
    uint32_t all = 0;
    for (size_t i = 0; i < words.size(); i++) {
        EXPECT_EQ(static_cast<int>(words[i] % (GENERATOR_NUMBER_MAX + 1)), numbers[i]);
        all |= words[i];
    }
    EXPECT_EQ(all, UINT32_MAX) << "every bit is in use";
}

// The expected count of each value is 648.9 with a standard deviation of 25.3; the key is fixed, so
// the bounds of six deviations cannot fail by chance.
TEST(KeyedGenerator, CoversItsRangeEvenly) {
    generator source = KeyedGenerator(9);
    std::vector<int> occurrences(256);
    for (int number : Read(&source, 0, kLongest)) {
        occurrences[static_cast<size_t>(number)]++;
    }
    for (int value = 0; value <= GENERATOR_NUMBER_MAX; value++) {
        EXPECT_NEAR(occurrences[static_cast<size_t>(value)], 649, 152) << "value " << value;
    }
    for (size_t value = GENERATOR_NUMBER_MAX + 1; value < occurrences.size(); value++) {
        EXPECT_EQ(occurrences[value], 0) << "value " << value;
    }
}

} // namespace
