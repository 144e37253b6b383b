// The table that the fault tests print at their end: fault | tries | outcome.
//
// NUMBERS_FAULT_LONG=1 in the environment asks for the long form of these tests, which leaves out
// nothing:
//
//   bazel test --config=soak --test_output=all //server/numbers:fault_test
//
// Threading: the test's thread.
#ifndef SERVER_NUMBERS_FAULT_TABLE_H_
#define SERVER_NUMBERS_FAULT_TABLE_H_

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace harness {

inline bool IsLongForm() {
    const char *text = std::getenv("NUMBERS_FAULT_LONG");
    return text != nullptr && std::string(text) != "0";
}

class FaultTable : public testing::Environment {
  public:
    // The table of this program, printed after its last test.
    static FaultTable &Get() {
        static auto *table = static_cast<FaultTable *>(
            testing::AddGlobalTestEnvironment(new FaultTable)); // owned by the framework
        return *table;
    }

    void Add(const std::string &fault, size_t try_count, const std::string &outcome) {
        rows_.push_back({fault, std::to_string(try_count), outcome});
    }

    void TearDown() override {
        size_t width = 0;
        for (const Row &row : rows_) {
            width = std::max(width, row.fault.size());
        }
        for (const Row &row : rows_) {
            std::cout << std::left << std::setw(static_cast<int>(width)) << row.fault << " | "
                      << std::right << std::setw(5) << row.tries << " | " << row.outcome << "\n";
        }
    }

  private:
    struct Row {
        std::string fault;
        std::string tries;
        std::string outcome;
    };
    std::vector<Row> rows_{{"fault", "tries", "outcome"}};
};

} // namespace harness

#endif // SERVER_NUMBERS_FAULT_TABLE_H_
