// libjpeg-turbo behind functions that return a status, and the loops over pixels that Swift cannot yet compile for
// several processors at once. Used by OnePassData alone.
#pragma once

#include <stddef.h>
#include <stdint.h>

// ---- JPEG: decoding by rows, encoding whole images

typedef enum { CIMAGES_GREY = 1, CIMAGES_RGB = 3, CIMAGES_RGBX = 4, CIMAGES_CMYK = 5 } CImagesLayout;

// A decoder with its memory, used for one file after the other. One thread at a time.
typedef struct CImagesDecoder CImagesDecoder;

// NULL without memory.
CImagesDecoder *_Nullable cimages_decoder_make(void);
void cimages_decoder_free(CImagesDecoder *_Nonnull);

// What is broken, in libjpeg's words.
const char *_Nonnull cimages_decoder_message(const CImagesDecoder *_Nonnull);

// The size that an image should have, and what of it is wanted: these columns, from this row on.
typedef struct {
  uint32_t width, height, first_column, columns, first_row;
} CImagesRegion;

// Whatever it says, the decoder is as good as new at the next beginning.
typedef enum { CIMAGES_OK, CIMAGES_BROKEN, CIMAGES_ENDS_EARLY } CImagesStatus;

// Begins a file whose `bytes` stay where they are until the end.
CImagesStatus cimages_decoder_begin(
    CImagesDecoder *_Nonnull, const uint8_t *_Nonnull bytes, size_t count, CImagesLayout, CImagesRegion);

// What rows hold after the beginning: columns from `first`, at or before the wanted ones, `columns` of them.
uint32_t cimages_decoder_first_column(const CImagesDecoder *_Nonnull);
uint32_t cimages_decoder_columns(const CImagesDecoder *_Nonnull);

// The next `count` rows, `stride` bytes apart; no more than the image has.
CImagesStatus cimages_decoder_read(
    CImagesDecoder *_Nonnull, uint8_t *_Nonnull target, size_t stride, uint32_t count);

// Ends a file, wherever the reading is. It ends early too if what was not read holds no end marker.
CImagesStatus cimages_decoder_end(CImagesDecoder *_Nonnull);

// Encodes rows without gaps of 1 (grey) or 3 channels (RGB, stored as 4:4:4). `*target` is for free(). 0, or -1
// without memory.
int cimages_encode(
    const uint8_t *_Nonnull pixels, uint32_t width, uint32_t height, int channels, int quality,
    uint8_t *_Nullable *_Nonnull target, size_t *_Nonnull count);

// ---- Loops over pixels

// The weights of a resize along one axis: output i is the sum of weights[taps i + t] * input[starts[i] + t].
typedef struct {
  const int32_t *_Nonnull starts;
  const float *_Nonnull weights;
  // Added to each sum before it is rounded to the nearest whole number.
  const float *_Nonnull nudges;
  int taps;
} CImagesAxis;

// The horizontal pass over four rows of pixels of `step` bytes (3 or 4) from column `first_input` on: `count` outputs
// from `output` on, in the direction 1 or -1, as three channels into each of four rows, of which one float behind the
// end is touched. `scratch` has room for 16 floats a column.
void cimages_resize_columns4(
    const uint8_t *_Nonnull const *_Nonnull rows, int step, int first_input, CImagesAxis axis, int output,
    int direction, int count, float *_Nonnull scratch, float *_Nonnull const *_Nonnull targets);

// The vertical pass and the normalisation of `count` numbers:
// target[i] = round(nudge + sum of weights[t] * rows[t][i]) * factor[i] + offset[i].
void cimages_blend_rows(
    const float *_Nonnull const *_Nonnull rows, const float *_Nonnull weights, float nudge, int taps,
    const float *_Nonnull factor, const float *_Nonnull offset, float *_Nonnull target, int count);

// The vertical pass alone, to levels from 0 to 255.
void cimages_blend_levels(
    const float *_Nonnull const *_Nonnull rows, const float *_Nonnull weights, float nudge, int taps,
    uint8_t *_Nonnull target, int count);

// The normalisation alone: value * factor + offset, from pixels of `step` bytes to pixels of `channels` numbers.
// With `is_flipped` the last pixel comes first. No byte beyond the last pixel is read.
void cimages_normalise(
    const uint8_t *_Nonnull source, int step, int channels, int is_flipped, const float *_Nonnull factor,
    const float *_Nonnull offset, float *_Nonnull target, int count);

// As cimages_normalise, but the levels stay what they are.
void cimages_copy_levels(
    const uint8_t *_Nonnull source, int step, int channels, int is_flipped, uint8_t *_Nonnull target, int count);

// ---- Operations on the levels of a square image without gaps, `side * side * channels`, in Pillow's arithmetic

// Where the pixels of an image come from, in 16.16 fixed point: the source of the first one, and by how much that moves
// from one column, and from one row, to the next.
typedef struct {
  int32_t x, y;
  int32_t x_by_column, y_by_column;
  int32_t x_by_row, y_by_row;
} CImagesAffine;

// Takes each pixel from the nearest one of the source; black where that lies outside.
void cimages_affine(
    const uint8_t *_Nonnull source, int side, int channels, CImagesAffine map, uint8_t *_Nonnull target);

// Counts the levels of each channel: 256 counts a channel, which are added to.
void cimages_count_levels(const uint8_t *_Nonnull levels, size_t count, int channels, uint32_t *_Nonnull counts);

// Replaces each level by what its channel's table of 256 has for it.
void cimages_replace_levels(uint8_t *_Nonnull levels, size_t count, int channels, const uint8_t *_Nonnull tables);

// Moves `count` pixels of three channels away from their grey (factor over 1), or towards it.
void cimages_saturate(uint8_t *_Nonnull levels, const uint8_t *_Nonnull grey, float factor, size_t count);

// Moves the pixels away from the mean over their neighbourhood (factor over 1), or towards it; not those of the border.
void cimages_sharpen(
    const uint8_t *_Nonnull source, int side, int channels, float factor, uint8_t *_Nonnull target);
