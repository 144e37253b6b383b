#include "server/records/kernel_rest.h"

#include <gtest/gtest.h>

namespace {

// Returns how many records the kernel rests for after a run.
unsigned RestAfter(kernel_rest *rest, bool is_taken) {
    kernel_rest_begin(rest, is_taken);
    unsigned count = 0;
    while (!kernel_rest_is_over(rest)) {
        kernel_rest_note_record(rest);
        count++;
    }
    return count;
}

TEST(KernelRest, IsOverAtTheBeginning) {
    const kernel_rest rest = {};
    EXPECT_TRUE(kernel_rest_is_over(&rest));
}

TEST(KernelRest, LastsForOneRecordAfterASuccess) {
    kernel_rest rest = {};
    for (int run = 0; run < 3; run++) {
        EXPECT_EQ(RestAfter(&rest, true), 1u);
    }
}

TEST(KernelRest, DoublesWithEachFailureUpToTheLimit) {
    kernel_rest rest = {};
    for (unsigned expected = 1; expected <= KERNEL_REST_COUNT_MAX; expected *= 2) {
        EXPECT_EQ(RestAfter(&rest, false), expected);
    }
    for (int run = 0; run < 100; run++) {
        EXPECT_EQ(RestAfter(&rest, false), unsigned{KERNEL_REST_COUNT_MAX});
    }
}

TEST(KernelRest, ASuccessBeginsAnew) {
    kernel_rest rest = {};
    RestAfter(&rest, false);
    EXPECT_EQ(RestAfter(&rest, false), 2u);
    EXPECT_EQ(RestAfter(&rest, true), 1u);
    EXPECT_EQ(RestAfter(&rest, false), 2u);
}

} // namespace
