// Compiles a file of kernels for each supported instruction set. KERNELS is the name of the file.
//
// The file defines a `table` of its functions. It uses vectors of 16 floats (Lanes.hpp), which occupy one, two or four
// registers. There is no #pragma once, since each file of kernels includes this header again.

// The calling convention for returned vectors does not matter, since all these functions are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
namespace avx512 {
constexpr bool hasManyRegisters = true;
#include "Lanes.hpp"
#include KERNELS
}  // namespace avx512
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
namespace avx2 {
constexpr bool hasManyRegisters = false;
#include "Lanes.hpp"
#include KERNELS
}  // namespace avx2
#pragma clang attribute pop

/// Returns the functions for this processor; `nullptr` if it supports none of the instruction sets.
template <typename Table>
const Table *tableForThisMachine() {
  if (hasAVX512()) return &avx512::table;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2::table : nullptr;
}

#else

namespace baseline {
constexpr bool hasManyRegisters = false;
#include "Lanes.hpp"
#include KERNELS
}  // namespace baseline

template <typename Table>
const Table *tableForThisMachine() {
  return &baseline::table;
}

#endif
