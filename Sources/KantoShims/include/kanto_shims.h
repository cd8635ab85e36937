/* What Swift cannot say itself. Compiled without instruction-set flags. */
#ifndef KANTO_SHIMS_H
#define KANTO_SHIMS_H
#include <stdbool.h>
#include <stdint.h>

/* Instruction sets that the processor has *and* whose registers the operating system saves (XCR0). */
bool kanto_cpu_has_avx2(void);   /* x86-64-v3: AVX2, FMA, BMI1 and 2, F16C, LZCNT, MOVBE */
bool kanto_cpu_has_avx512(void); /* x86-64-v4: also AVX-512 F, BW, CD, DQ, VL */
bool kanto_cpu_has_bfloat16(void); /* AVX512_BF16, and what it needs */
bool kanto_cpu_has_separate_adders(void); /* of vectors, beside those for multiply-adds: AMD's since Zen */

/* The processor's own name, or "" where it has none. */
void kanto_cpu_name(char name[49]);

/* Bytes of the data caches of each level, 0 where the processor does not tell. Not by sysconf, for which the third level of
   an AMD processor is that of all its parts, eight times what a core has. */
void kanto_cpu_caches(int64_t bytes[3]);

/* Cores that this process may use; not positive where the system does not tell. */
int32_t kanto_core_count(void);

/* Whether the process runs with the rights of another user (AT_SECURE). */
bool kanto_is_set_user_id(void);

/* Tells the core that the caller waits in a loop. */
static inline void kanto_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/* Asks for the cache line at an address that will be read soon. Any address is allowed. */
__attribute__((always_inline)) static inline void kanto_prefetch(const void *address) {
  __builtin_prefetch(address, 0, 3);
}

/* Asks for the cache line at an address that will be written soon, so that no other core has it then. Any address is
   allowed. By name: without -mprfchw a compiler asks as for reading. Every x86-64 processor takes the instruction, the
   oldest as nothing. */
__attribute__((always_inline)) static inline void kanto_prefetch_for_writing(const void *address) {
#if defined(__x86_64__)
  __asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)address));
#else
  __builtin_prefetch(address, 1, 3);
#endif
}

/* Others may read what was stored past the caches once this fence has been passed. */
__attribute__((always_inline)) static inline void kanto_fence_stores_past_caches(void) {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

/* Linux futex on a 32-bit word: sleep while it holds `expected`; wake up to `count` sleepers. */
void kanto_futex_wait(const void *word, uint32_t expected);
void kanto_futex_wake(const void *word, int32_t count);

/* Sets the calling thread's floating-point environment to the default: rounding to nearest, denormals honored. */
void kanto_reset_floating_point(void);

/* Marks of the calling thread: the worker as which it runs a piece of parallel work, or -1; whether it holds the turn to
   run kernels. */
int64_t kanto_worker(void);
void kanto_set_worker(int64_t worker);
bool kanto_holds_turn(void);
void kanto_set_holds_turn(bool value);

/* Whether this is the thread with which the process began. */
bool kanto_is_main_thread(void);

/* The system's number of the calling thread. */
int32_t kanto_thread(void);

/* Nanoseconds for which a thread of this process has been ready to run without a core, since it was started; negative where
   the system does not tell. */
int64_t kanto_thread_waited(int32_t thread);

/* Nanoseconds of a clock that never goes back, a few milliseconds coarse, and a few nanoseconds to read. */
uint64_t kanto_coarse_nanoseconds(void);

/* The file that holds the given code address, as the dynamic linker names it, or NULL. */
const char *kanto_image_path(const void *address);

#endif
