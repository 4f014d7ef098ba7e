#include "Winograd.hpp"

#include <algorithm>

namespace ctorch::winograd {
namespace {

constexpr int64_t frequencies = 36;

/// c[rows][columns] = a · b. Element (i, p) of a is a[i · rowStep + p · depthStep]; b consists of panels of `width` columns,
/// each [depth][width].
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
