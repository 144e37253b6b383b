#include "server/runtime/http/client_rates.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace {

class ClientRates : public testing::Test {
  protected:
    // The rate of a client of which this is told at now_ms.
    double Rate(const char *peer, std::uint64_t count, std::int64_t age_ms, std::int64_t now_ms) {
        status_ = daemon_status{};
        status_client *client = status_add_client(&status_);
        (void)snprintf(client->peer, sizeof client->peer, "%s", peer);
        client->count = count;
        client->age_ms = age_ms;
        client_rates_find(&rates_, &status_, now_ms);
        return client->rate;
    }

    client_rates rates_ = {};
    daemon_status status_;
};

TEST_F(ClientRates, AreOfTheTimeBetween) {
    EXPECT_EQ(Rate("a", 500, 5000, 100000), 100); // of all its time
    EXPECT_EQ(Rate("a", 2500, 7000, 102000), 1000);
    EXPECT_EQ(Rate("a", 2500, 9000, 104000), 0);
}

TEST_F(ClientRates, AreNotOfAMoment) {
    EXPECT_EQ(Rate("a", 500, 5000, 100000), 100);
    EXPECT_EQ(Rate("a", 600, 5010, 100010), 100);
    EXPECT_EQ(Rate("a", 700, 7000, 102000), 100);
}

TEST_F(ClientRates, AreThoseOfOneConnection) {
    EXPECT_EQ(Rate("a", 500, 5000, 100000), 100);
    EXPECT_EQ(Rate("b", 600, 1000, 102000), 600);
    EXPECT_EQ(Rate("b", 100, 1000, 104000), 100); // anew from the same port
    EXPECT_EQ(Rate("c", 100, 0, 106000), 0);
}

} // namespace
