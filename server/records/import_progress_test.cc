#include "server/records/import_progress.h"

#include <gtest/gtest.h>

namespace {

TEST(ImportProgress, IsToldOfEveryTenSeconds) {
    import_progress progress = {};
    EXPECT_FALSE(import_progress_is_due(&progress, 5, 1000));
    EXPECT_FALSE(import_progress_is_due(&progress, 50000, 10999));
    EXPECT_TRUE(import_progress_is_due(&progress, 60000, 11000));
    EXPECT_FALSE(import_progress_is_due(&progress, 90000, 20000));
    EXPECT_TRUE(import_progress_is_due(&progress, 90000, 21000));
}

TEST(ImportProgress, EverydayTrafficIsNoImport) {
    import_progress progress = {};
    EXPECT_FALSE(import_progress_is_due(&progress, 0, 1000));
    EXPECT_FALSE(import_progress_is_due(&progress, IMPORT_PROGRESS_COUNT_MIN - 1, 11000));
    EXPECT_TRUE(import_progress_is_due(&progress, 2 * IMPORT_PROGRESS_COUNT_MIN, 21000));
}

TEST(ImportProgress, APauseIsNoImport) {
    import_progress progress = {};
    EXPECT_FALSE(import_progress_is_due(&progress, 0, 1000));
    EXPECT_FALSE(import_progress_is_due(&progress, 1000000, 500000));
}

} // namespace
