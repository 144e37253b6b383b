// The status page in a real browser, Debian's chromium: what it shows under load, with a full disk,
// and once the server has stopped.
//
// PAGE_SCREENSHOT=FILE keeps the picture of the server under load, PAGE_LOAD_SECONDS tells how long
// the load lasts before it is taken; both make docs/status-page.png (README.md).

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "server/numbers/numbers_process.h"
#include "testing/browser.h"
#include "testing/http_client.h"
#include "testing/loopback.h"
#include "testing/patience.h"
#include "testing/process.h"
#include "testing/tcp_client.h"
#include "gtest/gtest.h"

namespace harness {
namespace {

constexpr const char *kBrowser = "/usr/bin/chromium";
constexpr std::chrono::milliseconds kBrowserPatience{120000};

class PageTest : public testing::Test {
  protected:
    void SetUp() override {
        struct stat status;
        if (stat(kBrowser, &status) != 0) {
            GTEST_SKIP() << "there is no browser (Debian's package chromium)";
        }
    }

    // What the browser makes of the page with these arguments. The test fails where something of
    // the page was kept from being used, by its own policy for example.
    std::string Browse(std::uint16_t port, const std::vector<std::string> &arguments) {
        Process browser(BrowserOptions(kBrowser, directory_.path(),
                                       "http://127.0.0.1:" + std::to_string(port) + "/",
                                       arguments));
        EXPECT_EQ(browser.WaitForExit(kBrowserPatience), Exited(0)) << browser.errors();
        EXPECT_EQ(browser.errors().find("Content Security Policy"), std::string::npos)
            << browser.errors();
        return browser.output();
    }

    // The document after its script has had some seconds of the browser's own time.
    std::string Document(std::uint16_t port) {
        return Browse(port, {"--virtual-time-budget=10000", "--dump-dom"});
    }

    TemporaryDirectory directory_;
};

// Sends lines until it is destroyed.
class Load {
  public:
    Load(const NumbersServer &server, std::uint32_t first)
        : client_(server.Connect()), thread_([this, first] { Send(first); }) {}
    ~Load() {
        is_over_ = true;
        thread_.join();
    }
    std::uint16_t port() const {
        return client_.own_port();
    }

  private:
    void Send(std::uint32_t first) {
        constexpr std::uint32_t kCount = 4000;
        for (std::uint32_t round = 0; !is_over_; ++round) {
            const std::uint32_t start = first + round % 12000 * (kCount / 4 * 3); // a quarter seen
            if (!client_.Send(NumberLines(start, kCount))) {
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20 + round / 50 % 7 * 20));
        }
    }

    TcpClient client_;
    std::atomic<bool> is_over_{false};
    std::thread thread_;
};

TEST_F(PageTest, UnderLoad) {
    NumbersServer server({"--http-port=0"});
    const std::uint16_t port = WaitForHttpPort(&server.process());
    Load first(server, 0);
    Load second(server, 300000000);
    Load third(server, 600000000);
    const char *seconds = std::getenv("PAGE_LOAD_SECONDS");
    if (seconds != nullptr) {
        std::this_thread::sleep_for(std::chrono::seconds(std::atoi(seconds)));
    }
    // The first point of the chart is there after two seconds.
    ASSERT_TRUE(Await([&] {
        return HttpGet(port, "/").body.find("class=\"one\" points=\"600,") != std::string::npos;
    }));
    const std::string document = Document(port);
    EXPECT_NE(document.find("<p class=\"good\">Ready</p>"), std::string::npos) << document;
    for (const Load *load : {&first, &second, &third}) {
        EXPECT_NE(document.find("<code>127.0.0.1:" + std::to_string(load->port()) + "</code>"),
                  std::string::npos)
            << document;
    }
    EXPECT_NE(document.find("<p id=\"silence\" role=\"status\"></p>"), std::string::npos);
    const char *kept = std::getenv("PAGE_SCREENSHOT");
    const std::string picture = kept != nullptr ? kept : directory_.File("page.png");
    (void)Browse(port, {"--window-size=1000,900", "--hide-scrollbars", "--screenshot=" + picture});
    const std::string png = ReadFile(picture);
    EXPECT_EQ(png.substr(1, 3), "PNG");
    EXPECT_LT(png.size(), 150000u);
}

TEST_F(PageTest, WithAFullDisk) {
    NumbersServer server({"--http-port=0", "--log=/dev/full"});
    const std::uint16_t port = WaitForHttpPort(&server.process());
    TcpClient client = server.ConnectServed("000000001\n");
    ASSERT_TRUE(WaitForHttpCode(port, "/readyz", 503));
    const std::string document = Document(port);
    EXPECT_NE(document.find("Not ready: the log cannot be written: No space left on device"),
              std::string::npos)
        << document;
}

// Hands the page on to a browser once, as the server gave it, and nothing after that: what a
// browser meets whose server stops while it looks.
class OnePage {
  public:
    explicit OnePage(const std::string &answer) : answer_(answer) {
        thread_ = std::thread([this] { Serve(); });
    }
    ~OnePage() {
        shutdown(socket_, SHUT_RDWR);
        thread_.join();
        close(socket_);
    }
    std::uint16_t port() const {
        return port_;
    }

  private:
    void Serve() {
        bool is_served = false;
        int client;
        while ((client = accept(socket_, nullptr, nullptr)) >= 0) {
            char bytes[4096];
            // A browser may open a connection that it does not use.
            if (!is_served && recv(client, bytes, sizeof bytes, 0) > 0) {
                is_served = send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL) > 0;
            }
            close(client);
        }
    }

    std::string answer_;
    const int socket_ = ListenOnLoopback();
    const std::uint16_t port_ = PortOf(socket_);
    std::thread thread_;
};

TEST_F(PageTest, OnceTheServerHasStopped) {
    NumbersServer server({"--http-port=0"});
    const std::uint16_t port = WaitForHttpPort(&server.process());
    EXPECT_EQ(server.Deliver("000000001\n"), Ending::kFin);
    const HttpResponse page = HttpGet(port, "/");
    ASSERT_EQ(page.code, 200);
    EXPECT_EQ(server.Stop(), Exited(0));
    const OnePage stopped(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: " +
        std::to_string(page.body.size()) + "\r\nContent-Security-Policy: " +
        page.headers.at("content-security-policy") + "\r\nConnection: close\r\n\r\n" + page.body);
    const std::string document = Document(stopped.port());
    EXPECT_NE(document.find("No answer since "), std::string::npos) << document;
    EXPECT_NE(document.find("numbers-server"), std::string::npos);
}

} // namespace
} // namespace harness
