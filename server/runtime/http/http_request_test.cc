#include "server/runtime/http/http_request.h"

#include <gtest/gtest.h>

namespace {

http_request Request(const char *method, const char *path) {
    http_request request = {};
    request.method = method;
    request.path = path;
    request.host = "localhost:9100";
    request.host_count = 1;
    request.port = 9100;
    return request;
}

http_answer WithHost(const char *host) {
    http_request request = Request("GET", "/");
    request.host = host;
    return http_request_judge(&request);
}

http_answer WithOrigin(const char *origin) {
    http_request request = Request("GET", "/");
    request.origin = origin;
    request.origin_count = 1;
    return http_request_judge(&request);
}

TEST(HttpRequest, HasFourPaths) {
    const std::pair<const char *, http_answer> paths[] = {
        {"/", HTTP_ANSWER_PAGE},
        {"/metrics", HTTP_ANSWER_METRICS},
        {"/healthz", HTTP_ANSWER_HEALTH},
        {"/readyz", HTTP_ANSWER_READINESS},
        {"", HTTP_ANSWER_NOT_FOUND},
        {"//", HTTP_ANSWER_NOT_FOUND},
        {"/metrics/", HTTP_ANSWER_NOT_FOUND},
        {"/../etc/passwd", HTTP_ANSWER_NOT_FOUND},
        {"*", HTTP_ANSWER_NOT_FOUND},
    };
    for (const auto &[path, answer] : paths) {
        const http_request request = Request("GET", path);
        EXPECT_EQ(http_request_judge(&request), answer) << path;
    }
}

TEST(HttpRequest, IsReadOnly) {
    for (const char *method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "get", ""}) {
        const http_request request = Request(method, "/");
        EXPECT_EQ(http_request_judge(&request), HTTP_ANSWER_BAD_METHOD) << method;
    }
    const http_request head = Request("HEAD", "/metrics");
    EXPECT_EQ(http_request_judge(&head), HTTP_ANSWER_METRICS);
}

TEST(HttpRequest, HostIsThisMachine) {
    for (const char *host :
         {"localhost", "LocalHost:9100", "127.0.0.1", "127.0.0.1:9100", "[::1]", "[::1]:9100"}) {
        EXPECT_EQ(WithHost(host), HTTP_ANSWER_PAGE) << host;
    }
    for (const char *host :
         {"", "example.org", "localhost.example.org", "localhost:9101",
          "localhost:", "localhost:091", "127.0.0.1.nip.io", "127.0.0.1:9100.example.org",
          "evil@localhost", " localhost", "::1", "0.0.0.0:9100", "127.0.0.2"}) {
        EXPECT_EQ(WithHost(host), HTTP_ANSWER_FOREIGN_HOST) << host;
    }
    http_request request = Request("GET", "/");
    request.host_count = 2;
    EXPECT_EQ(http_request_judge(&request), HTTP_ANSWER_FOREIGN_HOST);
    request.host_count = 0;
    request.host = nullptr;
    EXPECT_EQ(http_request_judge(&request), HTTP_ANSWER_FOREIGN_HOST);
}

TEST(HttpRequest, OriginIsThisPage) {
    EXPECT_EQ(WithOrigin("http://localhost:9100"), HTTP_ANSWER_PAGE);
    EXPECT_EQ(WithOrigin("http://[::1]:9100"), HTTP_ANSWER_PAGE);
    for (const char *origin :
         {"null", "", "http://example.org", "https://localhost:9100", "http://localhost:9101",
          "http://localhost:9100.example.org", "file://"}) {
        EXPECT_EQ(WithOrigin(origin), HTTP_ANSWER_FOREIGN_ORIGIN) << origin;
    }
    http_request request = Request("GET", "/");
    request.origin = "http://localhost:9100";
    request.origin_count = 2;
    EXPECT_EQ(http_request_judge(&request), HTTP_ANSWER_FOREIGN_ORIGIN);
}

} // namespace
