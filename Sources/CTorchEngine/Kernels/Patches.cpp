#include "Patches.hpp"

#include <algorithm>
#include <cstring>

namespace ctorch::patches {
namespace {

/// The maximum depth of a product, so that a panel stays in the cache while rows pass by.
constexpr int64_t depthAtOnce = 512;

#define KERNELS "PatchesKernels.hpp"
#include "InstructionSets.hpp"

}  // namespace

const Kernels *kernels() {
  static const Kernels *const chosen = tableForThisMachine<Kernels>();
  return chosen;
}

}  // namespace ctorch::patches
