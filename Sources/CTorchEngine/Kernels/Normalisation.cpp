#include "Normalisation.hpp"

#include <algorithm>

#include "Processor.hpp"

namespace ctorch::normalisation {
namespace {

/// The number of rows that are summed in float32 before the result is added to the sums in float64.
constexpr int64_t rowsAtOnce = 128;

#define KERNELS "NormalisationKernels.hpp"
#include "InstructionSets.hpp"

}  // namespace

const Kernels *kernels() {
  static const Kernels *const chosen = tableForThisMachine<Kernels>();
  return chosen;
}

}  // namespace ctorch::normalisation
