// libjpeg-turbo, libwebp and libtiff behind functions that return a status, and loops over pixels that Swift cannot
// compile for several processors at once. Used only by OnePassData.
#pragma once

#include <stddef.h>
#include <stdint.h>

// ---- JPEG: decoding by rows, encoding whole images

typedef enum { CIMAGES_GREY = 1, CIMAGES_RGB = 3, CIMAGES_RGBX = 4, CIMAGES_CMYK = 5 } CImagesLayout;

// A decoder whose memory is reused for every file. One thread at a time.
typedef struct CImagesDecoder CImagesDecoder;

// NULL if memory is exhausted.
CImagesDecoder *_Nullable cimages_decoder_make(void);
void cimages_decoder_free(CImagesDecoder *_Nonnull);

// libjpeg's message about the last failure.
const char *_Nonnull cimages_decoder_message(const CImagesDecoder *_Nonnull);

// The expected size of an image, and the requested part: these columns, from this row on.
typedef struct {
  uint32_t width, height, first_column, columns, first_row;
} CImagesRegion;

// After any status, the decoder can start another file.
typedef enum { CIMAGES_OK, CIMAGES_BROKEN, CIMAGES_ENDS_EARLY } CImagesStatus;

// Starts a file. `bytes` must stay valid until cimages_decoder_end.
CImagesStatus cimages_decoder_begin(
    CImagesDecoder *_Nonnull, const uint8_t *_Nonnull bytes, size_t count, CImagesLayout, CImagesRegion);

// The columns in the decoded rows, after cimages_decoder_begin: `columns` of them, from `first_column` on, which is at or
// before the first requested one.
uint32_t cimages_decoder_first_column(const CImagesDecoder *_Nonnull);
uint32_t cimages_decoder_columns(const CImagesDecoder *_Nonnull);

// Decodes the next `count` rows, `stride` bytes apart, at most to the end of the image.
CImagesStatus cimages_decoder_read(
    CImagesDecoder *_Nonnull, uint8_t *_Nonnull target, size_t stride, uint32_t count);

// Ends a file at any row. The status is CIMAGES_ENDS_EARLY also if the unread bytes contain no end marker.
CImagesStatus cimages_decoder_end(CImagesDecoder *_Nonnull);

// Encodes contiguous rows of 1 (grey) or 3 channels (RGB, stored as 4:4:4). The caller frees `*target`. Returns 0, or -1
// if memory is exhausted.
int cimages_encode(
    const uint8_t *_Nonnull pixels, uint32_t width, uint32_t height, int channels, int quality,
    uint8_t *_Nullable *_Nonnull target, size_t *_Nonnull count);

// ---- WebP and TIFF: decoding whole images

#include "formats.h"

// ---- Loops over pixels

// The weights of a resize along one axis: output i is the sum of weights[taps i + t] * input[starts[i] + t].
typedef struct {
  const int32_t *_Nonnull starts;
  const float *_Nonnull weights;
  // Added to each sum before it is rounded to the nearest integer.
  const float *_Nonnull nudges;
  int taps;
} CImagesAxis;

// The horizontal pass over four rows of pixels of `step` bytes (3 or 4), from column `first_input` on. Writes `count`
// outputs of three channels, from `output` on in direction 1 or -1, into each of four rows. One float after the end of
// each row is overwritten. `scratch` has room for 16 floats per column.
void cimages_resize_columns4(
    const uint8_t *_Nonnull const *_Nonnull rows, int step, int first_input, CImagesAxis axis, int output,
    int direction, int count, float *_Nonnull scratch, float *_Nonnull const *_Nonnull targets);

// The vertical pass and the normalisation of `count` values:
// target[i] = round(nudge + sum of weights[t] * rows[t][i]) * factor[i] + offset[i].
void cimages_blend_rows(
    const float *_Nonnull const *_Nonnull rows, const float *_Nonnull weights, float nudge, int taps,
    const float *_Nonnull factor, const float *_Nonnull offset, float *_Nonnull target, int count);

// Only the vertical pass, to levels from 0 to 255.
void cimages_blend_levels(
    const float *_Nonnull const *_Nonnull rows, const float *_Nonnull weights, float nudge, int taps,
    uint8_t *_Nonnull target, int count);

// Only the normalisation: value * factor + offset, from pixels of `step` bytes to pixels of `channels` values.
// With `is_flipped` the last pixel comes first. No byte after the last pixel is read.
void cimages_normalise(
    const uint8_t *_Nonnull source, int step, int channels, int is_flipped, const float *_Nonnull factor,
    const float *_Nonnull offset, float *_Nonnull target, int count);

// As cimages_normalise, but without changing the levels.
void cimages_copy_levels(
    const uint8_t *_Nonnull source, int step, int channels, int is_flipped, uint8_t *_Nonnull target, int count);

// ---- Operations on the levels of a contiguous square image, `side * side * channels`, in Pillow's arithmetic

// The source of each pixel in 16.16 fixed point: that of the first pixel, and its change from one column, and from one
// row, to the next.
typedef struct {
  int32_t x, y;
  int32_t x_by_column, y_by_column;
  int32_t x_by_row, y_by_row;
} CImagesAffine;

// Copies each pixel from the nearest source pixel; black if that is outside the image.
void cimages_affine(
    const uint8_t *_Nonnull source, int side, int channels, CImagesAffine map, uint8_t *_Nonnull target);

// Adds the histogram of each channel to `counts`, 256 per channel.
void cimages_count_levels(const uint8_t *_Nonnull levels, size_t count, int channels, uint32_t *_Nonnull counts);

// Replaces each level by its entry in the channel's table of 256.
void cimages_replace_levels(uint8_t *_Nonnull levels, size_t count, int channels, const uint8_t *_Nonnull tables);

// Moves `count` pixels of three channels away from their grey (factor over 1), or towards it.
void cimages_saturate(uint8_t *_Nonnull levels, const uint8_t *_Nonnull grey, float factor, size_t count);

// Moves the pixels away from the mean over their neighbourhood (factor over 1), or towards it. The border is unchanged.
void cimages_sharpen(
    const uint8_t *_Nonnull source, int side, int channels, float factor, uint8_t *_Nonnull target);
