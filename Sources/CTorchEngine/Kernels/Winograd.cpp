#include "Winograd.hpp"

#include <algorithm>

namespace ctorch::winograd {
namespace {

constexpr int64_t frequencies = 36;

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
