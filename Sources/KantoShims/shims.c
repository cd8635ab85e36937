#define _GNU_SOURCE
#include "kanto_shims.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>

static uint64_t xcr0(void) {
  uint32_t low, high;
  __asm__ __volatile__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}

static bool all(uint32_t value, uint32_t mask) { return (value & mask) == mask; }

static bool probe_avx2(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
  if (!all(c, bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C)) return false;
  if ((xcr0() & 0x6) != 0x6) return false; /* XMM and YMM */
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !all(b, bit_AVX2 | bit_BMI | bit_BMI2)) return false;
  return __get_cpuid(0x80000001, &a, &b, &c, &d) && all(c, bit_LZCNT);
}

static bool probe_avx512(void) {
  uint32_t a, b, c, d;
  if (!kanto_cpu_has_avx2() || (xcr0() & 0xE6) != 0xE6) return false; /* also opmask and ZMM */
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  return all(b, bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL);
}

static bool probe_bfloat16(void) {
  uint32_t a, b, c, d;
  return kanto_cpu_has_avx512() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && all(a, bit_AVX512BF16);
}

static bool probe_separate_adders(void) {
  uint32_t a, b, c, d;
  return __get_cpuid(0, &a, &b, &c, &d) && (b == signature_AMD_ebx || b == 0x6F677948 /* Hygon */);
}

/* Asked once: in a virtual machine each cpuid is a trap of up to 70 microseconds. */
static bool known(_Atomic signed char *answer, bool (*probe)(void)) {
  signed char found = atomic_load_explicit(answer, memory_order_relaxed);
  if (found == 0) {
    found = probe() ? 1 : -1;
    atomic_store_explicit(answer, found, memory_order_relaxed);
  }
  return found > 0;
}

static _Atomic signed char avx2, avx512, bfloat16, separate_adders;
bool kanto_cpu_has_avx2(void) { return known(&avx2, probe_avx2); }
bool kanto_cpu_has_avx512(void) { return known(&avx512, probe_avx512); }
bool kanto_cpu_has_bfloat16(void) { return known(&bfloat16, probe_bfloat16); }
bool kanto_cpu_has_separate_adders(void) { return known(&separate_adders, probe_separate_adders); }

void kanto_cpu_name(char name[49]) {
  uint32_t words[12] = {0};
  for (uint32_t i = 0; i < 3; i++)
    __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  memcpy(name, words, 48);
  name[48] = 0;
}

void kanto_cpu_caches(int64_t bytes[3]) {
  uint32_t a, b, c, d;
  /* Both manufacturers describe caches one by one in the same form, AMD where it says that it extends the topology. */
  bool is_extended = __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & (1u << 22));
  uint32_t leaf = is_extended ? 0x8000001D : 4;
  memset(bytes, 0, 3 * sizeof *bytes);
  for (uint32_t i = 0; i < 16 && __get_cpuid_count(leaf, i, &a, &b, &c, &d); i++) {
    uint32_t kind = a & 0x1F, level = (a >> 5) & 7;
    if (kind == 0) break;
    if (kind == 2 || level < 1 || level > 3) continue; /* instructions */
    bytes[level - 1] = ((int64_t)(b >> 22) + 1) * (((b >> 12) & 0x3FF) + 1) * ((b & 0xFFF) + 1) * ((int64_t)c + 1);
  }
}
#else
bool kanto_cpu_has_avx2(void) { return false; }
bool kanto_cpu_has_avx512(void) { return false; }
bool kanto_cpu_has_bfloat16(void) { return false; }
bool kanto_cpu_has_separate_adders(void) { return false; }
void kanto_cpu_name(char name[49]) { name[0] = 0; }
void kanto_cpu_caches(int64_t bytes[3]) { memset(bytes, 0, 3 * sizeof *bytes); }
#endif

int32_t kanto_core_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
}

bool kanto_is_set_user_id(void) { return getauxval(AT_SECURE) != 0; }

void kanto_futex_wait(const void *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void kanto_futex_wake(const void *word, int32_t count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

void kanto_reset_floating_point(void) { fesetenv(FE_DFL_ENV); }

static _Thread_local int64_t current_worker = -1;
static _Thread_local bool holds_turn;

int64_t kanto_worker(void) { return current_worker; }
void kanto_set_worker(int64_t worker) { current_worker = worker; }
bool kanto_holds_turn(void) { return holds_turn; }
void kanto_set_holds_turn(bool value) { holds_turn = value; }

bool kanto_is_main_thread(void) {
  static _Thread_local int is_main = -1;
  if (is_main < 0) is_main = syscall(SYS_gettid) == getpid();
  return is_main;
}

int32_t kanto_thread(void) {
  static _Thread_local int32_t number;
  if (number == 0) number = (int32_t)syscall(SYS_gettid);
  return number;
}

int64_t kanto_thread_waited(int32_t thread) {
  char text[96];
  snprintf(text, sizeof text, "/proc/self/task/%" PRId32 "/schedstat", thread);
  int file = open(text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  /* Nanoseconds on a core, nanoseconds of waiting for one, and how often it got one. */
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return -1;
  text[length] = 0;
  int64_t waited;
  return sscanf(text, "%*" SCNd64 " %" SCNd64, &waited) == 1 ? waited : -1;
}

uint64_t kanto_coarse_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

const char *kanto_image_path(const void *address) {
  Dl_info info;
  return dladdr(address, &info) ? info.dli_fname : NULL;
}
