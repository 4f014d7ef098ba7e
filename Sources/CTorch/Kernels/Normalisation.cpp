#include "Normalisation.hpp"

#include <algorithm>

namespace ctorch::normalisation {
namespace {

/// Rows whose sums are kept in float32 before they are added to the sums in float64.
constexpr int64_t rowsAtOnce = 128;

#define KERNELS "NormalisationKernels.hpp"
#include "InstructionSets.hpp"

}  // namespace

const Kernels *kernels() {
  static const Kernels *const chosen = tableForThisMachine<Kernels>();
  return chosen;
}

}  // namespace ctorch::normalisation
