/* Vectors as wide as the registers of the instruction set that the including module is compiled for, and their arithmetic.
   Swift's own operators of SIMD types are loops over the lanes, unrolled: dozens of times the code that all passes before
   LLVM's walk through, which took two thirds of the time of a release build. */
#ifndef KANTO_LANES_H
#define KANTO_LANES_H
#include <stdint.h>

#if defined(__AVX512F__)
#define KANTO_LANE_COUNT 16
#elif defined(__AVX2__)
#define KANTO_LANE_COUNT 8
#else
#define KANTO_LANE_COUNT 4
#endif

typedef float kanto_lanes __attribute__((ext_vector_type(KANTO_LANE_COUNT)));
typedef int32_t kanto_lanes_mask __attribute__((ext_vector_type(KANTO_LANE_COUNT)));
/* As wide, of half as many numbers. */
typedef double kanto_wide __attribute__((ext_vector_type(KANTO_LANE_COUNT / 2)));
typedef int64_t kanto_wide_mask __attribute__((ext_vector_type(KANTO_LANE_COUNT / 2)));

#define KANTO_INLINE __attribute__((always_inline)) static inline

#define KANTO_VECTOR(vector, element)                                                                        \
  KANTO_INLINE vector vector##_repeating(element value) { return (vector)(value); }                          \
  KANTO_INLINE vector vector##_add(vector a, vector b) { return a + b; }                                     \
  KANTO_INLINE vector vector##_subtract(vector a, vector b) { return a - b; }                                \
  KANTO_INLINE vector vector##_multiply(vector a, vector b) { return a * b; }                                \
  KANTO_INLINE vector vector##_divide(vector a, vector b) { return a / b; }                                  \
  KANTO_INLINE vector vector##_square_root(vector a) { return __builtin_elementwise_sqrt(a); }               \
  /* a where the lanes of the mask are 0, b where all their bits are set. */                                 \
  KANTO_INLINE vector vector##_select(vector a, vector b, vector##_mask mask) { return mask ? b : a; }

KANTO_VECTOR(kanto_lanes, float)
KANTO_VECTOR(kanto_wide, double)

#define KANTO_BITS(vector)                                                                                   \
  KANTO_INLINE vector vector##_and(vector a, vector b) { return a & b; }                                     \
  KANTO_INLINE vector vector##_or(vector a, vector b) { return a | b; }                                      \
  KANTO_INLINE vector vector##_exclusive_or(vector a, vector b) { return a ^ b; }

KANTO_BITS(kanto_lanes_mask)
KANTO_BITS(kanto_wide_mask)

/* a * b + c, rounded once where the instruction set has it: without, that would be a call for each lane. */
KANTO_INLINE kanto_lanes kanto_lanes_multiply_add(kanto_lanes a, kanto_lanes b, kanto_lanes c) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, c);
#else
  kanto_lanes product = a * b;
  return product + c;
#endif
}

/* Numbers `stride` apart: as many as a vector has lanes, or the first `count` of them. The lanes that are not read are as
   `padding` has them. */
KANTO_INLINE kanto_lanes kanto_lanes_load(const float *start, int64_t stride) {
  kanto_lanes result;
  for (int lane = 0; lane < KANTO_LANE_COUNT; lane++) result[lane] = start[lane * stride];
  return result;
}
KANTO_INLINE kanto_lanes kanto_lanes_load_first(
    const float *start, int64_t stride, int64_t count, kanto_lanes padding) {
  for (int lane = 0; lane < KANTO_LANE_COUNT; lane++)
    if (lane < count) padding[lane] = start[lane * stride];
  return padding;
}
KANTO_INLINE void kanto_lanes_store(kanto_lanes value, float *start, int64_t stride) {
  for (int lane = 0; lane < KANTO_LANE_COUNT; lane++) start[lane * stride] = value[lane];
}
KANTO_INLINE void kanto_lanes_store_first(kanto_lanes value, float *start, int64_t stride, int64_t count) {
  for (int lane = 0; lane < KANTO_LANE_COUNT; lane++)
    if (lane < count) start[lane * stride] = value[lane];
}

/* Stores past the caches, to an address that is a multiple of the vector's size. */
KANTO_INLINE void kanto_lanes_store_past_caches(kanto_lanes value, float *target) {
  __builtin_nontemporal_store(value, (kanto_lanes *)target);
}
#endif
