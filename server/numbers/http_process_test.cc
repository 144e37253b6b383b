// The metrics and the status page of the running server: what they say, to whom, and that nobody
// who looks, whatever he sends, disturbs it.

#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "server/numbers/numbers_process.h"
#include "testing/http_client.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/process_facts.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

// As many connections as the page's server has at a time (HTTP_CONNECTION_MAX).
constexpr size_t kConnectionCount = 16;

class HttpTest : public testing::Test {
  protected:
    explicit HttpTest(std::vector<std::string> arguments = {"--http-port=0"})
        : server_(arguments), port_(WaitForHttpPort(&server_.process())) {}

    std::string Metrics() const {
        const HttpResponse response = HttpGet(port_, "/metrics");
        EXPECT_EQ(response.code, 200);
        return response.body;
    }

    double Metric(const std::string &sample) const {
        return MetricValue(Metrics(), sample);
    }

    bool WaitForMetric(const std::string &sample, double value) const {
        return Await([&] { return Metric(sample) == value; });
    }

    NumbersServer server_;
    std::uint16_t port_;
};

TEST_F(HttpTest, CountsWhatHappens) {
    EXPECT_EQ(server_.Deliver("000000001\n000000002\n000000001\n"), Ending::kFin);
    EXPECT_EQ(server_.Deliver("12345\n"), Ending::kReset);
    TcpClient client = server_.ConnectServed("000000003\n");
    ASSERT_TRUE(WaitForMetric("numbers_unique_total", 3));
    ASSERT_TRUE(WaitForMetric("numbers_log_durable_bytes_total", 30));
    const std::string metrics = Metrics();
    EXPECT_EQ(MetricValue(metrics, "numbers_duplicates_total"), 1);
    EXPECT_EQ(MetricValue(metrics, "numbers_received_bytes_total"), 46);
    EXPECT_EQ(MetricValue(metrics, "numbers_log_written_bytes_total"), 30);
    EXPECT_GE(MetricValue(metrics, "numbers_log_sync_duration_seconds_count"), 1);
    EXPECT_EQ(MetricValue(metrics, "numbers_clients{state=\"receiving\"}"), 1);
    EXPECT_EQ(MetricValue(metrics, "numbers_clients_accepted_total"), 3);
    EXPECT_EQ(MetricValue(metrics, "numbers_clients_confirmed_total"), 1);
    EXPECT_EQ(MetricValue(metrics, "numbers_clients_rejected_total{reason=\"bad_line\"}"), 1);
    EXPECT_EQ(MetricValue(metrics, "numbers_ready"), 1);
    EXPECT_GT(MetricValue(metrics, "process_resident_memory_bytes"), 1e6);
    EXPECT_LT(MetricValue(metrics, "process_resident_memory_bytes"), 256e6 * 4);
}

// Debian's package prometheus has the program.
TEST_F(HttpTest, MetricsAreAsPrometheusWantsThem) {
    const std::string promtool = "/usr/bin/promtool";
    struct stat status;
    if (stat(promtool.c_str(), &status) != 0) {
        GTEST_SKIP() << "promtool is not there (Debian's package prometheus)";
    }
    EXPECT_EQ(server_.Deliver("000000001\n"), Ending::kFin);
    const std::string path = server_.directory().File("metrics");
    WriteFile(path, Metrics());
    ProcessOptions options;
    options.arguments = {promtool, "check", "metrics"};
    options.standard_input = path;
    const ProcessResult result = RunToEnd(options);
    EXPECT_EQ(result.status, Exited(0));
    EXPECT_EQ(result.output + result.errors, "");
}

TEST_F(HttpTest, ThePageShowsClientsAndOptions) {
    TcpClient client = server_.ConnectServed("000000001\n");
    ASSERT_TRUE(WaitForMetric("numbers_unique_total", 1));
    const HttpResponse page = HttpGet(port_, "/");
    EXPECT_EQ(page.code, 200);
    EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_NE(page.body.find("<p class=\"good\">Ready</p>"), std::string::npos);
    EXPECT_NE(page.body.find("<code>127.0.0.1:" + std::to_string(client.own_port()) +
                             "</code></td><td>receiving</td>"),
              std::string::npos)
        << page.body;
    EXPECT_NE(page.body.find("<code>--log=" + server_.log_path()), std::string::npos);
    EXPECT_EQ(page.body.substr(page.body.size() - 8), "</html>\n");
}

TEST_F(HttpTest, HeadersAreAsAScannerWantsThem) {
    for (const char *path : {"/", "/metrics", "/healthz", "/readyz", "/nowhere"}) {
        SCOPED_TRACE(path);
        const HttpResponse response = HttpGet(port_, path);
        EXPECT_EQ(response.ending, Ending::kFin);
        EXPECT_EQ(response.headers.at("cache-control"), "no-store");
        EXPECT_EQ(response.headers.at("x-content-type-options"), "nosniff");
        EXPECT_EQ(response.headers.at("x-frame-options"), "DENY");
        EXPECT_EQ(response.headers.at("referrer-policy"), "no-referrer");
        EXPECT_NE(response.headers.at("content-security-policy").find("default-src 'none'"),
                  std::string::npos);
        EXPECT_EQ(response.headers.at("content-security-policy").find("unsafe"), std::string::npos);
        EXPECT_EQ(response.headers.count("server"), 0u);
        EXPECT_EQ(response.headers.at("content-length"), std::to_string(response.body.size()));
        const HttpResponse head = HttpGet(port_, path, "", "HEAD");
        EXPECT_EQ(head.code, response.code);
        EXPECT_EQ(head.body, "");
    }
}

TEST_F(HttpTest, AnswersOnlyThisMachineAndChangesNothing) {
    EXPECT_EQ(HttpGet(port_, "/nowhere").code, 404);
    EXPECT_EQ(HttpGet(port_, "/healthz").body, "ok\n");
    EXPECT_EQ(HttpExchange(port_, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", true).body,
              "ok\n");
    EXPECT_EQ(HttpGet(port_, "/readyz").body, "ready\n");
    const HttpResponse post = HttpGet(port_, "/", "Content-Length: 0\r\n", "POST");
    EXPECT_EQ(post.code, 405);
    EXPECT_EQ(post.headers.at("allow"), "GET, HEAD");
    EXPECT_EQ(HttpGet(port_, "/", "", "DELETE").code, 405);
    EXPECT_EQ(HttpGet(port_, "/", "Origin: http://example.org\r\n").code, 403);
    // Two hosts are refused by newer versions of the library, and otherwise by us.
    const int code_of_two_hosts = HttpGet(port_, "/", "Host: example.org\r\n").code;
    EXPECT_TRUE(code_of_two_hosts == 400 || code_of_two_hosts == 421) << code_of_two_hosts;
    EXPECT_EQ(HttpExchange(port_, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").code, 421);
    EXPECT_EQ(HttpExchange(port_, "GET /metrics HTTP/1.1\r\nHost: rebound.example:" +
                                      std::to_string(port_) + "\r\n\r\n")
                  .code,
              421);
    EXPECT_EQ(HttpExchange(port_, "GET / HTTP/1.0\r\n\r\n").code, 421);
}

TEST_F(HttpTest, NonsenseIsRefused) {
    const std::string long_path(100 * 1024, 'a');
    std::string many_headers;
    for (int index = 0; index < 10000; ++index) {
        many_headers += "X-" + std::to_string(index) + ": y\r\n";
    }
    const std::string host = "Host: localhost\r\n";
    for (const std::string &request :
         {std::string("\r\n\r\n\r\n"), std::string("GET\r\n\r\n"),
          std::string(5000, '\0') + "\r\n\r\n",
          "GET /" + long_path + " HTTP/1.1\r\n" + host + "\r\n",
          "GET / HTTP/1.1\r\n" + host + many_headers + "\r\n", "GET / HTTP/9.9\r\n" + host + "\r\n",
          std::string("\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", 12),
          "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n",
          "POST / HTTP/1.1\r\n" + host +
              "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"}) {
        const HttpResponse response = HttpExchange(port_, request, true);
        EXPECT_NE(response.ending, Ending::kNone) << request.substr(0, 40);
        EXPECT_NE(response.code, 200) << request.substr(0, 40);
    }
    EXPECT_EQ(HttpGet(port_, "/healthz").code, 200);
}

// Who sends nothing, or a byte now and then, or does not read, is ended in time; more than there
// are places for wait, and so do the others, but not the numbers.
TEST_F(HttpTest, SlowOnesHoldNobodyUp) {
    const size_t descriptor_count = ReadDescriptors(server_.process().pid()).size();
    std::vector<TcpClient> slow;
    for (size_t index = 0; index < 2 * kConnectionCount; ++index) {
        slow.emplace_back(port_);
        slow.back().Send(index % 2 == 0 ? "GET / HT" : "");
    }
    EXPECT_EQ(server_.Deliver("000000001\n"), Ending::kFin);
    EXPECT_LE(ReadDescriptors(server_.process().pid()).size(),
              descriptor_count + kConnectionCount + 4);
    EXPECT_EQ(HttpGet(port_, "/healthz").code, 200);
    for (TcpClient &client : slow) {
        EXPECT_NE(client.WaitForEnding(), Ending::kNone);
    }
}

TEST_F(HttpTest, ThousandsOfThemLeaveNothingBehind) {
    const auto request = [this] { EXPECT_EQ(HttpGet(port_, "/metrics").code, 200); };
    request();
    const size_t descriptor_count = ReadDescriptors(server_.process().pid()).size();
    for (int index = 0; index < 300; ++index) {
        request();
        TcpClient(port_).Reset();
        TcpClient half(port_);
        half.Send("GET / HTTP/1.1\r\n");
    }
    EXPECT_TRUE(
        Await([&] { return ReadDescriptors(server_.process().pid()).size() <= descriptor_count; }));
}

TEST_F(HttpTest, EndsWithTheServerWhoeverLooks) {
    TcpClient idle(port_);
    idle.Send("GET /");
    EXPECT_EQ(server_.Stop(), Exited(0));
    EXPECT_NE(idle.WaitForEnding(), Ending::kNone);
}

TEST(HttpPortTest, IsNotThereUnlessItIsAskedFor) {
    NumbersServer server;
    EXPECT_EQ(server.process().errors().find("status page"), std::string::npos);
    std::ifstream maps("/proc/" + std::to_string(server.process().pid()) + "/maps");
    const std::string libraries((std::istreambuf_iterator<char>(maps)), {});
    ASSERT_NE(libraries.find("libc.so"), std::string::npos);
    EXPECT_EQ(libraries.find("microhttpd"), std::string::npos);
}

TEST(HttpPortTest, OneThatIsTakenEndsTheStartWithTheLogUntouched) {
    NumbersServer other;
    const TemporaryDirectory directory;
    const std::string path = directory.File("numbers.log");
    WriteFile(path, "000000001\n");
    const ProcessResult result = RunToEnd(NumbersServerCommand(
        {"--port=0", "--log=" + path, "--http-port=" + std::to_string(other.port())}));
    EXPECT_EQ(result.status, Exited(1));
    EXPECT_NE(result.errors.find("127.0.0.1 port " + std::to_string(other.port())),
              std::string::npos)
        << result.errors;
    EXPECT_EQ(ReadFile(path), "000000001\n");
}

} // namespace
} // namespace harness
