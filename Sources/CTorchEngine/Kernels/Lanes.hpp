// A vector of sixteen floats. Included in the namespace of each instruction set, hence no #pragma once.

#define INLINE static inline __attribute__((always_inline))
#define UNROLLED _Pragma("clang loop unroll(full)")

constexpr int64_t laneCount = 16;
typedef float Lanes __attribute__((vector_size(4 * laneCount), aligned(4)));

INLINE Lanes load(const float *place) { return *reinterpret_cast<const Lanes *>(place); }
INLINE void store(float *place, const Lanes &value) { *reinterpret_cast<Lanes *>(place) = value; }
