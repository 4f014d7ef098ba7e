#include "Winograd.hpp"

#include <algorithm>

namespace ctorch::winograd {
namespace {

constexpr int64_t frequencies = 36;

/// c[rows][columns] = a · b. Element (i, p) of a lies at a[i · rowStep + p · depthStep]; b lies in panels of `width`
/// columns, [depth][width] each.
struct Product {
  int64_t rows, columns, depth;
  int64_t rowStep, depthStep, width;
  bool accumulates;
};

struct Tile {
  int64_t image, top, left;
};

#define KERNELS "WinogradKernels.hpp"
#include "InstructionSets.hpp"

}  // namespace

const Kernels *kernels() {
  static const Kernels *const chosen = tableForThisMachine<Kernels>();
  return chosen;
}

}  // namespace ctorch::winograd
