/*
 * What the end-to-end comparison measures: each scenario is one kind of load and one place for the
 * log, run against the server under test and against the baseline.
 *
 * Ownership: the table is static. Threading: read-only.
 */
#ifndef BENCH_NUMBERS_THROUGHPUT_SCENARIOS_H_
#define BENCH_NUMBERS_THROUGHPUT_SCENARIOS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/numbers/load_generator.h"

#ifdef __cplusplus
extern "C" {
#endif

struct throughput_scenario {
    const char *name;
    const char *description;
    enum load_order order;
    uint32_t duplicates_percent;
    uint32_t connection_count;
    uint32_t send_size;     /* bytes a send */
    uint32_t count_divisor; /* slow kinds of load send so many times fewer numbers */
    bool log_on_disk;       /* otherwise in the memory file system */
    bool sent_before;       /* the same numbers were sent before the measurement: none is new */
    bool baseline_discards; /* nothing is to be stored, so the baseline stores nothing either */
};

/* Returns all scenarios and their count. */
const struct throughput_scenario *throughput_scenarios(size_t *count);

/* Returns the scenario with that name, or NULL. */
const struct throughput_scenario *throughput_scenario_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_NUMBERS_THROUGHPUT_SCENARIOS_H_ */
