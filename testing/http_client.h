// A client of the daemons' status page, which answers one request a connection.
//
// Threading: stateless.
#ifndef TESTING_HTTP_CLIENT_H_
#define TESTING_HTTP_CLIENT_H_

#include <cstdint>
#include <map>
#include <string>

#include "testing/process.h"
#include "testing/tcp_client.h"

namespace harness {

struct HttpResponse {
    int code = 0;                               // 0: there was no answer
    std::map<std::string, std::string> headers; // the names in small letters
    std::string body;
    Ending ending = Ending::kNone;
};

// Sends `bytes` as they are, then FIN if nothing more is to come, and reads to the end of the
// connection.
HttpResponse HttpExchange(std::uint16_t port, const std::string &bytes, bool half_closes = false);

// A request as a usual client makes it. `headers` are more lines, each with its "\r\n".
HttpResponse HttpGet(std::uint16_t port, const std::string &path, const std::string &headers = "",
                     const std::string &method = "GET");

// The value of a sample of /metrics, "numbers_clients{state=\"receiving\"}"; NaN: there is none.
double MetricValue(const std::string &metrics, const std::string &sample);

// The port of the line "status page at http://127.0.0.1:PORT/", which a daemon prints before it
// says that it listens. Throws std::runtime_error when it never does.
std::uint16_t WaitForHttpPort(Process *process);

// Gets `path` until the answer has this code; false when it never does.
bool WaitForHttpCode(std::uint16_t port, const std::string &path, int code);

} // namespace harness

#endif // TESTING_HTTP_CLIENT_H_
