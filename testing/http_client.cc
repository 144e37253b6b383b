#include "testing/http_client.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "testing/patience.h"

namespace harness {

HttpResponse HttpExchange(std::uint16_t port, const std::string &bytes, bool half_closes) {
    TcpClient client(port);
    client.Send(bytes);
    if (half_closes) {
        client.HalfClose();
    }
    HttpResponse response;
    response.ending = client.WaitForEnding();
    const std::string &text = client.received();
    const size_t head_size = text.find("\r\n\r\n");
    if (text.compare(0, 5, "HTTP/") != 0 || head_size == std::string::npos) {
        return response;
    }
    response.code = std::atoi(text.c_str() + text.find(' '));
    response.body = text.substr(head_size + 4);
    size_t start = text.find("\r\n") + 2;
    while (start < head_size) {
        const size_t end = text.find("\r\n", start);
        const size_t colon = text.find(": ", start);
        std::string name = text.substr(start, colon - start);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char letter) { return std::tolower(letter); });
        response.headers[name] = text.substr(colon + 2, end - colon - 2);
        start = end + 2;
    }
    return response;
}

HttpResponse HttpGet(std::uint16_t port, const std::string &path, const std::string &headers,
                     const std::string &method) {
    return HttpExchange(port, method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" +
                                  std::to_string(port) + "\r\n" + headers + "\r\n");
}

double MetricValue(const std::string &metrics, const std::string &sample) {
    const size_t at = ("\n" + metrics).find("\n" + sample + " ");
    return at == std::string::npos ? std::nan("")
                                   : std::strtod(metrics.c_str() + at + sample.size(), nullptr);
}

std::uint16_t WaitForHttpPort(Process *process) {
    const std::string before = "status page at http://127.0.0.1:";
    if (!process->WaitForErrors(HasLineWith(before))) {
        throw std::runtime_error("no status page: " + process->errors());
    }
    const std::string errors = process->errors();
    return static_cast<std::uint16_t>(
        std::atoi(errors.c_str() + errors.find(before) + before.size()));
}

bool WaitForHttpCode(std::uint16_t port, const std::string &path, int code) {
    return Await([&] { return HttpGet(port, path).code == code; });
}

} // namespace harness
