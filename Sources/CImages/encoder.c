#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "CImages.h"

static void fail(j_common_ptr jpeg) { longjmp(*(jmp_buf *)jpeg->client_data, 1); }

int cimages_encode(
    const uint8_t *pixels, uint32_t width, uint32_t height, int channels, int quality, uint8_t **target, size_t *count) {
  struct jpeg_compress_struct jpeg = {0};
  struct jpeg_error_mgr errors;
  jmp_buf jump;
  unsigned long size = 0;
  *target = NULL;
  jpeg.err = jpeg_std_error(&errors);
  errors.error_exit = fail;
  jpeg.client_data = &jump;
  if (setjmp(jump)) {
    jpeg_destroy_compress(&jpeg);
    return -1;
  }
  jpeg_create_compress(&jpeg);
  jpeg_mem_dest(&jpeg, target, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = channels;
  jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  // Chroma at full resolution.
  jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < height) {
    JSAMPROW row = (JSAMPROW)pixels + (size_t)jpeg.next_scanline * width * channels;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  *count = size;
  return 0;
}
