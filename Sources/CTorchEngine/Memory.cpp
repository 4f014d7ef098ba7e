#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>

#include "Guard.hpp"

namespace {

/// An allocator that reuses the memory of freed tensors.
///
/// Each training step allocates and frees tensors of the same sizes. The operating system clears every page that it
/// provides, which takes at least a tenth of a step for large blocks.
class TensorMemory final : public c10::Allocator {
 public:
  at::DataPtr allocate(size_t bytes) override {
    void *place = bytes < least ? c10::alloc_cpu(bytes) : take(sizeClass(bytes));
    return {place, place, &TensorMemory::release, at::Device(at::kCPU)};
  }

  at::DeleterFnPtr raw_deleter() const override { return &TensorMemory::release; }

  void copy_data(void *target, const void *source, size_t count) const override {
    default_copy_data(target, source, count);
  }

  static TensorMemory &shared() {
    // Never destroyed, since tensors may outlive static objects.
    static TensorMemory *const memory = new TensorMemory;
    return *memory;
  }

 private:
  static constexpr size_t least = 1 << 18, slack = 64 << 20;

  std::mutex mutex;
  /// The sizes of blocks in use, and the free blocks by size.
  std::unordered_map<void *, size_t> used;
  std::multimap<size_t, void *> free_;
  size_t usedBytes = 0, freeBytes = 0, peakBytes = 0;

  /// Rounds up to one of eight sizes per power of two.
  static size_t sizeClass(size_t bytes) {
    size_t step = least / 8;
    while (step * 16 < bytes) step *= 2;
    return (bytes + step - 1) / step * step;
  }

  void *take(size_t size) {
    const std::lock_guard guard(mutex);
    void *block;
    if (const auto found = free_.find(size); found != free_.end()) {
      block = found->second;
      free_.erase(found);
      freeBytes -= size;
    } else {
      // Free blocks of sizes that are no longer requested: limit the total to 1.25 times the peak in use plus a slack for
      // small models.
      while (!free_.empty() && usedBytes + freeBytes + size > peakBytes + peakBytes / 4 + slack) {
        const auto largest = std::prev(free_.end());
        freeBytes -= largest->first;
        std::free(largest->second);
        free_.erase(largest);
      }
      block = make(size);
    }
    used.emplace(block, size);
    usedBytes += size;
    peakBytes = std::max(peakBytes, usedBytes);
    return block;
  }

  static void *make(size_t size) {
    void *block = nullptr;
    TORCH_CHECK_WITH(OutOfMemoryError, posix_memalign(&block, 64, size) == 0, "DefaultCPUAllocator: no memory for ", size,
                     " bytes");
    return block;
  }

  static void release(void *place) {
    TensorMemory &memory = shared();
    {
      const std::lock_guard guard(memory.mutex);
      if (const auto found = memory.used.find(place); found != memory.used.end()) {
        memory.usedBytes -= found->second;
        memory.freeBytes += found->second;
        memory.free_.emplace(found->second, place);
        memory.used.erase(found);
        return;
      }
    }
    c10::free_cpu(place);
  }
};

}  // namespace

void ct_keep_freed_tensors(void) { c10::SetCPUAllocator(&TensorMemory::shared()); }
