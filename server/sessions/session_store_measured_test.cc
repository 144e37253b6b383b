#include "server/sessions/session_store_measured.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "server/runtime/os.h"
#include "server/sessions/session_store_memory.h"

namespace {

constexpr char kId[] = "123e4567-e89b-12d3-a456-426614174000";
constexpr char kOtherId[] = "123e4567-e89b-12d3-a456-426614174001";

session SessionOf(const char *id) {
    session session = {};
    std::memcpy(session.client_id, id, sizeof kId);
    return session;
}

class SessionStoreMeasured : public testing::Test {
  protected:
    void SetUp() override {
        session_store_limits limits = {};
        limits.capacity = 1;
        limits.ttl_ms = 100;
        ASSERT_EQ(session_store_memory_open(&store_, &limits), 0);
        session_store_measure(&measured_, &store_);
    }

    void TearDown() override {
        session_store_destroy(&store_);
    }

    double Told(const std::string &name) {
        status_ = daemon_status{};
        session_store_measured_tell(&measured_, os_now_ms(), &status_);
        for (size_t index = 0; index < status_.metric_count; index++) {
            if (status_.metrics[index].name == name) {
                return status_.metrics[index].value;
            }
        }
        ADD_FAILURE() << name;
        return -1;
    }

    session_store store_;
    session_store_measured measured_;
    daemon_status status_;
};

TEST_F(SessionStoreMeasured, CountsWhatComesAndGoes) {
    session session = SessionOf(kId);
    EXPECT_EQ(session_store_create(&store_, &session, 0, 0), SESSION_STORE_OK);
    EXPECT_EQ(session_store_create(&store_, &session, 0, 0), SESSION_STORE_EXISTS);
    EXPECT_EQ(session_store_attach(&store_, kId, 0, &session), SESSION_STORE_OK);
    EXPECT_EQ(session_store_attach(&store_, kOtherId, 0, &session), SESSION_STORE_MISSING);
    session = SessionOf(kOtherId);
    EXPECT_EQ(session_store_create(&store_, &session, 0, 0), SESSION_STORE_FULL);
    session_store_detach(&store_, kId, 0);
    session_store_detach(&store_, kId, 0);
    std::string purged;
    session_store_purge(
        &store_, 1000,
        [](void *context, const char *id) { *static_cast<std::string *>(context) += id; }, &purged);
    EXPECT_EQ(purged, kId);
    EXPECT_EQ(Told("sessions_created_total"), 1);
    EXPECT_EQ(Told("sessions_resumed_total"), 1);
    EXPECT_EQ(Told("sessions_missing_total"), 1);
    EXPECT_EQ(Told("sessions_refused_total"), 1);
    EXPECT_EQ(Told("sessions_purged_total"), 1);
    EXPECT_EQ(Told("sessions_store_failures_total"), 0);
    EXPECT_STREQ(status_.reason, "");
}

// A store that is away for some calls.
int failing_calls;

TEST_F(SessionStoreMeasured, IsNotReadyWhileTheStoreIsAway) {
    session_store_operations operations = *measured_.inner.operations;
    const session_store_operations *real = measured_.inner.operations;
    operations.attach = [](void *, const char *, std::int64_t, session *) {
        return failing_calls-- > 0 ? SESSION_STORE_UNAVAILABLE : SESSION_STORE_MISSING;
    };
    measured_.inner.operations = &operations;
    failing_calls = 1;
    session session = {};
    EXPECT_EQ(session_store_attach(&store_, kId, 0, &session), SESSION_STORE_UNAVAILABLE);
    EXPECT_EQ(Told("sessions_store_failures_total"), 1);
    EXPECT_STREQ(status_.reason, "the store of the sessions cannot be reached");
    EXPECT_EQ(session_store_attach(&store_, kId, 0, &session), SESSION_STORE_MISSING);
    EXPECT_EQ(Told("sessions_missing_total"), 1);
    EXPECT_STREQ(status_.reason, "");
    measured_.inner.operations = real;
}

} // namespace
