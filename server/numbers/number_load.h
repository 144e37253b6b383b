// Load for the numbers server: clients that stream consecutive numbers as fast as they are taken.
//
// Each client has a range of its own, so that the log tells what became of each one's lines: the
// server reads a connection in order, so what it keeps of it in an orderly end is the range's
// beginning, without a gap. Ownership: the object owns its threads and their connections; the
// destructor ends them. Threading: an object belongs to one thread.
#ifndef SERVER_NUMBERS_NUMBER_LOAD_H_
#define SERVER_NUMBERS_NUMBER_LOAD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace harness {

class NumberLoad {
  public:
    // The size of a client's range: as many numbers as there are go to at most ten clients.
    static constexpr std::uint32_t kRangeSize = 100000000;

    // Starts `client_count` clients (at most ten) of the server at `port`.
    NumberLoad(std::uint16_t port, std::uint32_t client_count);
    ~NumberLoad();
    NumberLoad(const NumberLoad &) = delete;
    NumberLoad &operator=(const NumberLoad &) = delete;

    // Waits until every client has stopped, which it does when the server ends its connection.
    // Result: for each client, how many bytes its kernel has taken.
    std::vector<size_t> WaitForEnd();

    // Tells the clients to stop, and waits for them. Their connections close without an answer.
    void Stop();

  private:
    void RunClient(std::uint16_t port, std::uint32_t index);

    std::atomic<bool> is_stopping_{false};
    std::mutex mutex_; // Guards the sizes.
    std::vector<size_t> sent_sizes_;
    std::vector<std::thread> threads_;
};

// Fails the running test unless `numbers` (ascending) are the beginnings of the ranges of
// `client_count` clients, each without a gap and no longer than what was sent.
void ExpectBeginnings(const std::vector<std::uint32_t> &numbers,
                      const std::vector<size_t> &sent_sizes);

} // namespace harness

#endif // SERVER_NUMBERS_NUMBER_LOAD_H_
