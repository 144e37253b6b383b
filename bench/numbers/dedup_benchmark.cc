// Nanoseconds a number, step by step, from parsed numbers to formatted lines of the new ones:
// staged (stage, insert, format) beside the direct way (insert with prefetching, format).
//
// The orders of numbers are what decides: random and distinct touch all of the map; duplicates
// leave nothing to format; sequential ones meet in the same words. The batch is how many numbers a
// stage collects before it is inserted. What the kernel does (receive, write) is not in here; see
// //bench/numbers:throughput for the whole.
//
// Other numbers of buckets: bazel run --copt=-DDEDUP_BUCKET_BITS=10 //bench:dedup_benchmark
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

#include "dedup/dedup_map.h"
#include "dedup/stage.h"
#include "formatter/number_formatter.h"

namespace {

constexpr size_t kReadCount = 26000;    // what one recv of 260 kB brings
constexpr size_t kWarmCount = 10000000; // distinct numbers in the map before duplicates are timed
constexpr size_t kBlockSize = 1 << 20;  // formatted lines that are written at once
constexpr size_t kHugePageSize = 2 << 20;
constexpr size_t kHighestBatch = 12000000;

enum class Order { kDistinct, kThreeQuartersDuplicates, kAllDuplicates, kSequential };
enum class Pages { kHuge, kSmall };
enum class Way { kStaged, kDirect };

// Pages are touched here unless they are to be cold: then the benchmark pays for the first touch.
class Memory {
  public:
    Memory(size_t size, Pages pages, bool is_cold) : size_(size + kHugePageSize) {
        data_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (data_ == MAP_FAILED) {
            abort();
        }
        const int advice = pages == Pages::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
        (void)madvise(data_, size_, advice); // a kernel without huge pages measures small ones
        if (!is_cold) {
            std::fill_n(static_cast<volatile char *>(data_), size_, char{0});
        }
    }
    ~Memory() {
        munmap(data_, size_);
    }
    Memory(const Memory &) = delete;
    Memory &operator=(const Memory &) = delete;

    void *aligned() const {
        const uintptr_t address = reinterpret_cast<uintptr_t>(data_);
        return reinterpret_cast<void *>((address + kHugePageSize - 1) & ~(kHugePageSize - 1));
    }

  private:
    size_t size_;
    void *data_;
};

// A pseudo-random permutation of all numbers: a Feistel network over 30 bits, repeated until its
// result is in range (J. Black, P. Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
uint32_t Permute(uint32_t index) {
    uint32_t value = index;
    do {
        uint32_t left = value >> 15, right = value & 0x7fff;
        for (uint32_t key : {0x9e3779b1u, 0xa3d95387u, 0x7c15d2adu, 0xb5297a4du}) {
            const uint32_t mixed = (left ^ (right * key >> 13)) & 0x7fff;
            left = right;
            right = mixed;
        }
        value = left << 15 | right;
    } while (value >= DEDUP_NUMBER_COUNT);
    return value;
}

uint32_t NumberAt(Order order, uint64_t index) {
    switch (order) {
    case Order::kDistinct:
        return Permute(static_cast<uint32_t>(index % DEDUP_NUMBER_COUNT));
    case Order::kThreeQuartersDuplicates: {
        const uint64_t newest = index / 4; // one new number, then three that were there before
        const uint64_t random = index * 0x9e3779b97f4a7c15u >> 20;
        return Permute(static_cast<uint32_t>(index % 4 == 0 ? newest : random % (newest + 1)));
    }
    case Order::kAllDuplicates: // in another order than the one that warmed the map
        return Permute(static_cast<uint32_t>(index * 7919 % kWarmCount));
    case Order::kSequential:
        return static_cast<uint32_t>(index % DEDUP_NUMBER_COUNT);
    }
    abort();
}

// CPU time of this thread, so that other work on the machine disturbs little. Reading it costs
// about a tenth of a microsecond, which the smallest batches show a little of.
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

class Pipeline {
  public:
    Pipeline(size_t batch_count, Pages pages, bool is_cold)
        : bucket_capacity_(BucketCapacity(batch_count)),
          map_memory_(dedup_map_size(), pages, is_cold),
          stage_memory_(dedup_stage_size(bucket_capacity_), pages, false),
          new_numbers_(std::max(bucket_capacity_, kReadCount)),
          lines_(kBlockSize + new_numbers_.size() * NUMBER_FORMATTER_LINE_SIZE +
                 NUMBER_FORMATTER_SLACK_SIZE) {
        dedup_map_init(&map_, map_memory_.aligned());
        dedup_stage_init(&stage_, stage_memory_.aligned(), bucket_capacity_);
        if (number_formatter_select(&formatter_, nullptr) != NUMBER_FORMATTER_SELECTED) {
            abort();
        }
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

    // What a server does for a few numbers that must not wait; untimed inside. Returns the lines.
    const char *RunFew(const uint32_t *numbers, size_t count) {
        dedup_stage_add(&stage_, numbers, count);
        size_t new_count = 0;
        for (size_t bucket_index = 0; bucket_index < DEDUP_BUCKET_COUNT; bucket_index++) {
            if (dedup_stage_bucket_count(&stage_, bucket_index) > 0) {
                new_count += dedup_map_insert_bucket(&map_, &stage_, bucket_index,
                                                     new_numbers_.data() + new_count);
            }
        }
        dedup_stage_clear(&stage_);
        number_formatter_format(&formatter_, new_numbers_.data(), new_count, lines_.data());
        return lines_.data();
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

struct Case {
    Way way;
    Order order;
    size_t batch_count;
    Pages pages;
    bool is_cold;
};

void Run(benchmark::State &state, Case c) {
    Pipeline pipeline(c.batch_count, c.pages, c.is_cold);
    std::vector<uint32_t> numbers(c.batch_count);
    if (c.order == Order::kAllDuplicates) {
        for (uint64_t i = 0; i < kWarmCount; i++) {
            const uint32_t number = Permute(static_cast<uint32_t>(i));
            pipeline.RunDirect(&number, 1);
        }
        pipeline.inserting = pipeline.formatting = Stopwatch();
    }
    uint64_t index = 0;
    double seconds = 0;
    for (auto _ : state) {
        for (uint32_t &number : numbers) {
            number = NumberAt(c.order, index++);
        }
        c.way == Way::kStaged ? pipeline.RunStaged(numbers.data(), numbers.size())
                              : pipeline.RunDirect(numbers.data(), numbers.size());
        const double total = pipeline.staging.seconds() + pipeline.inserting.seconds() +
                             pipeline.formatting.seconds();
        state.SetIterationTime(total - seconds);
        seconds = total;
    }
    const double per_number = 1e9 / static_cast<double>(index);
    state.counters["stage_ns"] = pipeline.staging.seconds() * per_number;
    state.counters["insert_ns"] = pipeline.inserting.seconds() * per_number;
    state.counters["format_ns"] = pipeline.formatting.seconds() * per_number;
    state.counters["total_ns"] = seconds * per_number;
}

void RunFew(benchmark::State &state, size_t count) {
    Pipeline pipeline(kHighestBatch, Pages::kHuge, false);
    std::vector<uint32_t> numbers(count);
    uint32_t index = 0;
    for (auto _ : state) {
        for (uint32_t &number : numbers) {
            number = Permute(index++);
        }
        benchmark::DoNotOptimize(pipeline.RunFew(numbers.data(), count));
    }
}

// As many batches as make the same 36 million numbers; a cold map is cold only once.
void Register(const std::string &name, Case c) {
    benchmark::RegisterBenchmark(name.c_str(), Run, c)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(c.is_cold ? 1 : static_cast<int64_t>(3 * kHighestBatch / c.batch_count));
}

void RegisterOrder(const std::string &name, Order order) {
    Register("direct/" + name, {Way::kDirect, order, kHighestBatch, Pages::kHuge, false});
    for (size_t millions : {1u, 4u, 12u}) {
        Register("staged/" + name + "/" + std::to_string(millions) + "M",
                 {Way::kStaged, order, millions * 1000000, Pages::kHuge, false});
    }
}

} // namespace

int main(int argc, char **argv) {
    RegisterOrder("distinct", Order::kDistinct);
    RegisterOrder("3_of_4_duplicates", Order::kThreeQuartersDuplicates);
    RegisterOrder("all_duplicates", Order::kAllDuplicates);
    RegisterOrder("sequential", Order::kSequential);
    Register("staged/distinct/12M/cold_map",
             {Way::kStaged, Order::kDistinct, kHighestBatch, Pages::kHuge, true});
    Register("staged/distinct/12M/small_pages",
             {Way::kStaged, Order::kDistinct, kHighestBatch, Pages::kSmall, false});
    Register("direct/distinct/small_pages",
             {Way::kDirect, Order::kDistinct, kHighestBatch, Pages::kSmall, false});
    for (size_t count : {10u, 1000u}) {
        benchmark::RegisterBenchmark(("few/" + std::to_string(count) + "_numbers").c_str(), RunFew,
                                     count);
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
        return 2;
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
