/*
 * Counts what chosen threads allocate.
 *
 * The functions that allocate are defined here once more. The executable of the tests is linked with them, and so they
 * stand in for glibc's in the whole process, in plugins and their libraries too. Each counts if its thread is counted, and
 * hands on to glibc. A sanitizer has such functions of its own: then nothing is counted.
 */
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct allocation_counter allocation_counter;

/* Whether this build counts at all. */
bool allocation_counter_works(void);

allocation_counter *allocation_counter_make(void);
void allocation_counter_free(allocation_counter *counter);

/* Counts what the calling thread allocates from now on there; NULL: nowhere. */
void allocation_counter_set(allocation_counter *counter);

int64_t allocation_counter_count(const allocation_counter *counter);

enum { ALLOCATION_COUNTER_RECORDS = 64, ALLOCATION_COUNTER_FRAMES = 32 };

/* The call stack of one of the first ALLOCATION_COUNTER_RECORDS allocations, innermost first. Returns the number of its
   frames, at most ALLOCATION_COUNTER_FRAMES. */
int32_t allocation_counter_stack(const allocation_counter *counter, int64_t index, const void **frames);

/* The file that holds a frame's code, the frame's offset in it (for addr2line), and the function, as far as the file exports
   its name; NULL what is unknown. */
void allocation_counter_name(const void *frame, const char **file, int64_t *offset, const char **function);

#endif
