#define _GNU_SOURCE
#include "allocation_counter.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct allocation_counter {
  atomic_int_fast64_t count;
  struct {
    atomic_int count;
    void *frames[ALLOCATION_COUNTER_FRAMES];
  } records[ALLOCATION_COUNTER_RECORDS];
};

static _Thread_local allocation_counter *current;

allocation_counter *allocation_counter_make(void) { return calloc(1, sizeof(allocation_counter)); }

void allocation_counter_free(allocation_counter *counter) { free(counter); }

void allocation_counter_set(allocation_counter *counter) {
  current = NULL;
  /* The first backtrace of a process loads a library, which allocates. */
  void *frame;
  if (counter) backtrace(&frame, 1);
  current = counter;
}

int64_t allocation_counter_count(const allocation_counter *counter) { return atomic_load(&counter->count); }

int32_t allocation_counter_stack(const allocation_counter *counter, int64_t index, const void **frames) {
  if (index < 0 || index >= ALLOCATION_COUNTER_RECORDS) return 0;
  int count = atomic_load(&counter->records[index].count);
  memcpy(frames, counter->records[index].frames, (size_t)count * sizeof *frames);
  return count;
}

void allocation_counter_name(const void *frame, const char **file, int64_t *offset, const char **function) {
  Dl_info info = {0};
  dladdr(frame, &info);
  *file = info.dli_fname;
  *offset = (const char *)frame - (const char *)info.dli_fbase;
  *function = info.dli_sname;
}

#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)

bool allocation_counter_works(void) { return false; }

#else

bool allocation_counter_works(void) { return true; }

static void note(void) {
  allocation_counter *counter = current;
  if (!counter) return;
  /* What follows may itself allocate. */
  current = NULL;
  int64_t index = atomic_fetch_add(&counter->count, 1);
  if (index < ALLOCATION_COUNTER_RECORDS)
    atomic_store(&counter->records[index].count, backtrace(counter->records[index].frames, ALLOCATION_COUNTER_FRAMES));
  current = counter;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note();
  return __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size) {
  note();
  return __libc_realloc(pointer, size);
}

void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **pointer, size_t alignment, size_t size) {
  if (alignment == 0 || alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *made = memalign(alignment, size);
  if (made == NULL) return ENOMEM;
  *pointer = made;
  return 0;
}

#endif
