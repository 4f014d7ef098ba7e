#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <limits>

#include "Handles.hpp"

using ctorch::guard;

namespace {
/// Sums a bucket. Without a hook the reducer computes the mean; libtorch does not export its hook for sums.
struct Sum : c10d::CppCommHookInterface<c10::intrusive_ptr<c10d::ProcessGroup>> {
  using CppCommHookInterface::CppCommHookInterface;

  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket &bucket) override {
    std::vector<at::Tensor> tensors{bucket.getBufferRef()};
    return state_->allreduce(tensors)->getFuture();
  }
};
}  // namespace

struct CTReducer {
  c10d::Reducer value;
};

CTError *ct_reducer_make(CTProcessGroup *group, const CTTensor *const *parameters, int64_t count, int64_t bucketBytes,
                         CTReducer **out) {
  return guard([&] {
    const std::vector<at::Tensor> tensors = ctorch::values(parameters, count);
    const std::vector<bool> isSparse(tensors.size(), false);
    // As in DistributedDataParallel, the first backward pass fills a single bucket and records the order of the gradients.
    // Then the reducer rebuilds its buckets in this order, with a small first one so that its reduction starts early.
    auto [buckets, limits] = c10d::compute_bucket_assignment_by_size(
        tensors, {std::numeric_limits<size_t>::max()}, isSparse);
    std::reverse(buckets.begin(), buckets.end());
    auto reducer = std::unique_ptr<CTReducer>(new CTReducer{c10d::Reducer(
        tensors, std::move(buckets), group->value, isSparse, bucketBytes, /*find_unused_parameters=*/false,
        /*gradient_as_bucket_view=*/true, /*param_names=*/{},
        std::min<int64_t>(bucketBytes, c10d::kDefaultFirstBucketBytes), /*skip_all_reduce_unused_params=*/false,
        /*use_python_reducer=*/false, /*bucket_bytes_cap_list=*/{})});
    reducer->value.register_comm_hook(std::make_unique<Sum>(group->value));
    *out = reducer.release();
  });
}

void ct_reducer_free(CTReducer *reducer) { delete reducer; }

CTError *ct_reducer_prepare_forward(CTReducer *reducer, bool sums) {
  return guard([&] {
    if (sums) reducer->value.prepare_for_forward();
    reducer->value.rebuild_buckets();
  });
}

CTError *ct_reducer_prepare_backward(CTReducer *reducer) {
  return guard([&] { reducer->value.prepare_for_backward({}); });
}
