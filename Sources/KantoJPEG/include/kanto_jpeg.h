/*
 * kanto_jpeg.h: pictures out of JPEG files, by libjpeg-turbo.
 *
 * libjpeg reports an error by leaving its caller with longjmp, which no Swift function survives: the calls that may do so
 * are all in one C file.
 */
#ifndef KANTO_JPEG_H
#define KANTO_JPEG_H

#include <stddef.h>
#include <stdint.h>

/* The most that a message takes, its final zero byte included. */
#define KANTO_JPEG_MESSAGE 200

typedef struct kanto_jpeg_picture {
  int32_t width, height;
  /* 1 (gray) or 3 (red, green, blue): what is decoded. */
  int32_t channels;
} kanto_jpeg_picture;

/* Reads the sizes of a file's picture and decodes nothing. Returns 0, or -1 with a message. */
int kanto_jpeg_examine(const uint8_t *bytes, size_t count, kanto_jpeg_picture *picture, char *message);

/*
 * Decodes a picture of the sizes that kanto_jpeg_examine gave into `pixels`, [height, width, channels]. Returns 0, or -1 with
 * a message: also for a file that ends too early or whose coded data are wrong, where libjpeg alone fills in gray.
 */
int kanto_jpeg_decode(const uint8_t *bytes, size_t count, const kanto_jpeg_picture *picture, uint8_t *pixels, char *message);

#endif
