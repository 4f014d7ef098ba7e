#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "CImages.h"

// Progressive files with many scans take minutes even if they are small, because each scan visits every pixel. The limit is
// TurboJPEG's, and lower for large images, but at least twice the number that encoders write.
enum { most_scans = 500, usual_scans = 20, most_pixels_of_scans = 400000000 };
// Smooth upsampling reads the next chroma sample, which may be 4 pixels away. Narrower regions are not cropped.
enum { margin = 4, narrowest = 32 };

struct CImagesDecoder {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
  const uint8_t *bytes;
  size_t count;
  int is_beyond_file; // libjpeg has read past the end of the file
  uint32_t first_column, columns;
};

static void fail(j_common_ptr jpeg) {
  CImagesDecoder *decoder = jpeg->client_data;
  jpeg->err->format_message(jpeg, decoder->message);
  longjmp(decoder->jump, 1);
}

static void note(j_common_ptr jpeg, int level) {
  CImagesDecoder *decoder = jpeg->client_data;
  if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF) decoder->is_beyond_file = 1;
}

static void limit_scans(j_common_ptr jpeg) {
  CImagesDecoder *decoder = jpeg->client_data;
  double pixels = (double)decoder->jpeg.image_width * decoder->jpeg.image_height;
  double scans = most_pixels_of_scans / (pixels > 1 ? pixels : 1);
  int most = scans > most_scans ? most_scans : scans < usual_scans ? usual_scans : (int)scans;
  if (decoder->jpeg.input_scan_number <= most) return;
  snprintf(decoder->message, sizeof decoder->message, "progressive JPEG with more than %d scans", most);
  longjmp(decoder->jump, 1);
}

CImagesDecoder *cimages_decoder_make(void) {
  CImagesDecoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) return NULL;
  decoder->jpeg.err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = fail;
  decoder->errors.emit_message = note;
  decoder->progress.progress_monitor = limit_scans;
  decoder->jpeg.client_data = decoder;
  if (setjmp(decoder->jump)) {
    free(decoder);
    return NULL;
  }
  jpeg_create_decompress(&decoder->jpeg);
  decoder->jpeg.progress = &decoder->progress;
  return decoder;
}

void cimages_decoder_free(CImagesDecoder *decoder) {
  jpeg_destroy_decompress(&decoder->jpeg);
  free(decoder);
}

const char *cimages_decoder_message(const CImagesDecoder *decoder) { return decoder->message; }
uint32_t cimages_decoder_first_column(const CImagesDecoder *decoder) { return decoder->first_column; }
uint32_t cimages_decoder_columns(const CImagesDecoder *decoder) { return decoder->columns; }

// Whether the unread bytes contain an end marker. Inside a scan, 0xFF is always followed by 0 or a restart number.
static int has_end_marker(const CImagesDecoder *decoder) {
  // There is no source yet if memory was exhausted.
  if (!decoder->jpeg.src) return 0;
  const uint8_t *read = decoder->jpeg.src->next_input_byte;
  // An end marker that was just read counts too.
  const uint8_t *first = read < decoder->bytes + 2 ? decoder->bytes : read - 2;
  for (const uint8_t *at = decoder->bytes + decoder->count - 2; at >= first; at--) {
    if (at[0] == 0xFF && at[1] == JPEG_EOI) return 1;
  }
  return 0;
}

static CImagesStatus failure(const CImagesDecoder *decoder) {
  return decoder->is_beyond_file || !has_end_marker(decoder) ? CIMAGES_ENDS_EARLY : CIMAGES_BROKEN;
}

CImagesStatus cimages_decoder_begin(
    CImagesDecoder *decoder, const uint8_t *bytes, size_t count, CImagesLayout layout, CImagesRegion region) {
  static const J_COLOR_SPACE spaces[] = {
      [CIMAGES_GREY] = JCS_GRAYSCALE, [CIMAGES_RGB] = JCS_RGB, [CIMAGES_RGBX] = JCS_EXT_RGBX, [CIMAGES_CMYK] = JCS_CMYK};
  j_decompress_ptr jpeg = &decoder->jpeg;
  if (setjmp(decoder->jump)) return failure(decoder);
  jpeg_abort_decompress(jpeg);
  decoder->bytes = bytes;
  decoder->count = count;
  decoder->is_beyond_file = 0;
  jpeg_mem_src(jpeg, (unsigned char *)bytes, count);
  jpeg_read_header(jpeg, TRUE);
  if (jpeg->image_width != region.width || jpeg->image_height != region.height) {
    snprintf(decoder->message, sizeof decoder->message, "two different sizes in its headers");
    return CIMAGES_BROKEN;
  }
  jpeg->out_color_space = spaces[layout];
  jpeg->dct_method = JDCT_ISLOW;
  jpeg_start_decompress(jpeg);
  JDIMENSION first = region.first_column < margin ? 0 : region.first_column - margin;
  JDIMENSION end = region.first_column + region.columns + margin;
  if (end > region.width) end = region.width;
  if (end - first < narrowest) first = 0, end = region.width;
  JDIMENSION columns = end - first;
  jpeg_crop_scanline(jpeg, &first, &columns);
  decoder->first_column = first;
  decoder->columns = columns;
  if (region.first_row > 0) jpeg_skip_scanlines(jpeg, region.first_row);
  return CIMAGES_OK;
}

CImagesStatus cimages_decoder_read(CImagesDecoder *decoder, uint8_t *target, size_t stride, uint32_t count) {
  enum { most = 16 };
  JSAMPROW rows[most];
  j_decompress_ptr jpeg = &decoder->jpeg;
  if (setjmp(decoder->jump)) return failure(decoder);
  uint32_t end = jpeg->output_scanline + count;
  while (jpeg->output_scanline < end) {
    uint32_t wanted = end - jpeg->output_scanline;
    if (wanted > most) wanted = most;
    for (uint32_t row = 0; row < wanted; row++) rows[row] = target + row * stride;
    target += stride * jpeg_read_scanlines(jpeg, rows, wanted);
  }
  return CIMAGES_OK;
}

CImagesStatus cimages_decoder_end(CImagesDecoder *decoder) {
  j_decompress_ptr jpeg = &decoder->jpeg;
  if (setjmp(decoder->jump)) return failure(decoder);
  int is_whole = jpeg->output_scanline == jpeg->output_height;
  if (is_whole) jpeg_finish_decompress(jpeg);
  int is_early = decoder->is_beyond_file || (!is_whole && !jpeg_input_complete(jpeg) && !has_end_marker(decoder));
  jpeg_abort_decompress(jpeg);
  return is_early ? CIMAGES_ENDS_EARLY : CIMAGES_OK;
}
