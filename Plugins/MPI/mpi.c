/*
 * libKantoMPI.so: a communicator by any MPI (tried with Open MPI and MPICH).
 *
 * Every function is one or two exchanges, messages between pairs of ranks, and not MPI's own collective: those add in an
 * order that differs between libraries, and do not tell for whom they wait.
 */
#define _GNU_SOURCE /* sched_yield, clock_gettime, RTLD_NOLOAD */
#include <dlfcn.h>
#include <kanto_communicator.h>
#include <mpi.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes of a sum that are under way at a time, so that what is kept of other ranks is bounded. */
#define PIECE_BYTES ((int64_t)16 << 20)
/* Up to so many bytes each rank sends all of its values to each other one: one exchange in place of two. */
#define SMALL_BYTES ((int64_t)4 << 10)

/* Of messages, so that those of different functions are never taken for each other. */
enum { TAG_SUM = 1, TAG_SUMMED = 2, TAG_BROADCAST = 3, TAG_GATHER = 4, TAG_BARRIER = 5, TAG_ABORT = 6 };

/* Of this process; set by open. */
static kanto_communicator table;
static const kanto_communicator_options *options;
static bool finalizes; /* not where the program has initialized MPI itself */

/* ---- messages ----------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static kanto_status fail(kanto_message *message, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(message->text, message->capacity, format, values);
  va_end(values);
  return KANTO_STATUS_FAILED;
}

/* Says what MPI says of a code. */
static kanto_status fail_by_code(kanto_message *message, const char *what, int code) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS || length == 0) snprintf(text, sizeof text, "error %d", code);
  for (char *c = text; *c; c++)
    if (*c == '\n') *c = ' ';
  return fail(message, "%s: %s", what, text);
}

/* ---- exchanges ---------------------------------------------------------------------------------------------------- */

/* Messages under way. */
typedef struct exchange {
  MPI_Request *requests; /* twice as many as there are ranks */
  MPI_Status *statuses;
  uint32_t *peers;
  int *byte_counts; /* expected; -1 for what is sent */
  int count;
  int error; /* the first one */
} exchange;

static exchange under_way;

static void expect(void *bytes, int64_t byte_count, uint32_t peer, int tag) {
  exchange *e = &under_way;
  if (byte_count == 0 || e->error) return;
  e->error = MPI_Irecv(bytes, (int)byte_count, MPI_BYTE, (int)peer, tag, MPI_COMM_WORLD, &e->requests[e->count]);
  e->peers[e->count] = peer;
  e->byte_counts[e->count++] = (int)byte_count;
}

static void send(const void *bytes, int64_t byte_count, uint32_t peer, int tag) {
  exchange *e = &under_way;
  if (byte_count == 0 || e->error) return;
  e->error = MPI_Isend(bytes, (int)byte_count, MPI_BYTE, (int)peer, tag, MPI_COMM_WORLD, &e->requests[e->count]);
  e->peers[e->count] = peer;
  e->byte_counts[e->count++] = -1;
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Appends the ranks whose messages are under way: "1, 3". Returns how much was written. */
static size_t name_missing(const exchange *e, bool is_received, char *names, size_t capacity) {
  size_t length = 0;
  for (int i = 0; i < e->count && length + 16 < capacity; i++) {
    int is_done = 0;
    if ((e->byte_counts[i] >= 0) != is_received) continue;
    MPI_Request_get_status(e->requests[i], &is_done, MPI_STATUS_IGNORE);
    if (!is_done) length += (size_t)snprintf(names + length, capacity - length, "%s%u", length ? ", " : "", e->peers[i]);
  }
  return length;
}

/* Names the ranks whose messages have not come, or else those that have not taken theirs. */
static kanto_status fail_by_missing(const exchange *e, double seconds, kanto_message *message) {
  char names[160] = "";
  int has_aborted = 0;
  MPI_Status status;
  if (MPI_Iprobe(MPI_ANY_SOURCE, TAG_ABORT, MPI_COMM_WORLD, &has_aborted, &status) == MPI_SUCCESS && has_aborted) {
    fail(message, "rank %d has ended all ranks", status.MPI_SOURCE);
    return KANTO_STATUS_DECLINED;
  }
  if (name_missing(e, true, names, sizeof names) == 0 && name_missing(e, false, names, sizeof names) == 0)
    snprintf(names, sizeof names, "(unknown)");
  return fail(message, "rank %s has not answered for %.1f s", names, seconds);
}

/* Returns when all messages have arrived. */
static kanto_status complete(kanto_message *message) {
  exchange *e = &under_way;
  const double start = seconds_now();
  double asked = start;
  int is_done = 0;
  for (int64_t round = 0; !e->error && !is_done; round++) {
    e->error = MPI_Testall(e->count, e->requests, &is_done, e->statuses);
    if (is_done || e->error || round < 200) continue;
    /* Ranks may be more than cores. */
    sched_yield();
    const double now = seconds_now();
    if (now - start < 0.05) continue;
    /* Whoever has waited so long, for the first rank's pictures say, loses nothing by short sleeps. */
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    if (now - asked < 0.05) continue;
    asked = now;
    if (options && options->gives_up && options->gives_up(options->context, now - start))
      return fail_by_missing(e, now - start, message);
  }
  if (e->error) {
    int code = e->error;
    if (code == MPI_ERR_IN_STATUS)
      for (int i = 0; i < e->count; i++)
        if (e->statuses[i].MPI_ERROR != MPI_SUCCESS && e->statuses[i].MPI_ERROR != MPI_ERR_PENDING) {
          char what[48];
          snprintf(what, sizeof what, "rank %u", e->peers[i]);
          return fail_by_code(message, what, e->statuses[i].MPI_ERROR);
        }
    return fail_by_code(message, "a message", code);
  }
  for (int i = 0; i < e->count; i++) {
    int byte_count = 0;
    if (e->byte_counts[i] < 0) continue;
    MPI_Get_count(&e->statuses[i], MPI_BYTE, &byte_count);
    if (byte_count != e->byte_counts[i])
      return fail(message, "rank %u sent %d bytes where %d were expected: it does something else", e->peers[i], byte_count,
                  e->byte_counts[i]);
  }
  e->count = 0;
  return KANTO_STATUS_OK;
}

/* ---- sums --------------------------------------------------------------------------------------------------------- */

#define DEFINE_ADD(type)                                                          \
  static void add_##type(type *restrict sum, const type *restrict x, int64_t n) { \
    for (int64_t i = 0; i < n; i++) sum[i] += x[i];                               \
  }

DEFINE_ADD(float)
DEFINE_ADD(double)

/* What other ranks have sent, rank by rank. */
static void *received;
static int64_t received_bytes;

static bool reserve(int64_t byte_count) {
  if (byte_count <= received_bytes) return true;
  free(received);
  received = malloc((size_t)byte_count);
  received_bytes = received ? byte_count : 0;
  return received != NULL;
}

/* `own` becomes the sum over the ranks, in their order; what the others hold stands in `received`. */
static void add_in_order(void *own, int64_t count, uint32_t dtype) {
  const int64_t size = dtype == KANTO_DTYPE_F32 ? 4 : 8, byte_count = count * size;
  char *parts = received;
  if (table.rank > 0) {
    /* The sum starts with rank 0. */
    char *own_part = parts + table.rank * byte_count;
    memcpy(own_part, own, (size_t)byte_count);
    memcpy(own, parts, (size_t)byte_count);
  }
  for (uint32_t rank = 1; rank < table.rank_count; rank++) {
    if (dtype == KANTO_DTYPE_F32)
      add_float(own, (const float *)(parts + rank * byte_count), count);
    else
      add_double(own, (const double *)(parts + rank * byte_count), count);
  }
}

/* Each rank sums one part of the values and hands the sum to the others. */
static kanto_status sum_piece(char *values, int64_t count, uint32_t dtype, kanto_message *message) {
  const int64_t size = dtype == KANTO_DTYPE_F32 ? 4 : 8;
  const uint32_t n = table.rank_count, me = table.rank;
  const bool is_small = count * size <= SMALL_BYTES;
  /* Rank r sums from start(r) to start(r + 1). */
  const int64_t part = is_small ? count : (count + n - 1) / n;
#define START(r) (is_small ? 0 : (part * (r) < count ? part * (r) : count))
#define COUNT(r) (is_small ? count : START((r) + 1) - START(r))
  if (!reserve(n * part * size)) return fail(message, "no memory for %lld bytes", (long long)(n * part * size));
  const int64_t mine = COUNT(me) * size;
  for (uint32_t peer = 0; peer < n; peer++)
    if (peer != me) expect((char *)received + peer * mine, mine, peer, TAG_SUM);
  for (uint32_t step = 1; step < n; step++) {
    const uint32_t peer = (me + step) % n;
    send(values + START(peer) * size, COUNT(peer) * size, peer, TAG_SUM);
  }
  kanto_status status = complete(message);
  if (status != KANTO_STATUS_OK) return status;
  add_in_order(values + START(me) * size, COUNT(me), dtype);
  if (is_small) return KANTO_STATUS_OK;
  for (uint32_t peer = 0; peer < n; peer++)
    if (peer != me) expect(values + START(peer) * size, COUNT(peer) * size, peer, TAG_SUMMED);
  for (uint32_t step = 1; step < n; step++) send(values + START(me) * size, mine, (me + step) % n, TAG_SUMMED);
  return complete(message);
#undef START
#undef COUNT
}

static kanto_status all_reduce(const kanto_communicator *communicator, void *values, int64_t count, uint32_t dtype,
                               kanto_message *message) {
  (void)communicator;
  if (dtype != KANTO_DTYPE_F32 && dtype != KANTO_DTYPE_F64) return fail(message, "sums of dtype %u are unknown", dtype);
  if (table.rank_count == 1) return KANTO_STATUS_OK;
  const int64_t size = dtype == KANTO_DTYPE_F32 ? 4 : 8, most = PIECE_BYTES / size;
  for (int64_t done = 0; done < count; done += most) {
    const int64_t rest = count - done;
    kanto_status status = sum_piece((char *)values + done * size, rest < most ? rest : most, dtype, message);
    if (status != KANTO_STATUS_OK) return status;
  }
  return KANTO_STATUS_OK;
}

/* ---- the others --------------------------------------------------------------------------------------------------- */

static kanto_status broadcast(const kanto_communicator *communicator, void *bytes, int64_t byte_count, uint32_t root,
                              kanto_message *message) {
  (void)communicator;
  if (root >= table.rank_count) return fail(message, "there is no rank %u", root);
  for (int64_t done = 0; done < byte_count; done += PIECE_BYTES) {
    const int64_t rest = byte_count - done, count = rest < PIECE_BYTES ? rest : PIECE_BYTES;
    if (table.rank != root) expect((char *)bytes + done, count, root, TAG_BROADCAST);
    for (uint32_t peer = 0; table.rank == root && peer < table.rank_count; peer++)
      if (peer != root) send((char *)bytes + done, count, peer, TAG_BROADCAST);
    kanto_status status = complete(message);
    if (status != KANTO_STATUS_OK) return status;
  }
  return KANTO_STATUS_OK;
}

static kanto_status gather(const kanto_communicator *communicator, const void *bytes, int64_t byte_count, void *gathered,
                           uint32_t root, kanto_message *message) {
  (void)communicator;
  if (root >= table.rank_count) return fail(message, "there is no rank %u", root);
  if (table.rank == root && byte_count > 0) memcpy((char *)gathered + root * byte_count, bytes, (size_t)byte_count);
  for (int64_t done = 0; done < byte_count; done += PIECE_BYTES) {
    const int64_t rest = byte_count - done, count = rest < PIECE_BYTES ? rest : PIECE_BYTES;
    if (table.rank != root) send((const char *)bytes + done, count, root, TAG_GATHER);
    for (uint32_t peer = 0; table.rank == root && peer < table.rank_count; peer++)
      if (peer != root) expect((char *)gathered + peer * byte_count + done, count, peer, TAG_GATHER);
    kanto_status status = complete(message);
    if (status != KANTO_STATUS_OK) return status;
  }
  return KANTO_STATUS_OK;
}

static kanto_status barrier(const kanto_communicator *communicator, kanto_message *message) {
  (void)communicator;
  const char token = 0;
  if (!reserve(table.rank_count)) return fail(message, "no memory for %u bytes", table.rank_count);
  for (uint32_t peer = 0; peer < table.rank_count; peer++)
    if (peer != table.rank) {
      expect((char *)received + peer, 1, peer, TAG_BARRIER);
      send(&token, 1, peer, TAG_BARRIER);
    }
  return complete(message);
}

/* Named so as not to hide the C library's. */
static void abort_all(const kanto_communicator *communicator, int32_t exit_code) {
  (void)communicator;
  static const char token = 0;
  for (uint32_t peer = 0; peer < table.rank_count; peer++) {
    MPI_Request request;
    int is_done = 0;
    if (peer == table.rank || MPI_Isend(&token, 1, MPI_BYTE, (int)peer, TAG_ABORT, MPI_COMM_WORLD, &request) != MPI_SUCCESS) continue;
    /* A rank that is dead takes nothing. */
    const double start = seconds_now();
    while (!is_done && MPI_Test(&request, &is_done, MPI_STATUS_IGNORE) == MPI_SUCCESS && seconds_now() - start < 0.05) sched_yield();
  }
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  _Exit(exit_code);
}

static kanto_status close_all(const kanto_communicator *communicator, kanto_message *message) {
  /* MPI_Finalize would wait for a rank that never comes, and name nobody. */
  kanto_status status = barrier(communicator, message);
  if (status != KANTO_STATUS_OK || !finalizes) return status;
  const int code = MPI_Finalize();
  return code == MPI_SUCCESS ? KANTO_STATUS_OK : fail(message, "MPI_Finalize returned %d", code);
}

/* ---- what is exported --------------------------------------------------------------------------------------------- */

__attribute__((visibility("default"))) const kanto_version kanto_communicator_version = {
    .magic = KANTO_COMMUNICATOR_MAGIC,
    .struct_size = sizeof(kanto_version),
    .major = KANTO_COMMUNICATOR_MAJOR,
    .minor = KANTO_COMMUNICATOR_MINOR,
    .name = "mpi",
};

/* Open MPI opens parts of itself, which look for its symbols among those of the whole process; this plugin's are its own. */
static void show_library_to_its_parts(void) {
  Dl_info info;
  if (dladdr((void *)(uintptr_t)&MPI_Init_thread, &info) && info.dli_fname)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
}

__attribute__((visibility("default"))) const kanto_communicator *kanto_communicator_open(
    const kanto_communicator_options *lent, kanto_message *message) {
  static char description[160];
  options = lent;
  show_library_to_its_parts();
  int is_initialized = 0, level = MPI_THREAD_SINGLE, code = MPI_Initialized(&is_initialized);
  if (code == MPI_SUCCESS)
    code = is_initialized ? MPI_Query_thread(&level) : MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
  if (code != MPI_SUCCESS) {
    fail_by_code(message, "MPI cannot be initialized", code);
    return NULL;
  }
  finalizes = !is_initialized;
  if (level < MPI_THREAD_SERIALIZED) {
    fail(message, "this MPI may be called by one thread only (it was %s)",
         is_initialized ? "initialized by the program" : "built so");
    return NULL;
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);

  int rank_count = 1, rank = 0, local_count = 1, local_rank = 0;
  MPI_Comm local;
  MPI_Comm_size(MPI_COMM_WORLD, &rank_count);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  code = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &local);
  if (code != MPI_SUCCESS) {
    fail_by_code(message, "the ranks of this machine cannot be found", code);
    return NULL;
  }
  MPI_Comm_size(local, &local_count);
  MPI_Comm_rank(local, &local_rank);
  MPI_Comm_free(&local);

  const size_t most = 2 * (size_t)rank_count;
  under_way = (exchange){
      .requests = calloc(most, sizeof *under_way.requests),
      .statuses = calloc(most, sizeof *under_way.statuses),
      .peers = calloc(most, sizeof *under_way.peers),
      .byte_counts = calloc(most, sizeof *under_way.byte_counts),
  };
  if (!under_way.requests || !under_way.statuses || !under_way.peers || !under_way.byte_counts) {
    fail(message, "no memory for the messages of %d ranks", rank_count);
    return NULL;
  }

  char version[MPI_MAX_LIBRARY_VERSION_STRING] = "MPI";
  int length = 0;
  MPI_Get_library_version(version, &length);
  /* "Open MPI v4.1.4, package: …"; "MPICH Version:\t4.0.2\n…". */
  version[strcspn(version, ",\n")] = 0;
  for (char *c = version; *c; c++)
    if (*c == '\t') *c = ' ';
  snprintf(description, sizeof description, "%s", version);
  table = (kanto_communicator){
      .struct_size = sizeof(kanto_communicator),
      .rank_count = (uint32_t)rank_count,
      .rank = (uint32_t)rank,
      .local_rank_count = (uint32_t)local_count,
      .local_rank = (uint32_t)local_rank,
      .name = "mpi",
      .description = description,
      .all_reduce = all_reduce,
      .broadcast = broadcast,
      .gather = gather,
      .barrier = barrier,
      .abort = abort_all,
      .close = close_all,
  };
  return &table;
}
