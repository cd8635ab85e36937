/* Pairs of bfloat16 numbers in the 32 bits of a float: the first in the high half, the second in the low one. */
#ifndef KANTO_PAIRS_H
#define KANTO_PAIRS_H
#include <stdbool.h>
#include <stdint.h>
#include "kanto_lanes.h"

typedef uint32_t kanto_pairs __attribute__((ext_vector_type(KANTO_LANE_COUNT)));

/* Numbers rounded to bfloat16, to nearest, ties to even, as float32: what the instructions of AVX512_BF16 do, whatever the
   rounding mode. Subnormal numbers are zeros of their sign, NaN stays NaN. */
KANTO_INLINE kanto_pairs kanto_pairs_rounded(kanto_pairs bits) {
  kanto_pairs magnitude = bits & 0x7fffffffu;
  kanto_pairs rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  rounded = magnitude > 0x7f800000u ? bits | 0x00400000u : rounded;
  rounded = magnitude < 0x00800000u ? bits & 0x80000000u : rounded;
  return rounded & 0xffff0000u;
}

/* Pairs of a number of the first vector and one of the second. */
KANTO_INLINE kanto_lanes kanto_pairs_of(kanto_lanes first, kanto_lanes second) {
  return (kanto_lanes)(kanto_pairs_rounded((kanto_pairs)first) | kanto_pairs_rounded((kanto_pairs)second) >> 16);
}

/* Pairs of neighbors: of twice as many numbers as a vector has, the first of them in `first`. */
KANTO_INLINE kanto_lanes kanto_pairs_of_neighbors(kanto_lanes first, kanto_lanes second) {
#if KANTO_LANE_COUNT == 16
#define KANTO_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define KANTO_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif KANTO_LANE_COUNT == 8
#define KANTO_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define KANTO_ODD 1, 3, 5, 7, 9, 11, 13, 15
#else
#define KANTO_EVEN 0, 2, 4, 6
#define KANTO_ODD 1, 3, 5, 7
#endif
  return kanto_pairs_of(
      __builtin_shufflevector(first, second, KANTO_EVEN), __builtin_shufflevector(first, second, KANTO_ODD));
#undef KANTO_EVEN
#undef KANTO_ODD
}

KANTO_INLINE uint32_t kanto_pair_rounded(float number) {
  uint32_t bits;
  __builtin_memcpy(&bits, &number, sizeof bits);
  uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  rounded = magnitude > 0x7f800000u ? bits | 0x00400000u : rounded;
  rounded = magnitude < 0x00800000u ? bits & 0x80000000u : rounded;
  return rounded & 0xffff0000u;
}

/* One pair; of a count of 1 the second number is not read, and zero. `distance` is that between the two. */
KANTO_INLINE float kanto_pair(const float *numbers, int64_t distance, int64_t count) {
  uint32_t bits = kanto_pair_rounded(numbers[0]);
  if (count > 1) bits |= kanto_pair_rounded(numbers[distance]) >> 16;
  float pair;
  __builtin_memcpy(&pair, &bits, sizeof pair);
  return pair;
}

/* The first numbers of pairs, and the second ones. */
KANTO_INLINE kanto_lanes kanto_pairs_first(kanto_lanes pairs) { return (kanto_lanes)((kanto_pairs)pairs & 0xffff0000u); }
KANTO_INLINE kanto_lanes kanto_pairs_second(kanto_lanes pairs) { return (kanto_lanes)((kanto_pairs)pairs << 16); }

#if KANTO_LANE_COUNT == 16 && defined(__x86_64__)
/* Each lane: fma(second of a, second of b, fma(first of a, first of b, sum)), subnormals read and written as zeros. Written out,
   because the processors that this is compiled for need not have the instruction; see kanto_cpu_has_bfloat16. */
KANTO_INLINE kanto_lanes kanto_pairs_add_products(kanto_lanes sum, kanto_lanes a, kanto_lanes b) {
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
#endif

/* Has the processor read and write subnormal numbers as zeros from now on, and returns its mode before. */
static inline uint64_t kanto_flush_subnormals(void) {
#if defined(__x86_64__)
  uint32_t mode = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(mode | 0x8040u);
  return mode;
#elif defined(__aarch64__)
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  __asm__ volatile("msr fpcr, %0" : : "r"(mode | UINT64_C(1) << 24));
  return mode;
#else
  return 0;
#endif
}

/* Back to a mode that `kanto_flush_subnormals` returned. */
static inline void kanto_restore_subnormals(uint64_t mode) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((uint32_t)mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#else
  (void)mode;
#endif
}

#endif
