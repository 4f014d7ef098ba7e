#define USE_C10D_GLOO
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "Handles.hpp"

using ctorch::guard;
using std::chrono::milliseconds;
using Group = c10d::ProcessGroup;

// Never called, but required since Gloo's header is not available; see GlooDeclarations/README.md.
gloo::transport::UnboundBuffer::~UnboundBuffer() = default;

struct CTWork {
  c10::intrusive_ptr<c10d::Work> value;
};

namespace {

struct Gloo : c10d::ProcessGroupGloo {
  using ProcessGroupGloo::ProcessGroupGloo;

  void abort() override {
    for (const auto &context : contexts_) context->closeConnections();
  }
};

at::Tensor view(const void *values, int64_t count, at::ScalarType type) {
  return at::from_blob(const_cast<void *>(values), {count}, type);
}

c10d::Backend &backend(CTProcessGroup *group, const at::Tensor &tensor) {
  return *group->value->getBackend(tensor.device().type());
}

void sum(CTProcessGroup *group, void *values, int64_t count, at::ScalarType type) {
  ctorch::sumOver(*group->value, view(values, count, type));
}

}  // namespace

void ctorch::sumOver(c10d::ProcessGroup &group, at::Tensor tensor) {
  std::vector<at::Tensor> tensors{std::move(tensor)};
  group.getBackend(tensors[0].device().type())->allreduce(tensors)->wait();
}

CTError *ct_process_group_make(CTStore *store, const char *prefix, int32_t rank, int32_t size,
                               const char *const *interfaces, int32_t interfaceCount, const char *address,
                               int64_t timeoutMilliseconds, CTDevice device, CTProcessGroup **out) {
  return guard([&] {
    const ctorch::WithoutPipeSignal threads;
    store->value->setTimeout(milliseconds(timeoutMilliseconds));
    const auto own = c10::make_intrusive<c10d::PrefixStore>(prefix, store->value);
    const auto options = c10d::ProcessGroupGloo::Options::create(milliseconds(timeoutMilliseconds));
    for (int32_t i = 0; i < interfaceCount; ++i)
      options->devices.push_back(Gloo::createDeviceForInterface(interfaces[i]));
    if (options->devices.empty())
      options->devices.push_back(address ? Gloo::createDeviceForHostname(address) : Gloo::createDefaultDevice());
    const auto group = c10::make_intrusive<Group>(own, rank, size);
    group->setBackend(at::kCPU, Group::BackendType::GLOO,
                      c10::make_intrusive<Gloo>(c10::make_intrusive<c10d::PrefixStore>("cpu", own), rank, size, options));
    group->setDefaultBackend(Group::BackendType::GLOO);
    if (device.cuda) {
      c10::impl::VirtualGuardImpl(at::kCUDA).setDevice(ctorch::deviceOf(device));
      group->setBackend(at::kCUDA, Group::BackendType::NCCL,
                        ctorch::makeNccl(c10::make_intrusive<c10d::PrefixStore>("cuda", own), rank, size,
                                         milliseconds(timeoutMilliseconds)));
    }
    *out = new CTProcessGroup{group};
  });
}

void ct_process_group_free(CTProcessGroup *group) {
  if (group->aborted) group->value.release();
  delete group;
}

CTError *ct_process_group_set_timeout(CTProcessGroup *group, int64_t timeoutMilliseconds) {
  return guard([&] { group->value->setTimeout(milliseconds(timeoutMilliseconds)); });
}

void ct_process_group_abort(CTProcessGroup *group) {
  group->aborted = true;
  // An error is ignored, since the connections end with this process.
  if (CTError *error = guard([&] { group->value->abort(); })) ct_error_free(error);
}

CTError *ct_broadcast(CTProcessGroup *group, CTTensor *tensor, int32_t root, CTWork **out) {
  return guard([&] {
    std::vector<at::Tensor> tensors{tensor->value.detach()};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    *out = new CTWork{backend(group, tensor->value).broadcast(tensors, options)};
  });
}

CTError *ct_all_reduce(CTProcessGroup *group, CTTensor *tensor, CTWork **out) {
  return guard([&] {
    std::vector<at::Tensor> tensors{tensor->value.detach()};
    *out = new CTWork{backend(group, tensor->value).allreduce(tensors)};
  });
}

CTError *ct_reduce_scatter(CTProcessGroup *group, const CTTensor *input, CTTensor *output, CTWork **out) {
  return guard([&] {
    at::Tensor whole = input->value.detach(), part = output->value.detach();
    *out = new CTWork{backend(group, whole)._reduce_scatter_base(part, whole)};
  });
}

CTError *ct_work_wait(CTWork *work, int64_t timeoutMilliseconds) {
  return guard([&] { work->value->wait(milliseconds(timeoutMilliseconds)); });
}

bool ct_work_is_completed(CTWork *work) { return work->value->isCompleted(); }

void ct_work_free(CTWork *work) { delete work; }

CTError *ct_barrier(CTProcessGroup *group) {
  return guard([&] { group->value->getBackend(at::kCPU)->barrier()->wait(); });
}

CTError *ct_all_reduce_doubles(CTProcessGroup *group, double *values, int64_t count) {
  return guard([&] { sum(group, values, count, at::kDouble); });
}

CTError *ct_all_reduce_integers(CTProcessGroup *group, int64_t *values, int64_t count) {
  return guard([&] { sum(group, values, count, at::kLong); });
}

CTError *ct_all_gather_integer(CTProcessGroup *group, int64_t value, int64_t *out) {
  return guard([&] {
    at::Tensor input = view(&value, 1, at::kLong), output = view(out, group->value->getSize(), at::kLong);
    group->value->getBackend(at::kCPU)->_allgather_base(output, input)->wait();
  });
}

CTError *ct_all_gather_bytes(CTProcessGroup *group, const uint8_t *bytes, const int64_t *counts, uint8_t *out) {
  return guard([&] {
    const int size = group->value->getSize(), rank = group->value->getRank();
    const int64_t longest = *std::max_element(counts, counts + size);
    if (longest == 0) return;
    // Gloo gathers parts of equal size, so shorter parts are padded.
    at::Tensor padded = at::zeros({longest}, at::kByte);
    if (counts[rank] > 0) std::memcpy(padded.data_ptr(), bytes, static_cast<size_t>(counts[rank]));
    at::Tensor gathered = at::empty({size * longest}, at::kByte);
    group->value->getBackend(at::kCPU)->_allgather_base(gathered, padded)->wait();
    for (int r = 0; r < size; ++r) {
      std::memcpy(out, gathered.data_ptr<uint8_t>() + r * longest, static_cast<size_t>(counts[r]));
      out += counts[r];
    }
  });
}

CTError *ct_all_to_all_bytes(CTProcessGroup *group, const uint8_t *bytes, const int64_t *sendCounts,
                             const int64_t *receiveCounts, uint8_t *out) {
  return guard([&] {
    const int size = group->value->getSize();
    std::vector<int64_t> sent(sendCounts, sendCounts + size), received(receiveCounts, receiveCounts + size);
    at::Tensor input = view(bytes, std::accumulate(sent.begin(), sent.end(), int64_t{0}), at::kByte);
    at::Tensor output = view(out, std::accumulate(received.begin(), received.end(), int64_t{0}), at::kByte);
    group->value->getBackend(at::kCPU)->alltoall_base(output, input, received, sent)->wait();
  });
}
