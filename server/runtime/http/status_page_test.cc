#include "server/runtime/http/status_page.h"

#include <gtest/gtest.h>

#include <string>

namespace {

class StatusPage : public testing::Test {
  protected:
    StatusPage() {
        source_.program = "numbers-server";
        source_.unit = "Numbers";
        source_.series_names[0] = "unique";
        rate_history_init(&history_);
    }

    std::string Write() {
        static char bytes[128 * 1024];
        text_buffer text;
        text_buffer_init(&text, bytes, sizeof bytes);
        const struct status_page page = {&source_, &status_,   &history_,
                                         90061000, silence_ms, settings_};
        status_page_write(&text, &page);
        EXPECT_FALSE(text.is_cut);
        /* The service has twice as much room as the largest page needs. */
        EXPECT_LT(text.size, sizeof bytes / 2);
        return bytes;
    }

    bool Has(const std::string &part) {
        return Write().find(part) != std::string::npos;
    }

    status_source source_ = {};
    daemon_status status_ = {};
    rate_history history_;
    std::int64_t silence_ms = 0;
    const char *settings_ = "--port=4000\n--log=numbers.log\n";
};

TEST_F(StatusPage, SaysWhetherItIsReady) {
    EXPECT_TRUE(Has("<p class=\"good\">Ready</p>"));
    EXPECT_TRUE(Has("up for 1 d 1 h 1 min 1 s"));
    status_set_reason(&status_, "the log is <full>");
    EXPECT_TRUE(Has("Not ready: the log is &#60;full&#62;</p>"));
    silence_ms = 5000;
    EXPECT_TRUE(Has("the server has not answered for 5 s"));
}

TEST_F(StatusPage, EscapesWhatCameFromOutside) {
    settings_ = "--log=</code><script>alert(1)</script>\n--bind=\"\x1b[31m&\n";
    status_client *client = status_add_client(&status_);
    snprintf(client->peer, sizeof client->peer, "[fe80::1%%<img>]:7");
    client->state = "receiving";
    const std::string page = Write();
    EXPECT_EQ(page.find("<script>alert"), std::string::npos);
    EXPECT_EQ(page.find("<img>"), std::string::npos);
    EXPECT_EQ(page.find('\x1b'), std::string::npos);
    EXPECT_NE(page.find("--log=&#60;/code&#62;&#60;script&#62;"), std::string::npos);
}

TEST_F(StatusPage, ShowsOptionsInForce) {
    EXPECT_TRUE(Has("<li><code>--port=4000</code></li><li><code>--log=numbers.log</code></li>"));
}

TEST_F(StatusPage, DrawsTheRates) {
    const std::uint64_t totals[][STATUS_SERIES_COUNT] = {{0, 0}, {2000, 0}, {2000, 0}};
    for (size_t index = 0; index < 3; index++) {
        rate_history_add(&history_, totals[index],
                         static_cast<std::int64_t>(index) * RATE_HISTORY_PERIOD_MS);
    }
    /* 1000 a second are the chart's top, and nothing its bottom; now is on the right. */
    EXPECT_TRUE(Has("<polyline class=\"one\" points=\"600,152.0 598,8.0 \"/>")) << Write();
    EXPECT_FALSE(Has("class=\"two\" points"));
    EXPECT_TRUE(Has("the top is 1000 a second"));
}

TEST_F(StatusPage, FitsWhenEverythingIsFull) {
    for (int index = 0; index < STATUS_METRIC_CAPACITY; index++) {
        status_add_counter(&status_, "a_rather_long_name_of_a_metric_total",
                           "A help text that is as long as such texts usually are, or longer",
                           ~std::uint64_t{0});
    }
    for (int index = 0; index < STATUS_CLIENT_CAPACITY + 1; index++) {
        status_client *client = status_add_client(&status_);
        if (client != nullptr) {
            memset(client->peer, 'f', sizeof client->peer - 1);
            client->state = "receiving";
            client->count = ~std::uint64_t{0};
            client->rate = 1e12;
            client->age_ms = std::int64_t{1} << 45;
        }
    }
    std::uint64_t totals[STATUS_SERIES_COUNT] = {0, 0};
    source_.series_names[1] = "duplicates";
    for (int point = 0; point <= RATE_HISTORY_CAPACITY; point++) {
        totals[0] += 1000000000000u;
        totals[1] += 1000000u * static_cast<std::uint64_t>(point);
        rate_history_add(&history_, totals,
                         static_cast<std::int64_t>(point) * RATE_HISTORY_PERIOD_MS);
    }
    const std::string settings(4000, '<');
    settings_ = settings.c_str();
    EXPECT_TRUE(Has("Of 65 clients these are 64."));
}

} // namespace
