#pragma once

namespace ctorch {

/// Whether this processor has the parts of AVX-512 that the kernels use.
inline bool hasAVX512() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return has;
#else
  return false;
#endif
}

}  // namespace ctorch
