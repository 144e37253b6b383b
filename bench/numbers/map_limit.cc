#include "bench/numbers/map_limit.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

#include "bench/measure.h"
#include "bench/numbers/load_generator.h"

namespace bench {
namespace {

constexpr std::size_t kHugePageSize = 2 << 20;
constexpr std::size_t kMapSize =
    (LOAD_GENERATOR_RANGE / 8 + kHugePageSize - 1) / kHugePageSize * kHugePageSize;
constexpr std::uint32_t kBatchCount = 65536;
constexpr std::size_t kPrefetchDistance = 32;

// Sets the bits of the numbers and returns how many were new, which keeps the work from being
// optimised away. `numbers` has kPrefetchDistance further elements.
std::uint32_t SetBits(std::uint64_t *map, const std::uint32_t *numbers, std::uint32_t count) {
    std::uint32_t new_count = 0;
    for (std::uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(&map[numbers[i + kPrefetchDistance] / 64], 1);
        std::uint64_t *word = &map[numbers[i] / 64];
        const std::uint64_t bit = std::uint64_t{1} << (numbers[i] % 64);
        new_count += (*word & bit) == 0;
        *word |= bit;
    }
    return new_count;
}

} // namespace

double MeasureMapUpdates(std::uint32_t number_count) {
    const std::unique_ptr<void, decltype(&std::free)> map(
        std::aligned_alloc(kHugePageSize, kMapSize), std::free);
    if (map == nullptr) {
        throw std::bad_alloc();
    }
    // Only a wish: without huge pages the figure is lower, and so is every server's.
    (void)madvise(map.get(), kMapSize, MADV_HUGEPAGE);
    std::memset(map.get(), 0, kMapSize);
    const load_generator_options options = {LOAD_ORDER_PERMUTATION, 0, 0, 0};
    load_generator generator;
    load_generator_init(&generator, &options);
    std::vector<std::uint32_t> numbers(kBatchCount + kPrefetchDistance);
    std::uint32_t new_count = 0;
    double seconds = 0;
    for (std::uint32_t done = 0; done < number_count;) {
        const std::uint32_t count = std::min(kBatchCount, number_count - done);
        load_generator_fill(&generator, done, numbers.data(), count);
        seconds += SecondsOf([&] {
            new_count += SetBits(static_cast<std::uint64_t *>(map.get()), numbers.data(), count);
        });
        done += count;
    }
    if (new_count != number_count) {
        throw std::runtime_error("the permutation repeats itself");
    }
    return number_count / seconds;
}

} // namespace bench
