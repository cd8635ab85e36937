#include "kanto_plugin_calls.h"

#include <kanto_shims.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is being called in the process, 0 for nothing, and on this thread. The lowest bit, 0 in an address that malloc
   returns, marks a call that a watch has seen: it goes with the next store, of who leaves or who enters. */
static _Atomic(uintptr_t) call_of_process;
static _Thread_local const char *call_of_thread;

static const char *current(void) { return (const char *)(atomic_load(&call_of_process) & ~(uintptr_t)1); }

static void set(const char *text) {
  call_of_thread = text;
  atomic_store_explicit(&call_of_process, (uintptr_t)text, memory_order_release);
}

const char *kanto_enter_plugin(const char *text) {
  const char *outer = call_of_thread;
  set(text);
  return outer;
}

void kanto_leave_plugin(const char *outer) { set(outer); }

void kanto_join_plugin_call(void) { call_of_thread = current(); }

/* ---- texts -------------------------------------------------------------------------------------------------------- */

/* Held while a watch reads a text, and while one goes. */
static pthread_mutex_t texts = PTHREAD_MUTEX_INITIALIZER;

const char *kanto_make_plugin_text(const char *text) { return strdup(text); }

void kanto_free_plugin_text(const char *text) {
  pthread_mutex_lock(&texts);
  free((void *)text);
  pthread_mutex_unlock(&texts);
}

bool kanto_lasting_plugin_call(char *text, int64_t capacity) {
  pthread_mutex_lock(&texts);
  uintptr_t call = atomic_load(&call_of_process);
  bool lasts = call & 1;
  if (lasts) {
    snprintf(text, (size_t)capacity, "%s", (const char *)(call & ~(uintptr_t)1));
  } else if (call != 0) {
    atomic_compare_exchange_strong(&call_of_process, &call, call | 1);
  }
  pthread_mutex_unlock(&texts);
  return lasts;
}

/* ---- the process ends --------------------------------------------------------------------------------------------- */

/* By calls that a signal handler may make. */
static void put(const char *text) {
  size_t count = strlen(text);
  while (count > 0) {
    ssize_t written = write(STDERR_FILENO, text, count);
    if (written <= 0) return;
    text += written;
    count -= (size_t)written;
  }
}

static int32_t code_of_exit;

static void tell_exit(void) {
  /* A program may end while another thread of its still computes: that is no plugin's doing. */
  const char *call = call_of_thread ? call_of_thread : kanto_worker() >= 0 ? current() : NULL;
  if (!call) return;
  /* What was printed so far is not lost. */
  fflush(NULL);
  put("kanto: exit was called in ");
  put(call);
  put("\n");
  _exit(code_of_exit);
}

void kanto_report_plugin_exits(int32_t code) {
  code_of_exit = code;
  atexit(tell_exit);
}

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
enum { signal_count = sizeof signals / sizeof *signals };
static struct sigaction earlier[signal_count];

static void tell_crash(int number, siginfo_t *info, void *context) {
  (void)context;
  const char *call = call_of_thread ? call_of_thread : current();
  if (call) {
    put("kanto: crashed in ");
    put(call);
    put("\n");
  }
  /* Whoever was told of the signal before is told now. */
  for (int i = 0; i < signal_count; i++)
    if (signals[i] == number) sigaction(number, &earlier[i], NULL);
  /* A fault of the processor comes again by itself. */
  if (info->si_code <= 0) raise(number);
}

void kanto_report_plugin_crashes(void) {
  struct sigaction action = {.sa_sigaction = tell_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < signal_count; i++) sigaction(signals[i], &action, &earlier[i]);
}
