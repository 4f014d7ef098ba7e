#include <stdio.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "CImages.h"

static CImagesStatus status_of(VP8StatusCode code, char *message) {
  static const char *const words[] = {
      [VP8_STATUS_OUT_OF_MEMORY] = "out of memory",
      [VP8_STATUS_INVALID_PARAM] = "invalid parameter",
      [VP8_STATUS_BITSTREAM_ERROR] = "invalid bitstream",
      [VP8_STATUS_UNSUPPORTED_FEATURE] = "unsupported feature",
  };
  if (code == VP8_STATUS_OK) return CIMAGES_OK;
  if (code == VP8_STATUS_SUSPENDED || code == VP8_STATUS_NOT_ENOUGH_DATA) return CIMAGES_ENDS_EARLY;
  int is_known = (size_t)code < sizeof words / sizeof *words && words[code];
  snprintf(message, CIMAGES_MESSAGE, "%s", is_known ? words[code] : "error in libwebp");
  return CIMAGES_BROKEN;
}

// Decodes a still image to rows that are `stride` bytes apart.
static CImagesStatus decode(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int step, uint8_t *target, size_t stride,
    char *message) {
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) return status_of(VP8_STATUS_INVALID_PARAM, message);
  VP8StatusCode code = WebPGetFeatures(bytes, count, &config.input);
  if (code != VP8_STATUS_OK) return status_of(code, message);
  if ((uint32_t)config.input.width != width || (uint32_t)config.input.height != height) {
    snprintf(message, CIMAGES_MESSAGE, "contradictory sizes");
    return CIMAGES_BROKEN;
  }
  // Without its alpha an image is not blended: its colours are taken as they are, as Pillow takes them.
  config.output.colorspace = step == 4 ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = target;
  config.output.u.RGBA.stride = (int)stride;
  config.output.u.RGBA.size = stride * (height - 1) + (size_t)width * step;
  code = WebPDecode(bytes, count, &config);
  WebPFreeDecBuffer(&config.output);
  return status_of(code, message);
}

// The first frame of an animation lies somewhere on its canvas, which is black without it.
static CImagesStatus decode_frame(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int step, uint8_t *target, char *message) {
  WebPData data = {bytes, count};
  WebPDemuxState state;
  WebPDemuxer *demuxer = WebPDemuxPartial(&data, &state);
  CImagesStatus status = CIMAGES_BROKEN;
  snprintf(message, CIMAGES_MESSAGE, "invalid animation");
  WebPIterator frame = {0};
  if (demuxer && state == WEBP_DEMUX_DONE && WebPDemuxGetFrame(demuxer, 1, &frame)) {
    size_t right = (size_t)frame.x_offset + (size_t)frame.width, bottom = (size_t)frame.y_offset + (size_t)frame.height;
    if (frame.complete && frame.x_offset >= 0 && frame.y_offset >= 0 && right <= width && bottom <= height) {
      size_t stride = (size_t)width * step;
      memset(target, 0, stride * height);
      status = decode(
          frame.fragment.bytes, frame.fragment.size, (uint32_t)frame.width, (uint32_t)frame.height, step,
          target + stride * frame.y_offset + (size_t)step * frame.x_offset, stride, message);
    }
  } else if (demuxer && state != WEBP_DEMUX_DONE) {
    status = CIMAGES_ENDS_EARLY;
  }
  WebPDemuxReleaseIterator(&frame);
  WebPDemuxDelete(demuxer);
  return status;
}

CImagesStatus cimages_decode_webp(
    const uint8_t *bytes, size_t count, uint32_t width, uint32_t height, int step, uint8_t *target, char *message) {
  WebPBitstreamFeatures features;
  VP8StatusCode code = WebPGetFeatures(bytes, count, &features);
  if (code != VP8_STATUS_OK) return status_of(code, message);
  if ((uint32_t)features.width != width || (uint32_t)features.height != height) {
    snprintf(message, CIMAGES_MESSAGE, "contradictory sizes");
    return CIMAGES_BROKEN;
  }
  if (features.has_animation) return decode_frame(bytes, count, width, height, step, target, message);
  return decode(bytes, count, width, height, step, target, (size_t)width * step, message);
}
