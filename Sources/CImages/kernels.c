#include <string.h>

#include "CImages.h"

// Normalised values are the same on every processor. Sums before a rounding may be fused (FUSED below). That changes
// their last bit, and a level only if its sum is within one bit of the threshold.
#pragma STDC FP_CONTRACT OFF
#define FUSED _Pragma("clang fp contract(on)")

// The functions are compiled for several processors, and the loader selects the best. On other targets the vectors
// below compile to the target's own (NEON on ARM).
#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

typedef uint32_t Pixels16 __attribute__((vector_size(64)));
typedef uint8_t Bytes16 __attribute__((vector_size(16)));
typedef float Floats4 __attribute__((vector_size(16)));
typedef float Floats16 __attribute__((vector_size(64)));

// Adding and subtracting 2^23 rounds a float from 0 to 2^22 to the nearest integer.
static const float whole = 0x1p23f;

// The compiler unrolls the inner loop if the number of taps is a constant.
#define FOR_EACH_COUNT_OF_TAPS(CASE, OTHER) \
  switch (taps) { CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) default: OTHER; }

#define LOAD(Vector, address) ({ Vector vector; memcpy(&vector, address, sizeof vector); vector; })
#define STORE(address, value) ({ __typeof__(value) vector = value; memcpy(address, &vector, sizeof vector); })

// Transposes four pixels of four bytes from each of four rows at a time, then converts bytes to floats.
INLINE int widen_fours(const uint8_t *const *rows, int count, float *target) {
  int i = 0;
  for (; i + 4 <= count; i += 4) {
    uint8_t bytes[64];
    for (int row = 0; row < 4; row++) memcpy(bytes + 16 * row, rows[row] + 4 * i, 16);
    Pixels16 pixels = LOAD(Pixels16, bytes);
    pixels = __builtin_shufflevector(pixels, pixels, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    memcpy(bytes, &pixels, sizeof bytes);
    for (int column = 0; column < 4; column++) {
      STORE(target + 16 * (i + column), __builtin_convertvector(LOAD(Bytes16, bytes + 16 * column), Floats16));
    }
  }
  return i;
}

INLINE void widen(const uint8_t *const *rows, int step, int first, int count, float *target) {
  const uint8_t *from[4] = {
      rows[0] + step * first, rows[1] + step * first, rows[2] + step * first, rows[3] + step * first};
  for (int i = step == 4 ? widen_fours(from, count, target) : 0; i < count; i++) {
    for (int row = 0; row < 4; row++) {
      const uint8_t *pixel = from[row] + step * i;
      STORE(target + 16 * i + 4 * row, ((Floats4){pixel[0], pixel[1], pixel[2], 0}));
    }
  }
}

INLINE void resize_columns4(
    const uint8_t *const *rows, int step, int first_input, CImagesAxis axis, int output, int direction, int count,
    float *scratch, float *const *targets, int taps) {
  // The inputs of a block of outputs fit into the first-level cache.
  enum { block = 32 };
  float *a = targets[0], *b = targets[1], *c = targets[2], *d = targets[3];
  for (int done = 0; done < count; done += block) {
    int end = done + block < count ? done + block : count;
    int one = axis.starts[output + direction * done], other = axis.starts[output + direction * (end - 1)];
    int first = one < other ? one : other, last = one < other ? other : one;
    widen(rows, step, first - first_input, last + taps - first, scratch);
    for (int i = done; i < end; i++) {
      const float *pixel = scratch + 16 * (axis.starts[output + direction * i] - first);
      const float *weight = axis.weights + (output + direction * i) * taps;
      Floats16 sum = axis.nudges[output + direction * i] + (Floats16){};
      for (int tap = 0; tap < taps; tap++) {
        FUSED
        sum += LOAD(Floats16, pixel + 16 * tap) * weight[tap];
      }
      sum = (sum + whole) - whole;
      STORE(a + 3 * i, __builtin_shufflevector(sum, sum, 0, 1, 2, 3));
      STORE(b + 3 * i, __builtin_shufflevector(sum, sum, 4, 5, 6, 7));
      STORE(c + 3 * i, __builtin_shufflevector(sum, sum, 8, 9, 10, 11));
      STORE(d + 3 * i, __builtin_shufflevector(sum, sum, 12, 13, 14, 15));
    }
  }
}

FOR_EACH_PROCESSOR
void cimages_resize_columns4(
    const uint8_t *const *rows, int step, int first_input, CImagesAxis axis, int output, int direction, int count,
    float *scratch, float *const *targets) {
  int taps = axis.taps;
#define RESIZE(n) resize_columns4(rows, step, first_input, axis, output, direction, count, scratch, targets, n)
#define CASE(n) case n: RESIZE(n); break;
  FOR_EACH_COUNT_OF_TAPS(CASE, RESIZE(taps))
#undef CASE
#undef RESIZE
}

// 16 outputs of the vertical pass, rounded. (The result is a parameter because the convention for returning vectors
// depends on the processor.)
INLINE void blend16(const float *const *rows, const float *weights, float nudge, int taps, int i, Floats16 *result) {
  Floats16 sum = nudge + (Floats16){};
  for (int tap = 0; tap < taps; tap++) {
    FUSED
    sum += LOAD(Floats16, rows[tap] + i) * weights[tap];
  }
  *result = (sum + whole) - whole;
}

INLINE float blend1(const float *const *rows, const float *weights, float nudge, int taps, int i) {
  float sum = nudge;
  for (int tap = 0; tap < taps; tap++) {
    FUSED
    sum += rows[tap][i] * weights[tap];
  }
  return (sum + whole) - whole;
}

INLINE void blend_rows(
    const float *const *rows, const float *weights, float nudge, int taps, const float *factor, const float *offset,
    float *target, int count) {
  int i = 0;
  int is_aligned = ((uintptr_t)target & 63) == 0;
  for (; i + 16 <= count; i += 16) {
    Floats16 sum;
    blend16(rows, weights, nudge, taps, i, &sum);
    sum = sum * LOAD(Floats16, factor + i) + LOAD(Floats16, offset + i);
    // Bypasses the caches, because a batch is larger than they are and is read when it is complete. The lock taken to
    // publish the batch orders these stores as well.
    if (is_aligned) {
      __builtin_nontemporal_store(sum, (Floats16 *)(target + i));
    } else {
      STORE(target + i, sum);
    }
  }
  for (; i < count; i++) target[i] = blend1(rows, weights, nudge, taps, i) * factor[i] + offset[i];
}

INLINE void blend_levels(
    const float *const *rows, const float *weights, float nudge, int taps, uint8_t *target, int count) {
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    Floats16 sum;
    blend16(rows, weights, nudge, taps, i, &sum);
    STORE(target + i, __builtin_convertvector(sum, Bytes16));
  }
  for (; i < count; i++) target[i] = (uint8_t)blend1(rows, weights, nudge, taps, i);
}

FOR_EACH_PROCESSOR
void cimages_blend_rows(
    const float *const *rows, const float *weights, float nudge, int taps, const float *factor, const float *offset,
    float *target, int count) {
#define CASE(n) case n: blend_rows(rows, weights, nudge, n, factor, offset, target, count); break;
  FOR_EACH_COUNT_OF_TAPS(CASE, blend_rows(rows, weights, nudge, taps, factor, offset, target, count))
#undef CASE
}

FOR_EACH_PROCESSOR
void cimages_blend_levels(
    const float *const *rows, const float *weights, float nudge, int taps, uint8_t *target, int count) {
#define CASE(n) case n: blend_levels(rows, weights, nudge, n, target, count); break;
  FOR_EACH_COUNT_OF_TAPS(CASE, blend_levels(rows, weights, nudge, taps, target, count))
#undef CASE
}

// Converts four pixels of four bytes at a time, forwards or backwards. Each store of twelve values also writes four
// that the next store overwrites. Returns the number of converted pixels; some at the end remain.
INLINE int normalise_fours(
    const uint8_t *source, int is_flipped, const float *factor, const float *offset, float *target, int count) {
  int i = 0;
  if (count < 6) return 0;
  Floats16 factors = LOAD(Floats16, factor), offsets = LOAD(Floats16, offset);
  for (; i + 6 <= count; i += 4) {
    Bytes16 pixels = LOAD(Bytes16, is_flipped ? source + 4 * (count - 4 - i) : source + 4 * i);
    pixels = is_flipped
                 ? __builtin_shufflevector(pixels, pixels, 12, 13, 14, 8, 9, 10, 4, 5, 6, 0, 1, 2, -1, -1, -1, -1)
                 : __builtin_shufflevector(pixels, pixels, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    STORE(target + 3 * i, __builtin_convertvector(pixels, Floats16) * factors + offsets);
  }
  return i;
}

FOR_EACH_PROCESSOR
void cimages_normalise(
    const uint8_t *source, int step, int channels, int is_flipped, const float *factor, const float *offset,
    float *target, int count) {
  int i = 0;
  if (step == 4) {
    i = is_flipped ? normalise_fours(source, 1, factor, offset, target, count)
                   : normalise_fours(source, 0, factor, offset, target, count);
  }
  for (; i < count; i++) {
    const uint8_t *pixel = source + step * (is_flipped ? count - 1 - i : i);
    for (int channel = 0; channel < channels; channel++) {
      target[channels * i + channel] = pixel[channel] * factor[channel] + offset[channel];
    }
  }
}

void cimages_copy_levels(
    const uint8_t *source, int step, int channels, int is_flipped, uint8_t *target, int count) {
  if (step == channels && !is_flipped) {
    memcpy(target, source, (size_t)count * channels);
    return;
  }
  for (int i = 0; i < count; i++) {
    const uint8_t *pixel = source + step * (is_flipped ? count - 1 - i : i);
    for (int channel = 0; channel < channels; channel++) target[channels * i + channel] = pixel[channel];
  }
}
