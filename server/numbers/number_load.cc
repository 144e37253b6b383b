#include "server/numbers/number_load.h"

#include <system_error>

#include "server/numbers/number_log.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

constexpr std::uint32_t kLinesPerSend = 5000;

} // namespace

NumberLoad::NumberLoad(std::uint16_t port, std::uint32_t client_count) : sent_sizes_(client_count) {
    for (std::uint32_t index = 0; index < client_count; ++index) {
        threads_.emplace_back([this, port, index] { RunClient(port, index); });
    }
}

NumberLoad::~NumberLoad() {
    Stop();
}

void NumberLoad::RunClient(std::uint16_t port, std::uint32_t index) {
    try {
        TcpClient client(port);
        const std::uint32_t first = index * kRangeSize;
        for (std::uint32_t count = 0; count < kRangeSize && !is_stopping_; count += kLinesPerSend) {
            if (!client.Send(NumberLines(first + count, kLinesPerSend))) {
                break;
            }
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        sent_sizes_[index] = client.sent_size();
    } catch (const std::system_error &) {
        // The server had ended before this client was there: it has sent nothing.
    }
}

std::vector<size_t> NumberLoad::WaitForEnd() {
    for (std::thread &thread : threads_) {
        thread.join();
    }
    threads_.clear();
    const std::lock_guard<std::mutex> lock(mutex_);
    return sent_sizes_;
}

void NumberLoad::Stop() {
    is_stopping_ = true;
    WaitForEnd();
}

void ExpectBeginnings(const std::vector<std::uint32_t> &numbers,
                      const std::vector<size_t> &sent_sizes) {
    std::vector<size_t> line_counts(sent_sizes.size());
    for (const std::uint32_t number : numbers) {
        const size_t client_index = number / NumberLoad::kRangeSize;
        ASSERT_LT(client_index, sent_sizes.size()) << number << " was sent by no client";
        ASSERT_EQ(number % NumberLoad::kRangeSize, line_counts[client_index])
            << "a gap in the numbers of client " << client_index;
        ++line_counts[client_index];
    }
    for (size_t index = 0; index < sent_sizes.size(); ++index) {
        EXPECT_LE(line_counts[index], sent_sizes[index] / kLineSize);
    }
}

} // namespace harness
