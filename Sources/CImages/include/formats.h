// libwebp and libtiff behind functions that return a status. Part of CImages.h.
#pragma once

// The size of the buffer for a library's error message.
enum { CIMAGES_MESSAGE = 160 };

// Decodes a WebP file to `width * height` pixels without gaps: 3 bytes (RGB), or with a `step` of 4 a fourth byte without
// meaning. Of an animation the first frame is decoded on black. Returns CIMAGES_BROKEN if the file has another size.
CImagesStatus cimages_decode_webp(
    const uint8_t *_Nonnull bytes, size_t count, uint32_t width, uint32_t height, int step, uint8_t *_Nonnull target,
    char *_Nonnull message);

typedef struct {
  uint32_t width, height;
  // 1 for files of grey levels, 3 for all others.
  int channels;
  // Whether YCbCr that is stored uncompressed is decoded to three equal channels of luma.
  int wants_luma;
  // The maximum number of bytes that libtiff, and the buffer for one tile, allocate at once.
  size_t most_bytes;
} CImagesTIFF;

// Decodes the first page of a TIFF file to `width * height` pixels of `channels` bytes without gaps, as they are stored: no
// orientation is applied. Returns CIMAGES_BROKEN if the file has another size, or is of a kind that is not supported.
CImagesStatus cimages_decode_tiff(
    const uint8_t *_Nonnull bytes, size_t count, CImagesTIFF, uint8_t *_Nonnull target, char *_Nonnull message);
