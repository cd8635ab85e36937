#include "kanto_jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jpeglib.h needs what stdio.h declares. */
#include <jpeglib.h>
#include <jerror.h>

/* A file of a few hundred bytes can ask for thousands of passes over a large picture. djpeg's documentation proposes 500. */
enum { LARGEST_SCAN = 500 };

typedef struct {
  struct jpeg_error_mgr base;
  struct jpeg_progress_mgr progress;
  jmp_buf caller;
  char *message;
} guard;

static void leave(j_common_ptr common) {
  guard *self = (guard *)common->err;
  char text[JMSG_LENGTH_MAX];
  common->err->format_message(common, text);
  snprintf(self->message, KANTO_JPEG_MESSAGE, "%s", text);
  longjmp(self->caller, 1);
}

/* Called with level -1 for damage that libjpeg can go on from: what is harmless stays, the rest is an error. */
static void hear(j_common_ptr common, int level) {
  if (level >= 0) return;
  switch (common->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA: /* bytes between segments, which many cameras write */
    case JWRN_TOO_MUCH_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
      return;
    default:
      leave(common);
  }
}

static void say_nothing(j_common_ptr common) { (void)common; }

static void watch(j_common_ptr common) {
  guard *self = (guard *)common->err;
  if (!common->is_decompressor || ((j_decompress_ptr)common)->input_scan_number <= LARGEST_SCAN) return;
  snprintf(self->message, KANTO_JPEG_MESSAGE, "more than %d scans", LARGEST_SCAN);
  longjmp(self->caller, 1);
}

static void prepare(j_decompress_ptr decoder, guard *self, char *message) {
  memset(self, 0, sizeof *self);
  decoder->err = jpeg_std_error(&self->base);
  self->base.error_exit = leave;
  self->base.emit_message = hear;
  self->base.output_message = say_nothing;
  self->message = message;
}

/* Reads the header and chooses what is decoded. */
static void begin(j_decompress_ptr decoder, const uint8_t *bytes, size_t count, kanto_jpeg_picture *picture) {
  jpeg_mem_src(decoder, (unsigned char *)bytes, (unsigned long)count);
  jpeg_read_header(decoder, TRUE);
  switch (decoder->jpeg_color_space) {
    case JCS_GRAYSCALE: decoder->out_color_space = JCS_GRAYSCALE; break;
    /* libjpeg does not turn printing colors into others; what is decoded here is mixed below. */
    case JCS_CMYK:
    case JCS_YCCK: decoder->out_color_space = JCS_CMYK; break;
    default: decoder->out_color_space = JCS_RGB; break;
  }
  picture->width = (int32_t)decoder->image_width;
  picture->height = (int32_t)decoder->image_height;
  picture->channels = decoder->out_color_space == JCS_GRAYSCALE ? 1 : 3;
}

int kanto_jpeg_examine(const uint8_t *bytes, size_t count, kanto_jpeg_picture *picture, char *message) {
  struct jpeg_decompress_struct decoder;
  guard self;
  memset(&decoder, 0, sizeof decoder);
  prepare(&decoder, &self, message);
  if (setjmp(self.caller)) {
    jpeg_destroy_decompress(&decoder);
    return -1;
  }
  jpeg_create_decompress(&decoder);
  begin(&decoder, bytes, count, picture);
  jpeg_destroy_decompress(&decoder);
  return 0;
}

/* Cyan, magenta, yellow and black into red, green and blue, in place. Adobe's files hold them inverted. */
static void mix(uint8_t *row, int32_t width, int inverted) {
  for (int32_t x = 0; x < width; ++x) {
    const uint8_t *ink = row + 4 * (size_t)x;
    int black = inverted ? ink[3] : 255 - ink[3];
    for (int channel = 0; channel < 3; ++channel) {
      int light = inverted ? ink[channel] : 255 - ink[channel];
      row[3 * (size_t)x + channel] = (uint8_t)((light * black + 127) / 255);
    }
  }
}

int kanto_jpeg_decode(
    const uint8_t *bytes, size_t count, const kanto_jpeg_picture *picture, uint8_t *pixels, char *message) {
  struct jpeg_decompress_struct decoder;
  guard self;
  /* Changed between setjmp and longjmp, and read after it. */
  uint8_t *volatile inks = NULL;
  memset(&decoder, 0, sizeof decoder);
  prepare(&decoder, &self, message);
  if (setjmp(self.caller)) {
    free(inks);
    jpeg_destroy_decompress(&decoder);
    return -1;
  }
  jpeg_create_decompress(&decoder);
  kanto_jpeg_picture found;
  begin(&decoder, bytes, count, &found);
  if (memcmp(&found, picture, sizeof found) != 0) ERREXIT(&decoder, JERR_BAD_LENGTH);
  self.progress.progress_monitor = watch;
  decoder.progress = &self.progress;
  /* The slow transform is the exact one, and the same on all processors. */
  decoder.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&decoder);
  size_t stride = (size_t)picture->width * (size_t)picture->channels;
  int is_printed = decoder.out_color_space == JCS_CMYK;
  if (is_printed) {
    inks = malloc((size_t)picture->width * 4);
    if (!inks) ERREXIT1(&decoder, JERR_OUT_OF_MEMORY, 0);
  }
  while (decoder.output_scanline < decoder.output_height) {
    uint8_t *row = pixels + stride * decoder.output_scanline;
    JSAMPROW target = is_printed ? (JSAMPROW)inks : row;
    if (jpeg_read_scanlines(&decoder, &target, 1) != 1) ERREXIT(&decoder, JERR_INPUT_EOF);
    if (is_printed) {
      mix(inks, picture->width, decoder.saw_Adobe_marker);
      memcpy(row, inks, stride);
    }
  }
  jpeg_finish_decompress(&decoder);
  free(inks);
  jpeg_destroy_decompress(&decoder);
  return 0;
}
