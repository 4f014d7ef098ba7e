#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "BareDecode.h"

static jmp_buf jump;
static void fail(j_common_ptr jpeg) { longjmp(jump, 1); }
static void ignore(j_common_ptr jpeg, int level) {}

long bare_decode(const unsigned char *bytes, size_t count) {
  static struct jpeg_decompress_struct jpeg;
  static struct jpeg_error_mgr errors;
  static unsigned char *pixels;
  static size_t capacity;
  if (!jpeg.err) {
    jpeg.err = jpeg_std_error(&errors);
    errors.error_exit = fail;
    errors.emit_message = ignore;
    jpeg_create_decompress(&jpeg);
  }
  if (setjmp(jump)) {
    jpeg_abort_decompress(&jpeg);
    return -1;
  }
  jpeg_mem_src(&jpeg, (unsigned char *)bytes, count);
  jpeg_read_header(&jpeg, TRUE);
  jpeg.out_color_space = jpeg.num_components == 4 ? JCS_CMYK : JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&jpeg);
  size_t stride = (size_t)jpeg.output_width * jpeg.output_components;
  if (capacity < stride * jpeg.output_height) {
    capacity = stride * jpeg.output_height;
    pixels = realloc(pixels, capacity);
  }
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = pixels + stride * jpeg.output_scanline;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  long count_of_pixels = (long)jpeg.output_width * jpeg.output_height;
  jpeg_finish_decompress(&jpeg);
  return count_of_pixels;
}
