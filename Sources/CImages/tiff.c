#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

#include "CImages.h"

// A TIFF file in memory.
typedef struct {
  const uint8_t *bytes;
  toff_t count, at;
  char *message;
} Memory;

static tmsize_t read_bytes(thandle_t handle, void *target, tmsize_t size) {
  Memory *memory = handle;
  if (size < 0 || memory->at >= memory->count) return 0;
  toff_t count = memory->count - memory->at;
  if (count > (toff_t)size) count = (toff_t)size;
  memcpy(target, memory->bytes + memory->at, count);
  memory->at += count;
  return (tmsize_t)count;
}

static tmsize_t write_bytes(thandle_t handle, void *source, tmsize_t size) { return 0; }

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  Memory *memory = handle;
  if (whence == SEEK_CUR) offset += memory->at;
  if (whence == SEEK_END) offset += memory->count;
  return memory->at = offset;
}

static int close_nothing(thandle_t handle) { return 0; }
static toff_t size_of(thandle_t handle) { return ((Memory *)handle)->count; }

static int map(thandle_t handle, void **base, toff_t *size) {
  Memory *memory = handle;
  // libtiff copies what it changes.
  *base = (void *)memory->bytes;
  *size = memory->count;
  return 1;
}

static void unmap(thandle_t handle, void *base, toff_t size) {}

// Keeps the first error: those that follow come of it.
static int note(TIFF *file, void *user, const char *module, const char *format, va_list arguments) {
  Memory *memory = user;
  if (!*memory->message) vsnprintf(memory->message, CIMAGES_MESSAGE, format, arguments);
  return 1;
}

static int ignore(TIFF *file, void *user, const char *module, const char *format, va_list arguments) { return 1; }

static TIFF *open_memory(Memory *memory, size_t most_bytes) {
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (!options) return NULL;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)most_bytes);
  TIFFOpenOptionsSetErrorHandlerExtR(options, note, memory);
  TIFFOpenOptionsSetWarningHandlerExtR(options, ignore, memory);
  TIFF *file = TIFFClientOpenExt(
      "image", "r", memory, read_bytes, write_bytes, seek, close_nothing, size_of, map, unmap, options);
  TIFFOpenOptionsFree(options);
  return file;
}

// ---- What the pixels of a file are

typedef struct {
  TIFF *file;
  CImagesTIFF wanted;
  uint16_t bits, samples, photometric, planar, compression;
  int needed; // samples of a pixel that count
  int is_premultiplied;
  uint8_t palette[3][256];
} Page;

static int describe(Page *page) {
  TIFF *file = page->file;
  uint32_t width = 0, height = 0;
  uint16_t format = SAMPLEFORMAT_UINT, extras = 0, *kinds = NULL, *maps[3] = {0};
  TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(file, TIFFTAG_IMAGELENGTH, &height);
  if (width != page->wanted.width || height != page->wanted.height) return 0;
  TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &page->bits);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
  TIFFGetFieldDefaulted(file, TIFFTAG_PLANARCONFIG, &page->planar);
  TIFFGetFieldDefaulted(file, TIFFTAG_COMPRESSION, &page->compression);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLEFORMAT, &format);
  TIFFGetFieldDefaulted(file, TIFFTAG_EXTRASAMPLES, &extras, &kinds);
  if (!TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &page->photometric)) page->photometric = PHOTOMETRIC_MINISWHITE;
  if (page->compression == COMPRESSION_OJPEG) page->photometric = PHOTOMETRIC_YCBCR;
  if (format != SAMPLEFORMAT_UINT) return 0;
  int is_whole = page->bits == 8 || page->bits == 16, is_part = page->bits == 1 || page->bits == 2 || page->bits == 4;
  page->is_premultiplied = extras > 0 && kinds && kinds[0] == EXTRASAMPLE_ASSOCALPHA;
  switch (page->photometric) {
  case PHOTOMETRIC_MINISWHITE:
  case PHOTOMETRIC_MINISBLACK:
    page->needed = 1;
    if (!is_whole && !(is_part && page->samples == 1)) return 0;
    break;
  case PHOTOMETRIC_PALETTE:
    page->needed = 1;
    page->is_premultiplied = 0;
    if (page->bits != 8 && !(is_part && page->samples == 1)) return 0;
    if (!TIFFGetField(file, TIFFTAG_COLORMAP, &maps[0], &maps[1], &maps[2])) return 0;
    for (int level = 0; level < 1 << page->bits; level++) {
      for (int channel = 0; channel < 3; channel++) page->palette[channel][level] = maps[channel][level] >> 8;
    }
    break;
  case PHOTOMETRIC_RGB:
    page->needed = 3;
    if (!is_whole) return 0;
    break;
  case PHOTOMETRIC_SEPARATED:
    page->needed = 4;
    page->is_premultiplied = 0;
    if (!is_whole) return 0;
    break;
  case PHOTOMETRIC_YCBCR:
    page->needed = 3;
    page->is_premultiplied = 0;
    if (page->bits != 8) return 0;
    break;
  default: return 0;
  }
  int is_grey = page->photometric == PHOTOMETRIC_MINISWHITE || page->photometric == PHOTOMETRIC_MINISBLACK;
  if (page->is_premultiplied) page->needed++;
  return page->samples >= page->needed && page->wanted.channels == (is_grey ? 1 : 3);
}

// ---- From samples to pixels

// The samples of `count` pixels as 8 bits: every `stride`-th of `needed`, into every `step`-th byte.
static void widen(const Page *page, const uint8_t *from, size_t count, int stride, int needed, int step, uint8_t *to) {
  if (page->bits == 8) {
    for (size_t i = 0; i < count; i++) {
      for (int sample = 0; sample < needed; sample++) to[step * i + sample] = from[stride * i + sample];
    }
  } else if (page->bits == 16) {
    const uint16_t *words = (const uint16_t *)from;
    for (size_t i = 0; i < count; i++) {
      for (int sample = 0; sample < needed; sample++) to[step * i + sample] = words[stride * i + sample] >> 8;
    }
  } else {
    int bits = page->bits, mask = (1 << bits) - 1, scale = page->photometric == PHOTOMETRIC_PALETTE ? 1 : 255 / mask;
    for (size_t i = 0; i < count; i++) {
      size_t bit = i * bits;
      to[step * i] = (uint8_t)((from[bit >> 3] >> (8 - bits - (bit & 7)) & mask) * scale);
    }
  }
}

static uint8_t clip(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

// Rounded, as Pillow's MULDIV255.
static int product(int a, int b) {
  int value = a * b + 128;
  return ((value >> 8) + value) >> 8;
}

static uint8_t divided(int value, int alpha) {
  return alpha == 0 ? 0 : alpha == 255 ? (uint8_t)value : clip(255 * value / alpha);
}

// JFIF's coefficients with six bits behind the point, as in Pillow.
static void ycbcr(const uint8_t *from, uint8_t *to) {
  static const double factors[4] = {1.402, -0.34414, -0.71414, 1.772};
  int cb = from[1] - 128, cr = from[2] - 128, y = from[0];
  int red = (int)(factors[0] * 64 * cr + 0.5), green_b = (int)(factors[1] * 64 * cb + 0.5);
  int green_r = (int)(factors[2] * 64 * cr + 0.5), blue = (int)(factors[3] * 64 * cb + 0.5);
  to[0] = clip(y + (red >> 6));
  to[1] = clip(y + ((green_b + green_r) >> 6));
  to[2] = clip(y + (blue >> 6));
}

// 8-bit samples, `needed` a pixel, to pixels. May work in place where these are as many.
static void finish(const Page *page, const uint8_t *from, size_t count, uint8_t *to) {
  switch (page->photometric) {
  case PHOTOMETRIC_MINISWHITE:
  case PHOTOMETRIC_MINISBLACK: {
    uint8_t flip = page->photometric == PHOTOMETRIC_MINISWHITE ? 255 : 0;
    for (size_t i = 0; i < count; i++) {
      to[i] = (page->is_premultiplied ? divided(from[2 * i], from[2 * i + 1]) : from[i]) ^ flip;
    }
    break;
  }
  case PHOTOMETRIC_PALETTE:
    for (size_t i = 0; i < count; i++) {
      for (int channel = 0; channel < 3; channel++) to[3 * i + channel] = page->palette[channel][from[i]];
    }
    break;
  case PHOTOMETRIC_SEPARATED:
    for (size_t i = 0; i < count; i++) {
      int black = 255 - from[4 * i + 3];
      for (int channel = 0; channel < 3; channel++) {
        to[3 * i + channel] = clip(black - product(from[4 * i + channel], black));
      }
    }
    break;
  case PHOTOMETRIC_YCBCR:
    if (page->compression == COMPRESSION_JPEG) {
      if (to != from) memcpy(to, from, 3 * count);
      break;
    }
    for (size_t i = 0; i < count; i++) {
      uint8_t pixel[3] = {from[3 * i], from[3 * i], from[3 * i]};
      if (!page->wanted.wants_luma) ycbcr(from + 3 * i, pixel);
      memcpy(to + 3 * i, pixel, 3);
    }
    break;
  default:
    if (page->is_premultiplied) {
      for (size_t i = 0; i < count; i++) {
        for (int channel = 0; channel < 3; channel++) {
          to[3 * i + channel] = divided(from[4 * i + channel], from[4 * i + 3]);
        }
      }
    } else if (to != from) {
      memcpy(to, from, 3 * count);
    }
  }
}

// ---- Reading

enum { largest_strip = 4 << 20 };

// What libtiff turns to RGB itself: YCbCr whose chroma is halved, and what is compressed as such.
static int read_colours(Page *page, uint8_t *target) {
  TIFF *file = page->file;
  uint32_t width = page->wanted.width, height = page->wanted.height, rows = height;
  TIFFGetFieldDefaulted(file, TIFFIsTiled(file) ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &rows);
  if (rows == 0) return 0;
  if (rows > height) rows = height;
  char text[1024] = "";
  TIFFRGBAImage image;
  if ((uint64_t)width * rows * 4 > page->wanted.most_bytes) return 0;
  uint32_t *raster = malloc((size_t)width * rows * 4);
  if (!raster) return 0;
  int is_good = TIFFRGBAImageOK(file, text) && TIFFRGBAImageBegin(&image, file, 1, text);
  if (is_good) {
    // Turned by the caller, if at all.
    image.req_orientation = image.orientation = ORIENTATION_TOPLEFT;
    image.col_offset = 0;
    for (uint32_t first = 0; is_good && first < height; first += rows) {
      uint32_t count = height - first < rows ? height - first : rows;
      image.row_offset = (int)first;
      is_good = TIFFRGBAImageGet(&image, raster, width, count);
      for (size_t i = 0; is_good && i < (size_t)width * count; i++) {
        uint8_t *pixel = target + 3 * ((size_t)first * width + i);
        pixel[0] = TIFFGetR(raster[i]), pixel[1] = TIFFGetG(raster[i]), pixel[2] = TIFFGetB(raster[i]);
      }
    }
    TIFFRGBAImageEnd(&image);
  }
  free(raster);
  return is_good;
}

// Rows, from top to bottom, of one plane or of all samples together; each row of a tile is one as well.
typedef struct {
  Page *page;
  uint8_t *row, *levels, *target; // rows as libtiff gives them, samples of one in 8 bits, the image
  size_t stride;                  // of a row
  uint32_t together;              // rows that are read together
  int sample;                     // the plane, or -1
} Reading;

static void take(Reading *reading, const uint8_t *from, uint32_t x, uint32_t y, uint32_t count) {
  const Page *page = reading->page;
  size_t place = (size_t)y * page->wanted.width + x;
  if (reading->sample >= 0) {
    widen(page, from, count, 1, 1, page->needed, reading->levels + place * page->needed + reading->sample);
    return;
  }
  const uint8_t *levels = from;
  if (page->bits != 8 || page->samples != page->needed) {
    widen(page, from, count, page->samples, page->needed, page->needed, reading->levels);
    levels = reading->levels;
  }
  finish(page, levels, count, reading->target + place * page->wanted.channels);
}

static int read_rows(Reading *reading) {
  const Page *page = reading->page;
  uint16_t plane = reading->sample < 0 ? 0 : (uint16_t)reading->sample;
  uint32_t height = page->wanted.height;
  for (uint32_t y = 0; y < height; y += reading->together) {
    uint32_t count = height - y < reading->together ? height - y : reading->together;
    if (reading->together == 1) {
      if (TIFFReadScanline(page->file, reading->row, y, plane) < 0) return 0;
    } else {
      tmsize_t size = (tmsize_t)(count * reading->stride);
      if (TIFFReadEncodedStrip(page->file, TIFFComputeStrip(page->file, y, plane), reading->row, size) != size) return 0;
    }
    for (uint32_t row = 0; row < count; row++) {
      take(reading, reading->row + row * reading->stride, 0, y + row, page->wanted.width);
    }
  }
  return 1;
}

static int read_tiles(Reading *reading) {
  const Page *page = reading->page;
  uint32_t width = page->wanted.width, height = page->wanted.height, across = 0, down = 0;
  TIFFGetField(page->file, TIFFTAG_TILEWIDTH, &across);
  TIFFGetField(page->file, TIFFTAG_TILELENGTH, &down);
  if (across == 0 || down == 0) return 0;
  uint16_t plane = reading->sample < 0 ? 0 : (uint16_t)reading->sample;
  for (uint64_t top = 0; top < height; top += down) {
    for (uint64_t left = 0; left < width; left += across) {
      if (TIFFReadTile(page->file, reading->row, (uint32_t)left, (uint32_t)top, 0, plane) < 0) return 0;
      uint32_t count = width - left < across ? (uint32_t)(width - left) : across;
      for (uint32_t row = 0; row < down && top + row < height; row++) {
        take(reading, reading->row + row * reading->stride, (uint32_t)left, (uint32_t)top + row, count);
      }
    }
  }
  return 1;
}

static int read_samples(Page *page, uint8_t *target) {
  TIFF *file = page->file;
  int is_tiled = TIFFIsTiled(file), is_apart = page->planar == PLANARCONFIG_SEPARATE && page->samples > 1;
  size_t width = page->wanted.width, height = page->wanted.height;
  uint32_t across = page->wanted.width;
  if (is_tiled) TIFFGetField(file, TIFFTAG_TILEWIDTH, &across);
  // Whole strips, which some codecs decode much faster, unless they are large: most are of 8 KiB.
  uint32_t together = 1;
  if (!is_tiled) TIFFGetFieldDefaulted(file, TIFFTAG_ROWSPERSTRIP, &together);
  if (together == 0) return 0;
  if (together > height) together = (uint32_t)height;
  uint64_t row = is_tiled ? TIFFTileRowSize64(file) : TIFFScanlineSize64(file);
  if (is_tiled || together > largest_strip / (row ? row : 1)) together = 1;
  uint64_t most = is_tiled ? TIFFTileSize64(file) : row * together;
  // What a row must hold, so that none is read beyond its end, whatever libtiff made of the tags.
  uint64_t needed = ((uint64_t)across * (is_apart ? 1 : page->samples) * page->bits + 7) / 8;
  if (row < needed || most > page->wanted.most_bytes) return 0;
  size_t levels = is_apart ? width * height * page->needed : width * page->needed;
  if (levels > page->wanted.most_bytes) return 0;
  // Planes that become the image as they are go straight to their places.
  int is_direct = is_apart && page->needed == page->wanted.channels;
  // 0 and not whatever was there, where a codec leaves a row unfinished.
  Reading reading = {page, calloc(1, most), is_direct ? target : malloc(levels), target, row, together, -1};
  int is_good = reading.row && reading.levels;
  for (int sample = 0; is_good && sample < (is_apart ? page->needed : 1); sample++) {
    reading.sample = is_apart ? sample : -1;
    is_good = is_tiled ? read_tiles(&reading) : read_rows(&reading);
  }
  if (is_good && is_apart) finish(page, reading.levels, width * height, target);
  free(reading.row);
  if (!is_direct) free(reading.levels);
  return is_good;
}

static int has_whole_chroma(TIFF *file) {
  uint16_t across = 2, down = 2;
  TIFFGetFieldDefaulted(file, TIFFTAG_YCBCRSUBSAMPLING, &across, &down);
  return across == 1 && down == 1;
}

CImagesStatus cimages_decode_tiff(
    const uint8_t *bytes, size_t count, CImagesTIFF wanted, uint8_t *target, char *message) {
  *message = 0;
  Memory memory = {bytes, count, 0, message};
  Page page = {open_memory(&memory, wanted.most_bytes), wanted};
  int is_good = 0;
  if (page.file) {
    if (describe(&page)) {
      int is_jpeg = page.compression == COMPRESSION_JPEG && page.planar == PLANARCONFIG_CONTIG;
      if (page.photometric != PHOTOMETRIC_YCBCR) {
        is_good = read_samples(&page, target);
      } else if (is_jpeg) {
        TIFFSetField(page.file, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        is_good = read_samples(&page, target);
      } else if (page.compression == COMPRESSION_NONE && has_whole_chroma(page.file)) {
        is_good = read_samples(&page, target);
      } else {
        is_good = read_colours(&page, target);
      }
    } else if (!*message) {
      snprintf(message, CIMAGES_MESSAGE, "conflicting tags");
    }
    TIFFClose(page.file);
  }
  if (is_good) return CIMAGES_OK;
  if (!*message) snprintf(message, CIMAGES_MESSAGE, "invalid tags");
  return CIMAGES_BROKEN;
}
