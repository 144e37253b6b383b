// A relay to a database server for one connection after the other. Once armed, it passes on the
// next packet that contains COMMIT, waits for the answer and swallows it, and ends the connection:
// the server has done what it was asked, and the client cannot know.
//
// Ownership: it owns its sockets and its thread. Threading: any.
#ifndef SERVER_RECORDS_STORE_TREACHEROUS_RELAY_H_
#define SERVER_RECORDS_STORE_TREACHEROUS_RELAY_H_

#include <atomic>
#include <cstdint>
#include <thread>

namespace harness {

class TreacherousRelay {
  public:
    // Throws std::system_error where it cannot listen.
    explicit TreacherousRelay(std::uint16_t server_port);
    TreacherousRelay(const TreacherousRelay &) = delete;
    TreacherousRelay &operator=(const TreacherousRelay &) = delete;
    ~TreacherousRelay();

    std::uint16_t port() const {
        return port_;
    }
    void Arm() {
        is_armed_ = true;
    }
    bool is_armed() const {
        return is_armed_;
    }

  private:
    void Run();
    void Relay(int client, int server);

    std::uint16_t server_port_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    std::atomic<bool> is_over_{false};
    std::atomic<bool> is_armed_{false};
    std::thread thread_;
};

} // namespace harness

#endif // SERVER_RECORDS_STORE_TREACHEROUS_RELAY_H_
