// Purpose: zeroed, page-aligned memory for the tests, of which only the pages touched cost
// anything.
#ifndef DEDUP_ZEROED_MEMORY_H_
#define DEDUP_ZEROED_MEMORY_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>

class ZeroedMemory {
  public:
    explicit ZeroedMemory(size_t size)
        : size_(size),
          data_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
        if (data_ == MAP_FAILED)
            abort();
    }
    ~ZeroedMemory() {
        munmap(data_, size_);
    }
    ZeroedMemory(const ZeroedMemory &) = delete;
    ZeroedMemory &operator=(const ZeroedMemory &) = delete;

    void *data() const {
        return data_;
    }

  private:
    size_t size_;
    void *data_;
};

#endif // DEDUP_ZEROED_MEMORY_H_
