/* The digits that ship with Kanto, as IDX files in memory: 1,797 images of 8x8, values 0 to 16, and their labels.
   Source and license: LICENSE-DATA.md. */
#ifndef KANTO_DIGITS_H
#define KANTO_DIGITS_H
#include <stddef.h>

extern const unsigned char kanto_digits_images[];
extern const size_t kanto_digits_images_size;
extern const unsigned char kanto_digits_labels[];
extern const size_t kanto_digits_labels_size;

/* Swift cannot take the address of an array whose size it does not know. */
static inline const unsigned char *kanto_digits_images_start(void) { return kanto_digits_images; }
static inline const unsigned char *kanto_digits_labels_start(void) { return kanto_digits_labels; }
#endif
