#include "adapter.h"

#include <stdatomic.h>

/* libgomp's exports. clang has no omp.h of its own unless LLVM's OpenMP runtime is installed, which must not be mixed
   with libgomp in one process. */
void GOMP_parallel(void (*body)(void *), void *data, unsigned thread_count, unsigned flags);
int omp_get_max_threads(void);
void omp_set_num_threads(int thread_count);
int omp_get_dynamic(void);
void omp_set_dynamic(int dynamic);
int omp_in_parallel(void);
int omp_get_thread_num(void);
int omp_get_thread_limit(void);
int omp_get_max_active_levels(void);

typedef struct team {
  _Atomic int64_t next;
  int64_t count;
  kanto_body body;
  void *context;
} team;

static void work(void *data) {
  team *team = data;
  int64_t worker = omp_get_thread_num();
  for (;;) {
    int64_t index = atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
    if (index >= team->count) return;
    team->body(team->context, index, worker);
  }
}

void gomp_parallel_for(int64_t thread_count, int64_t count, kanto_body body, void *context) {
  int64_t limit = thread_count < count ? thread_count : count;
  if (limit <= 1 || omp_in_parallel()) {
    for (int64_t index = 0; index < count; index++) body(context, index, 0);
    return;
  }
  team team = {.count = count, .body = body, .context = context};
  /* Always the full count: libgomp ends and starts threads when the size of a team changes. */
  GOMP_parallel(work, &team, (unsigned)thread_count, 0);
}

bool gomp_in_parallel(void) { return omp_in_parallel() != 0; }

int32_t gomp_thread_limit(void) { return omp_get_max_active_levels() < 1 ? 1 : omp_get_thread_limit(); }

gomp_settings gomp_enter(int32_t thread_count) {
  gomp_settings before = {omp_get_max_threads(), omp_get_dynamic()};
  if (before.dynamic) omp_set_dynamic(0);
  if (before.thread_count != thread_count) omp_set_num_threads(thread_count);
  return before;
}

void gomp_leave(gomp_settings before) {
  if (before.dynamic) omp_set_dynamic(before.dynamic);
  if (before.thread_count != omp_get_max_threads()) omp_set_num_threads(before.thread_count);
}
