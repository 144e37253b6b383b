#include "server/runtime/http/metrics_text.h"

#include <gtest/gtest.h>

#include <string>

namespace {

std::string Write(const daemon_status &status) {
    static char bytes[16 * 1024];
    text_buffer text;
    text_buffer_init(&text, bytes, sizeof bytes);
    metrics_text_write(&text, &status);
    EXPECT_FALSE(text.is_cut);
    return bytes;
}

TEST(MetricsText, HasHelpAndTypeOncePerName) {
    static daemon_status status;
    status_add_counter(&status, "a_total", "All of them", 10000000000u);
    const metric up = {"b", "Some", "state", "up", METRIC_GAUGE, 1.5, nullptr};
    const metric down = {"b", "Some", "state", "down", METRIC_GAUGE, -2, nullptr};
    status_add(&status, &up);
    status_add(&status, &down);
    EXPECT_EQ(Write(status), "# HELP a_total All of them.\n"
                             "# TYPE a_total counter\n"
                             "a_total 10000000000\n"
                             "# HELP b Some.\n"
                             "# TYPE b gauge\n"
                             "b{state=\"up\"} 1.5\n"
                             "b{state=\"down\"} -2\n");
}

TEST(MetricsText, EscapesLabels) {
    static daemon_status status;
    const metric odd = {"a", "Odd", "value", "x\"y\\z\n", METRIC_GAUGE, 1, nullptr};
    status_add(&status, &odd);
    EXPECT_NE(Write(status).find("a{value=\"x\\\"y\\\\z\\n\"} 1\n"), std::string::npos);
}

TEST(MetricsText, HistogramsAreCumulativeAndEndWithAll) {
    static daemon_status status;
    static latency_histogram histogram;
    latency_histogram_add(&histogram, 100); /* a bound belongs to its bucket */
    latency_histogram_add(&histogram, 101);
    latency_histogram_add(&histogram, 60000000); /* beyond the last bound */
    latency_histogram_add(&histogram, -1);
    status_add_histogram(&status, "a_seconds", "Long", &histogram);
    const std::string text = Write(status);
    EXPECT_NE(text.find("# TYPE a_seconds histogram\n"
                        "a_seconds_bucket{le=\"0.0001\"} 2\n"
                        "a_seconds_bucket{le=\"0.0002\"} 3\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("a_seconds_bucket{le=\"50\"} 3\n"
                        "a_seconds_bucket{le=\"+Inf\"} 4\n"
                        "a_seconds_sum 60.000201\n"
                        "a_seconds_count 4\n"),
              std::string::npos)
        << text;
}

TEST(Status, HasAsManyMetricsAndClientsAsItHasRoomFor) {
    static daemon_status status;
    for (int index = 0; index < STATUS_METRIC_CAPACITY + 1; index++) {
        status_add_gauge(&status, "a", "A", index);
    }
    EXPECT_EQ(status.metric_count, static_cast<size_t>(STATUS_METRIC_CAPACITY));
    for (int index = 0; index < STATUS_CLIENT_CAPACITY; index++) {
        EXPECT_NE(status_add_client(&status), nullptr);
    }
    EXPECT_EQ(status_add_client(&status), nullptr);
    EXPECT_EQ(status.total_client_count, static_cast<size_t>(STATUS_CLIENT_CAPACITY + 1));
}

TEST(Status, KeepsTheFirstReason) {
    static daemon_status status;
    status_set_reason(&status, "%s", "first");
    status_set_reason(&status, "%s", "second");
    EXPECT_STREQ(status.reason, "first");
}

} // namespace
