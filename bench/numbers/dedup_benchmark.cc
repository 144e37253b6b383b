// Nanoseconds a number, step by step, from parsed numbers to formatted lines of the new ones:
// staged (stage, insert, format) beside the direct way (insert with prefetching, format).
//
// The orders of numbers are what decides: random and distinct touch all of the map; duplicates
// leave nothing to format; sequential ones meet in the same words. The batch is how many numbers a
// stage collects before it is inserted. What the kernel does (receive, write) is not in here; see
// //bench/numbers:throughput for the whole.
//
// Other numbers of buckets: bazel run --copt=-DDEDUP_BUCKET_BITS=10 //bench/numbers:dedup_benchmark
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "bench/numbers/load_generator.h"
#include "dedup/dedup_map.h"
#include "dedup/stage.h"
#include "formatter/number_formatter.h"
#include "server/runtime/os.h"

namespace {

constexpr size_t kReadCount = 26000;   // what one recv of 260 kB brings
constexpr size_t kBlockSize = 1 << 20; // formatted lines that are written at once
constexpr uint32_t kHighestBatch = 12000000;

struct Order {
    const char *name;
    load_order order;
    uint32_t duplicates_percent;
    bool is_sent_before; // all of the highest batch is in the map before the measurement
};
constexpr Order kOrders[] = {{"distinct", LOAD_ORDER_PERMUTATION, 0, false},
                             {"3_of_4_duplicates", LOAD_ORDER_PERMUTATION, 75, false},
                             {"all_duplicates", LOAD_ORDER_PERMUTATION, 0, true},
                             {"sequential", LOAD_ORDER_SEQUENTIAL, 0, false}};

// CPU time of this thread, so that other work on the machine disturbs little.
class Stopwatch {
  public:
    void Start() {
        elapsed_ns_ -= NowNs();
    }
    void Stop() {
        elapsed_ns_ += NowNs();
    }
    double seconds() const {
        return 1e-9 * static_cast<double>(elapsed_ns_);
    }

  private:
    static int64_t NowNs() {
        timespec now = {};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return int64_t{now.tv_sec} * 1000000000 + now.tv_nsec;
    }

    int64_t elapsed_ns_ = 0;
};

// Zeroed, on huge pages, and present.
using Memory = std::unique_ptr<void, std::function<void(void *)>>;
Memory MapMemory(size_t size) {
    Memory memory(os_map_memory(size), [size](void *data) { os_unmap_memory(data, size); });
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

class Pipeline {
  public:
    explicit Pipeline(size_t batch_count)
        : bucket_capacity_(BucketCapacity(batch_count)), map_memory_(MapMemory(dedup_map_size())),
          stage_memory_(MapMemory(dedup_stage_size(bucket_capacity_))),
          new_numbers_(std::max(bucket_capacity_, kReadCount)),
          lines_(kBlockSize + new_numbers_.size() * NUMBER_FORMATTER_LINE_SIZE +
                 NUMBER_FORMATTER_SLACK_SIZE) {
        dedup_map_init(&map_, map_memory_.get());
        dedup_stage_init(&stage_, stage_memory_.get(), bucket_capacity_);
        (void)number_formatter_select(&formatter_, nullptr); // cannot fail without a name
    }

    void RunDirect(const uint32_t *numbers, size_t count) {
        for (size_t done = 0; done < count;) {
            const size_t read_count = std::min(kReadCount, count - done);
            inserting.Start();
            const size_t new_count =
                dedup_map_insert_batch(&map_, numbers + done, read_count, new_numbers_.data());
            inserting.Stop();
            Format(new_count);
            done += read_count;
        }
    }

    void RunStaged(const uint32_t *numbers, size_t count) {
        for (size_t done = 0; done < count;) {
            const size_t read_count = std::min(kReadCount, count - done);
            staging.Start();
            const size_t taken_count = dedup_stage_add(&stage_, numbers + done, read_count);
            staging.Stop();
            done += taken_count;
            if (taken_count < read_count) {
                InsertStage();
            }
        }
        InsertStage();
    }

    Stopwatch staging, inserting, formatting;

  private:
    // Room for the fullest of the buckets that random numbers fill, at six standard deviations.
    static size_t BucketCapacity(size_t batch_count) {
        const size_t mean = batch_count / DEDUP_BUCKET_COUNT;
        size_t deviation = 1;
        while (deviation * deviation < mean) {
            deviation++;
        }
        return mean + 6 * deviation;
    }

    void InsertStage() {
        for (size_t bucket_index = 0; bucket_index < DEDUP_BUCKET_COUNT; bucket_index++) {
            inserting.Start();
            const size_t new_count =
                dedup_map_insert_bucket(&map_, &stage_, bucket_index, new_numbers_.data());
            inserting.Stop();
            Format(new_count);
        }
        dedup_stage_clear(&stage_);
    }

    void Format(size_t new_count) {
        formatting.Start();
        lines_size_ += number_formatter_format(&formatter_, new_numbers_.data(), new_count,
                                               lines_.data() + lines_size_);
        formatting.Stop();
        if (lines_size_ > kBlockSize) {
            benchmark::DoNotOptimize(lines_.data());
            lines_size_ = 0;
        }
    }

    size_t bucket_capacity_;
    Memory map_memory_;
    Memory stage_memory_;
    std::vector<uint32_t> new_numbers_;
    std::vector<char> lines_;
    size_t lines_size_ = 0;
    dedup_map map_;
    dedup_stage stage_;
    number_formatter formatter_;
};

using Way = void (Pipeline::*)(const uint32_t *numbers, size_t count);

void Run(benchmark::State &state, Way way, const Order &order, uint32_t batch_count) {
    Pipeline pipeline(batch_count);
    const load_generator_options options = {order.order, 0, order.duplicates_percent, 0};
    load_generator generator;
    load_generator_init(&generator, &options);
    std::vector<uint32_t> numbers(kHighestBatch);
    if (order.is_sent_before) {
        load_generator_fill(&generator, 0, numbers.data(), kHighestBatch);
        pipeline.RunDirect(numbers.data(), kHighestBatch);
        pipeline.inserting = pipeline.formatting = Stopwatch();
    }
    uint32_t count = 0;
    double seconds = 0;
    for (auto _ : state) {
        load_generator_fill(&generator, order.is_sent_before ? count % kHighestBatch : count,
                            numbers.data(), batch_count);
        (pipeline.*way)(numbers.data(), batch_count);
        count += batch_count;
        const double total = pipeline.staging.seconds() + pipeline.inserting.seconds() +
                             pipeline.formatting.seconds();
        state.SetIterationTime(total - seconds);
        seconds = total;
    }
    const double per_number = 1e9 / count;
    state.counters["stage_ns"] = pipeline.staging.seconds() * per_number;
    state.counters["insert_ns"] = pipeline.inserting.seconds() * per_number;
    state.counters["format_ns"] = pipeline.formatting.seconds() * per_number;
    state.counters["total_ns"] = seconds * per_number;
}

// As many batches as make the same 36 million numbers.
void Register(const std::string &name, Way way, const Order &order, uint32_t batch_count) {
    benchmark::RegisterBenchmark(name.c_str(), Run, way, order, batch_count)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(3 * kHighestBatch / batch_count);
}

bool RegisterAll() {
    for (const Order &order : kOrders) {
        const std::string name = order.name;
        Register("direct/" + name, &Pipeline::RunDirect, order, kHighestBatch);
        for (uint32_t millions : {1u, 4u, 12u}) {
            Register("staged/" + name + "/" + std::to_string(millions) + "M", &Pipeline::RunStaged,
                     order, millions * 1000000);
        }
    }
    return true;
}

[[maybe_unused]] const bool are_registered = RegisterAll();

} // namespace
