#include "bench/numbers/throughput_scenarios.h"

#include <string.h>

enum { LARGE_SEND_SIZE = 256 * 1024, LINE_SEND_SIZE = 10 };

static const struct throughput_scenario scenarios[] = {
    {.name = "random",
     .description = "distinct, random order, 5 clients",
     .order = LOAD_ORDER_PERMUTATION,
     .connection_count = 5,
     .send_size = LARGE_SEND_SIZE,
     .count_divisor = 1},
    {.name = "random-1-client",
     .description = "distinct, random order, 1 client",
     .order = LOAD_ORDER_PERMUTATION,
     .connection_count = 1,
     .send_size = LARGE_SEND_SIZE,
     .count_divisor = 1},
    {.name = "random-disk",
     .description = "distinct, 5 clients, log on disk",
     .order = LOAD_ORDER_PERMUTATION,
     .connection_count = 5,
     .send_size = LARGE_SEND_SIZE,
     .count_divisor = 1,
     .log_on_disk = true},
    {.name = "sequential",
     .description = "distinct, ascending, 5 clients",
     .order = LOAD_ORDER_SEQUENTIAL,
     .connection_count = 5,
     .send_size = LARGE_SEND_SIZE,
     .count_divisor = 1},
    {.name = "duplicates-50",
     .description = "every second number seen before",
     .order = LOAD_ORDER_PERMUTATION,
     .duplicates_percent = 50,
     .connection_count = 5,
     .send_size = LARGE_SEND_SIZE,
     .count_divisor = 1},
    {.name = "duplicates-100",
     .description = "all seen before; baseline discards",
     .order = LOAD_ORDER_PERMUTATION,
     .connection_count = 5,
     .send_size = LARGE_SEND_SIZE,
     .count_divisor = 1,
     .sent_before = true,
     .baseline_discards = true},
    {.name = "small-writes",
     .description = "one line a send, 5 clients",
     .order = LOAD_ORDER_PERMUTATION,
     .connection_count = 5,
     .send_size = LINE_SEND_SIZE,
     .count_divisor = 64},
};

const struct throughput_scenario *throughput_scenarios(size_t *count) {
    *count = sizeof scenarios / sizeof scenarios[0];
    return scenarios;
}

const struct throughput_scenario *throughput_scenario_find(const char *name) {
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            return &scenarios[i];
        }
    }
    return NULL;
}
