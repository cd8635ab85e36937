/*
 * kanto_random.h: the arithmetic behind KANTO_OP_RANDOM, so that all backends draw the same bits.
 *
 * Only additions, multiplications, divisions and square roots of binary64, each rounded to nearest and none contracted to
 * a fused multiply-add, in the order written: IEEE 754 determines every bit. A backend calls these functions, or follows
 * their steps lane by lane. (GCC, told to use FMA instructions, contracts unless it is given -ffp-contract=off.)
 */
#ifndef KANTO_RANDOM_H
#define KANTO_RANDOM_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kanto_random_words {
  uint32_t word0, word1, word2, word3;
} kanto_random_words;

/* One block of Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): ten rounds over a counter. Its words 0 and 1 are the
   block's low and high half, words 2 and 3 the stream's. */
static inline kanto_random_words kanto_philox(uint64_t key, uint64_t stream, uint64_t block) {
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t first = UINT64_C(0xD2511F53) * c0, second = UINT64_C(0xCD9E8D57) * c2;
    c0 = (uint32_t)(second >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)second;
    c2 = (uint32_t)(first >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)first;
    k0 += UINT32_C(0x9E3779B9);
    k1 += UINT32_C(0xBB67AE85);
  }
  return (kanto_random_words){c0, c1, c2, c3};
}

typedef struct kanto_random_pair {
  double first, second;
} kanto_random_pair;

/*
 * Two independent numbers of the standard normal distribution, from two words: r cos t and r sin t with
 * r = sqrt(-2 log((w + 0.5) 2^-32)) and t = 2 pi v 2^-32 (Box and Muller 1958). Within 2^-50 of the exact value, relative to r.
 */
static inline kanto_random_pair kanto_normal_pair(uint32_t w, uint32_t v) {
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
  /* log x: x = 2^e m, m in [sqrt(1/2), sqrt(2)); with s = (m - 1) / (m + 1), log m = 2 (s + s^3/3 + s^5/5 + …). */
  double x = ((double)w + 0.5) * 0x1p-32;
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  /* Adding 1 - sqrt(1/2) to the significand carries into the exponent from sqrt(2) up. */
  uint64_t shifted = bits + (UINT64_C(0x3FF0000000000000) - UINT64_C(0x3FE6A09E667F3BCD));
  double exponent = (double)((int64_t)(shifted >> 52) - 1023);
  bits = (shifted & UINT64_C(0x000FFFFFFFFFFFFF)) + UINT64_C(0x3FE6A09E667F3BCD);
  double m;
  memcpy(&m, &bits, sizeof m);
  double s = (m - 1.0) / (m + 1.0);
  double z = s * s;
  double series = 1.0 / 21.0;
  for (int n = 19; n >= 1; n -= 2) {
    series = series * z;
    series = series + 1.0 / n;
  }
  double logarithm = s * series;
  logarithm = logarithm + logarithm;
  double carried = exponent * 0x1.62e42fefa39efp-1; /* log 2 */
  logarithm = carried + logarithm;
  double radius = sqrt(-2.0 * logarithm);

  /* t = quadrant pi/2 + a, a in [-pi/4, pi/4), by whole numbers, so exactly. */
  uint32_t quadrant = (v + UINT32_C(0x20000000)) >> 30;
  double a = (double)(int32_t)(v - (quadrant << 30)) * 0x1.921fb54442d18p-30; /* 2 pi 2^-32 */
  double y = a * a;
  /* Taylor's series, by factors: 1 - y/(2 3) (1 - y/(4 5) (…)). */
  double sine = 1.0, cosine = 1.0;
  for (int n = 16; n >= 2; n -= 2) {
    sine = sine * y;
    sine = sine * (1.0 / (n * (n + 1)));
    sine = 1.0 - sine;
    cosine = cosine * y;
    cosine = cosine * (1.0 / (n * (n - 1)));
    cosine = 1.0 - cosine;
  }
  sine = sine * a;
  double c = quadrant & 1 ? -sine : cosine, d = quadrant & 1 ? cosine : sine;
  if (quadrant & 2) c = -c, d = -d;
  return (kanto_random_pair){radius * c, radius * d};
}

#ifdef __cplusplus
}
#endif
#endif
