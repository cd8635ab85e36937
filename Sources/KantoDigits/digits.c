#include "kanto_digits.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

const unsigned char kanto_digits_images[] = {
#embed "data/optdigits-images-idx3-ubyte"
};
const size_t kanto_digits_images_size = sizeof kanto_digits_images;

const unsigned char kanto_digits_labels[] = {
#embed "data/optdigits-labels-idx1-ubyte"
};
const size_t kanto_digits_labels_size = sizeof kanto_digits_labels;
