// A proxy between a client and a server that cuts connections off where it is told to.
//
// It serves one connection at a time, as the client under test makes one at a time. A cut resets
// both sides at once, so that neither leaves a port in TIME_WAIT: thousands of cuts fit into one
// test.
//
// Ownership: the proxy owns its sockets and its thread; the destructor ends both. Threading: the
// chooser is called by the proxy's thread only; Stop() before looking at what it has recorded.
#ifndef SERVER_SEQUENCE_CUTTING_PROXY_H_
#define SERVER_SEQUENCE_CUTTING_PROXY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace sequence {

enum class Direction { kToServer, kToClient };

// Decides about bytes that have arrived: how many of them are handed on before the cut, or kNoCut.
inline constexpr size_t kNoCut = SIZE_MAX;
using CutChooser = std::function<size_t(Direction direction, const std::string &bytes)>;

// Called when a connection begins.
using ConnectionObserver = std::function<void()>;

class CuttingProxy {
  public:
    CuttingProxy(std::uint16_t server_port, CutChooser chooser, ConnectionObserver observer);
    ~CuttingProxy();
    CuttingProxy(const CuttingProxy &) = delete;
    CuttingProxy &operator=(const CuttingProxy &) = delete;

    std::uint16_t port() const {
        return port_;
    }

    // Serves no more. May be called twice.
    void Stop();

    // After Stop().
    size_t cut_count() const {
        return cut_count_;
    }

  private:
    void Run();
    bool WaitFor(int first, int second, bool *first_is_ready, bool *second_is_ready) const;
    void Relay(int client, int server);
    bool HandOn(int from, int to, Direction direction);

    std::uint16_t server_port_;
    CutChooser chooser_;
    ConnectionObserver observer_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    int stop_descriptor_ = -1; // eventfd
    size_t cut_count_ = 0;
    std::thread thread_;
};

} // namespace sequence

#endif // SERVER_SEQUENCE_CUTTING_PROXY_H_
