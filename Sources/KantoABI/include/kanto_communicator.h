/*
 * kanto_communicator.h: the contract between Kanto and what carries numbers between the processes of one training, its
 * *ranks*. Kanto ships one communicator, Plugins/MPI.
 *
 * A launcher (mpirun, say) starts the same program several times, on one machine or many. Each process opens the
 * communicator, which knows how many ranks there are and which one it is. From then on all ranks call the same functions
 * in the same order with the same counts, dtypes and roots; a call ends when this rank's part of it is done.
 *
 * Version rules, as in kanto_backend.h
 *   - Every struct starts with `struct_size`, as its writer knew it. Structs only grow at the end. A reader tests the size
 *     before it reads a field that was added later.
 *   - A dtype that a communicator does not know is an error, not guessed.
 *   - The major version changes when an old communicator would break; the minor one when something is added.
 *
 * Rules of a call
 *   - One call at a time, from whatever thread: the host sees to it.
 *   - Pointers are aligned to their element only. A count of 0 is legal, the pointer may then be NULL.
 *   - Sums are taken in the order of the ranks, ((x0 + x1) + x2) + …, each addition rounded to the dtype, whatever arrives
 *     first: the same bits on every rank, in every run, and with every communicator.
 *   - While it waits for others a call asks the host now and then whether to give up (see kanto_communicator_options). If
 *     so it fails and its message names the ranks that it still waits for.
 *   - A failure returns KANTO_STATUS_FAILED and a message; nothing is thrown, printed or exited. What was to be written is
 *     then undefined, and so is every later call but `abort`. KANTO_STATUS_DECLINED is the same where the call has learned that
 *     another rank has called `abort`: that one has told why.
 *   - The floating-point environment is left as it was found.
 *
 * Since version 1.0, unless a field says otherwise.
 */
#ifndef KANTO_COMMUNICATOR_H
#define KANTO_COMMUNICATOR_H

#include "kanto_backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "KANTO_CM" in little-endian bytes. */
#define KANTO_COMMUNICATOR_MAGIC UINT64_C(0x4D435F4F544E414B)
#define KANTO_COMMUNICATOR_MAJOR 1u
#define KANTO_COMMUNICATOR_MINOR 0u

/* What the host lends; as long as the process. */
typedef struct kanto_communicator_options {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  /* Whether a call that has waited so many seconds for other ranks is to give up: not 0 if so. Asked on the calling thread
     at least every 0.1 seconds; NULL: never. */
  int32_t (*gives_up)(void *context, double seconds);
  void *context;
} kanto_communicator_options;

/* Owned by the communicator, constant, and there as long as the process. */
typedef struct kanto_communicator {
  uint32_t struct_size;
  uint32_t rank_count;       /* at least 1 */
  uint32_t rank;             /* of this process, from 0 */
  uint32_t local_rank_count; /* ranks on this machine, this one included */
  uint32_t local_rank;       /* of this process among them, from 0 */
  uint32_t reserved;         /* 0 */
  const char *name;          /* as in KANTO_COMMUNICATOR: lower-case ASCII letters, digits, '-' */
  const char *description;   /* for people: the library's name and version */

  /* Replaces each of `count` values by its sum over all ranks. KANTO_DTYPE_F32 or KANTO_DTYPE_F64. */
  kanto_status (*all_reduce)(const struct kanto_communicator *communicator, void *values, int64_t count, uint32_t dtype,
                             kanto_message *message);
  /* Replaces the bytes of every rank by those of the root. */
  kanto_status (*broadcast)(const struct kanto_communicator *communicator, void *bytes, int64_t byte_count, uint32_t root,
                            kanto_message *message);
  /* Hands the root the bytes of all ranks, as many of each, in the order of the ranks: rank_count * byte_count in
     `gathered`, which may be NULL on the others. */
  kanto_status (*gather)(const struct kanto_communicator *communicator, const void *bytes, int64_t byte_count,
                         void *gathered, uint32_t root, kanto_message *message);
  /* Returns when all ranks have called it. */
  kanto_status (*barrier)(const struct kanto_communicator *communicator, kanto_message *message);
  /* Ends all ranks, this one too, with an exit code where the launcher knows such; does not return. May be called while
     others wait, and after a failure. */
  void (*abort)(const struct kanto_communicator *communicator, int32_t exit_code);
  /* The last call of a rank that has done its work; waits until all ranks have called it. A process that ends without it,
     or without `abort`, ends the others too where the launcher sees to that. */
  kanto_status (*close)(const struct kanto_communicator *communicator, kanto_message *message);
} kanto_communicator;

/* ---- what a plugin exports ---------------------------------------------------------------------------------------- */

/* Exported as data under KANTO_COMMUNICATOR_VERSION_SYMBOL is a `kanto_version` with this header's magic and version; the
   host reads it from the file before it calls any code of the plugin.

   Exported under KANTO_COMMUNICATOR_OPEN_SYMBOL: connects this process with the others and returns the table, or NULL with
   a message. Called once, by all ranks; `options` is lent for the life of the process. */
typedef const kanto_communicator *(*kanto_communicator_open_function)(const kanto_communicator_options *options,
                                                                      kanto_message *message);

#define KANTO_COMMUNICATOR_VERSION_SYMBOL "kanto_communicator_version"
#define KANTO_COMMUNICATOR_OPEN_SYMBOL "kanto_communicator_open"

#ifdef __cplusplus
}
#endif
#endif
