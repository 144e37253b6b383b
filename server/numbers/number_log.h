// The numbers server's lines: made for sending, and read back from its log.
//
// Threading: stateless.
#ifndef SERVER_NUMBERS_NUMBER_LOG_H_
#define SERVER_NUMBERS_NUMBER_LOG_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace harness {

// The size in bytes of a line, with its newline.
inline constexpr size_t kLineSize = 10;

// `number` (0 to 999999999) as nine digits and a newline.
std::string NumberLine(std::uint32_t number);

// The lines of `first`, `first` + 1, …: `count` of them.
std::string NumberLines(std::uint32_t first, size_t count);

// A log as it was found. It is sound when there are only whole lines of nine digits, and no number
// twice; `problem` says otherwise what the first fault is, and where.
struct NumberLog {
    std::vector<std::uint32_t> numbers; // ascending
    std::string problem;                // empty: sound
};
NumberLog ParseNumberLog(std::string_view content);

// Reads the log at `path`. A fault in it, or a log that cannot be read, fails the running test.
// Result: the numbers, ascending.
std::vector<std::uint32_t> ReadNumberLog(const std::string &path);

// `first`, `first` + 1, …: `count` numbers, for comparing with a log.
std::vector<std::uint32_t> NumberRange(std::uint32_t first, size_t count);

} // namespace harness

#endif // SERVER_NUMBERS_NUMBER_LOG_H_
