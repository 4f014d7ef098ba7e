#include <string.h>

#include "CImages.h"

// Sums are not fused, as in Pillow.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__) && defined(__linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

INLINE void affine(const uint8_t *source, int side, int channels, CImagesAffine map, uint8_t *target) {
  for (int row = 0; row < side; row++) {
    int32_t x = map.x, y = map.y;
    for (int column = 0; column < side; column++) {
      // Negative coordinates become large numbers.
      uint32_t from_column = (uint32_t)(x >> 16), from_row = (uint32_t)(y >> 16);
      if (from_column < (uint32_t)side && from_row < (uint32_t)side) {
        const uint8_t *pixel = source + ((size_t)from_row * side + from_column) * channels;
        for (int channel = 0; channel < channels; channel++) target[channel] = pixel[channel];
      } else {
        for (int channel = 0; channel < channels; channel++) target[channel] = 0;
      }
      target += channels;
      x += map.x_by_column;
      y += map.y_by_column;
    }
    map.x += map.x_by_row;
    map.y += map.y_by_row;
  }
}

void cimages_affine(const uint8_t *source, int side, int channels, CImagesAffine map, uint8_t *target) {
  if (channels == 3) {
    affine(source, side, 3, map, target);
  } else {
    affine(source, side, 1, map, target);
  }
}

void cimages_count_levels(const uint8_t *levels, size_t count, int channels, uint32_t *counts) {
  for (size_t i = 0; i + channels <= count; i += channels) {
    for (int channel = 0; channel < channels; channel++) counts[256 * channel + levels[i + channel]]++;
  }
}

void cimages_replace_levels(uint8_t *levels, size_t count, int channels, const uint8_t *tables) {
  for (size_t i = 0; i + channels <= count; i += channels) {
    for (int channel = 0; channel < channels; channel++) {
      levels[i + channel] = tables[256 * channel + levels[i + channel]];
    }
  }
}

// Pillow's ImagingBlend: clipped and truncated to an integer level.
INLINE uint8_t blend(int from, int to, float factor) {
  float value = (float)from + factor * (float)(to - from);
  value = value < 0 ? 0 : value;
  return (uint8_t)(value > 255 ? 255 : value);
}

FOR_EACH_PROCESSOR
void cimages_saturate(uint8_t *levels, const uint8_t *grey, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (int channel = 0; channel < 3; channel++) {
      levels[3 * i + channel] = blend(grey[i], levels[3 * i + channel], factor);
    }
  }
}

FOR_EACH_PROCESSOR
void cimages_sharpen(const uint8_t *source, int side, int channels, float factor, uint8_t *target) {
  int stride = side * channels;
  memcpy(target, source, (size_t)side * stride);
  for (int row = 1; row + 1 < side; row++) {
    const uint8_t *middle = source + (size_t)row * stride, *above = middle - stride, *below = middle + stride;
    uint8_t *to = target + (size_t)row * stride;
    for (int i = channels; i < stride - channels; i++) {
      int before = i - channels, after = i + channels;
      // ImageFilter.SMOOTH, a mean with weight 5 for the centre. Thirteenths are never exact halves, so integer
      // arithmetic rounds as Pillow's floats do.
      unsigned sum = above[before] + above[i] + above[after] + middle[before] + 5 * middle[i] + middle[after] +
                     below[before] + below[i] + below[after];
      to[i] = blend((int)((2 * sum + 13) / 26), middle[i], factor);
    }
  }
}
