#pragma once
// Weights in the form of the kernels, kept over many passes without gradients.

#include <map>
#include <utility>

#include "Guard.hpp"

struct CTPreparedWeights {
  /// What is made of a tensor.
  enum class Form { panels, spectrum, factor, offset };

  /// A tensor of the model, which is kept so that its address remains its own, and what was made of it.
  struct Entry {
    at::Tensor weights, prepared;
  };

  std::map<std::pair<const at::TensorImpl *, Form>, Entry> entries;
};

namespace ctorch {

using Form = CTPreparedWeights::Form;

/// The prepared weights that operators of this thread use; null if there are none.
extern thread_local CTPreparedWeights *preparedWeights;

/// Returns what `make()` makes of weights, which is kept if this thread uses prepared weights and they are parameters. Others can
/// be computed in each pass.
template <typename Make>
at::Tensor prepared(const at::Tensor &weights, Form form, const Make &make) {
  if (!preparedWeights || !weights.requires_grad()) return make();
  CTPreparedWeights::Entry &entry = preparedWeights->entries[{weights.unsafeGetTensorImpl(), form}];
  if (!entry.prepared.defined()) entry = {weights, make()};
  return entry.prepared;
}

}  // namespace ctorch
