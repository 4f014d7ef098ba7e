#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstring>
#include <deque>
#include <map>
#include <mutex>

#include "Guard.hpp"

using ctorch::guard;
using ctorch::produce;
using ctorch::span;

namespace {

/// Borrowed memory, released exactly once.
struct Lease {
  void *owner;
  void (*release)(void *);
  ~Lease() { release(owner); }
};

at::ScalarType scalarType(CTElementType type) {
  switch (type) {
    case CT_UINT8: return at::kByte;
    case CT_INT64: return at::kLong;
    default: return at::kFloat;
  }
}

/// The memory that copies to devices are still reading, oldest first.
class Uploads {
 public:
  void add(c10::Event &&copied, std::shared_ptr<Lease> lease) {
    const std::lock_guard<std::mutex> lock(mutex);
    underWay.emplace_back(std::move(copied), std::move(lease));
  }

  void releaseFinished() {
    // Released without holding the lock, since releasing calls code of the owner.
    std::vector<std::shared_ptr<Lease>> finished;
    const std::lock_guard<std::mutex> lock(mutex);
    while (!underWay.empty() && underWay.front().first.query()) {
      finished.push_back(std::move(underWay.front().second));
      underWay.pop_front();
    }
  }

  /// Copies use a separate stream, so that they run while the device computes.
  c10::Stream stream(at::Device device) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto known = streams.find(device.index());
    if (known != streams.end()) return known->second;
    return streams.emplace(device.index(), c10::impl::VirtualGuardImpl(device.type()).getNewStream(device))
        .first->second;
  }

 private:
  std::mutex mutex;
  std::deque<std::pair<c10::Event, std::shared_ptr<Lease>>> underWay;
  std::map<at::DeviceIndex, c10::Stream> streams;
};

Uploads &uploads() {
  // Never destroyed, since CUDA shuts down before static objects are destroyed.
  static Uploads *all = new Uploads;
  return *all;
}

at::Tensor upload(const at::Tensor &host, at::Device device, std::shared_ptr<Lease> lease) {
  uploads().releaseFinished();
  const c10::Stream computing = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  const c10::Stream copying = uploads().stream(device);
  c10::Event copied(device.type());
  at::Tensor result;
  {
    c10::StreamGuard onCopyStream(copying);
    result = at::empty_strided(host.sizes(), host.strides(), host.options().device(device));
    result.copy_(host, /*non_blocking=*/true);
    copied.record(copying);
  }
  copied.block(computing);
  // The allocator assigns the memory to the copy stream, and must be informed of the other stream that uses it.
  result.record_stream(computing);
  uploads().add(std::move(copied), std::move(lease));
  return result;
}

}  // namespace

void ctorch::releaseFinishedUploads() { uploads().releaseFinished(); }

struct CTPinned {
  at::Tensor memory;
};

CTError *ct_pinned_make(int64_t bytes, CTPinned **out) {
  return guard([&] {
    if (ct_cuda_device_count() == 0) return;
    *out = new CTPinned{at::empty({bytes}, at::TensorOptions(at::kByte).pinned_memory(true))};
  });
}

void *ct_pinned_memory(const CTPinned *pinned) { return pinned->memory.data_ptr(); }

void ct_pinned_free(CTPinned *pinned) { delete pinned; }

CTError *ct_from_borrowed(void *values, CTElementType type, const int64_t *shape, const int64_t *strides, int32_t rank,
                          CTDevice device, void *owner, void (*release)(void *), CTTensor **out) {
  // The lease releases the owner exactly once, whether or not from_blob succeeds.
  std::shared_ptr<Lease> lease;
  try {
    lease.reset(new Lease{owner, release});
  } catch (...) {
    release(owner);
    return ctorch::currentError();
  }
  return produce(out, [&] {
    const at::Device target = ctorch::deviceOf(device);
    const at::TensorOptions options(scalarType(type));
    if (target.is_cpu())
      return at::from_blob(values, span(shape, rank), span(strides, rank), [lease](void *) {}, options);
    return upload(at::from_blob(values, span(shape, rank), span(strides, rank), options), target, lease);
  });
}

struct CTFetch {
  at::Tensor values;
  std::optional<c10::Event> copied;
};

CTError *ct_fetch_begin(const CTTensor *tensor, CTFetch **out) {
  return guard([&] {
    const at::Tensor source = tensor->value.detach().contiguous();
    if (source.device().is_cpu()) {
      *out = new CTFetch{source.clone(), std::nullopt};
      return;
    }
    const at::Device device = source.device();
    auto fetch = std::make_unique<CTFetch>();
    fetch->values = at::empty(source.sizes(), source.options().device(at::kCPU).pinned_memory(true));
    fetch->values.copy_(source, /*non_blocking=*/true);
    fetch->copied.emplace(device.type());
    fetch->copied->record(c10::impl::VirtualGuardImpl(device.type()).getStream(device));
    *out = fetch.release();
  });
}

namespace {
template <typename Element>
CTError *fetchInto(CTFetch *fetch, at::ScalarType type, Element *values, int64_t count) {
  return guard([&] {
    const at::Tensor &host = fetch->values;
    TORCH_CHECK(host.scalar_type() == type, "the element type is ", host.scalar_type(), ", not ", type);
    TORCH_CHECK(host.numel() == count, "the tensor has ", host.numel(), " elements, not ", count);
    if (fetch->copied) fetch->copied->synchronize();
    if (count > 0) std::memcpy(values, host.const_data_ptr(), host.nbytes());
  });
}
}  // namespace

CTError *ct_fetch_floats(CTFetch *fetch, float *values, int64_t count) {
  return fetchInto(fetch, at::kFloat, values, count);
}

CTError *ct_fetch_integers(CTFetch *fetch, int64_t *values, int64_t count) {
  return fetchInto(fetch, at::kLong, values, count);
}

void ct_fetch_free(CTFetch *fetch) { delete fetch; }
