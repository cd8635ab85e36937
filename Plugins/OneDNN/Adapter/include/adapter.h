/*
 * What the plugin needs from C: the exported version constant, whatever differs between the major versions of oneDNN
 * (everything named onednn_…), and libgomp's worker threads. The rest of oneDNN's C API is called from Swift as it is.
 */
#ifndef KANTO_ONEDNN_ADAPTER_H
#define KANTO_ONEDNN_ADAPTER_H

#include <kanto_backend.h>
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>
#include <stdbool.h>

/* Exactly one of onednn2.c and onednn3.c is compiled to something. */
#if DNNL_VERSION_MAJOR != 2 && DNNL_VERSION_MAJOR != 3
#error "the plugin is written for oneDNN 2 and 3; give the prefix of one of them in KANTO_ONEDNN"
#endif

/* ---- layouts ------------------------------------------------------------------------------------------------------ */

/* A memory descriptor of f32 elements, owned by its holder. oneDNN 2 has it as a large struct, oneDNN 3 as an object. */
typedef struct onednn_layout *onednn_layout_t;

dnnl_status_t onednn_layout_strided(onednn_layout_t *layout, int rank, const int64_t *sizes, const int64_t *strides);
/* The order of the elements in memory is left to the primitive that is described with this layout. */
dnnl_status_t onednn_layout_any(onednn_layout_t *layout, int rank, const int64_t *sizes);
/* The layout that a described primitive settled on for the operand `what` (dnnl_query_weights_md …). */
dnnl_status_t onednn_layout_query(onednn_layout_t *layout, const_dnnl_primitive_desc_t description, dnnl_query_t what);
void onednn_layout_destroy(onednn_layout_t layout);
bool onednn_layout_equal(onednn_layout_t a, onednn_layout_t b);
size_t onednn_layout_bytes(onednn_layout_t layout);

/* A memory object without a buffer. */
dnnl_status_t onednn_memory_create(dnnl_memory_t *memory, onednn_layout_t layout, dnnl_engine_t engine);

/* ---- primitives --------------------------------------------------------------------------------------------------- */

/* Appends output = output + result. */
dnnl_status_t onednn_append_sum(dnnl_post_ops_t post_ops);
dnnl_status_t onednn_append_eltwise(dnnl_post_ops_t post_ops, dnnl_alg_kind_t function, float alpha);

/* Each makes a primitive descriptor; the `bias` of a matmul may be NULL. */
dnnl_status_t onednn_describe_matmul(dnnl_primitive_desc_t *description, dnnl_engine_t engine, onednn_layout_t a,
                                     onednn_layout_t b, onednn_layout_t bias, onednn_layout_t c,
                                     const_dnnl_primitive_attr_t attributes);

typedef struct onednn_window {
  int64_t strides[2], dilations[2]; /* y, x; a dilation of 1 is dense */
  int64_t pads_before[2], pads_after[2];
} onednn_window;

/* `direction` is dnnl_forward_training, dnnl_backward_data or dnnl_backward_weights. `bias` may be NULL; of the weight
   gradient it is the bias gradient, and the input gradient has none. */
dnnl_status_t onednn_describe_convolution(dnnl_primitive_desc_t *description, dnnl_engine_t engine,
                                          dnnl_prop_kind_t direction, onednn_layout_t source, onednn_layout_t weights,
                                          onednn_layout_t bias, onednn_layout_t destination,
                                          const onednn_window *window, const_dnnl_primitive_attr_t attributes);

dnnl_status_t onednn_describe_reorder(dnnl_primitive_desc_t *description, dnnl_engine_t engine, onednn_layout_t source,
                                      onednn_layout_t destination, const_dnnl_primitive_attr_t attributes);

/* Whether a convolution that adds to its output goes wrong where a window lies wholly in the padding. */
bool onednn_fails_to_add_to_padding(void);

/* ---- libgomp ------------------------------------------------------------------------------------------------------ */

/* kanto_backend.parallel_for on the threads that oneDNN computes with. */
void gomp_parallel_for(int64_t thread_count, int64_t count, kanto_body body, void *context);

/* Whether the calling thread is one of a team: oneDNN then runs on it alone. */
bool gomp_in_parallel(void);
/* The most threads that a team may have: OMP_THREAD_LIMIT, and 1 where OMP_MAX_ACTIVE_LEVELS allows no team. */
int32_t gomp_thread_limit(void);

/* The calling thread's settings that oneDNN goes by. */
typedef struct gomp_settings {
  int32_t thread_count, dynamic;
} gomp_settings;

/* Sets the number of threads of the next parallel regions, exactly; returns what was set before, to be restored. */
gomp_settings gomp_enter(int32_t thread_count);
void gomp_leave(gomp_settings before);

#endif
