#include "adapter.h"

#include <stdlib.h>

/* The parts of oneDNN's C API that oneDNN 3 changed, in terms of oneDNN 2. */
#if DNNL_VERSION_MAJOR == 2

struct onednn_layout {
  dnnl_memory_desc_t descriptor;
};

static const dnnl_memory_desc_t *descriptor(onednn_layout_t layout) { return layout ? &layout->descriptor : NULL; }

static dnnl_status_t allocate(onednn_layout_t *layout) {
  *layout = malloc(sizeof(**layout));
  return *layout ? dnnl_success : dnnl_out_of_memory;
}

static dnnl_status_t keep_if(dnnl_status_t status, onednn_layout_t *layout) {
  if (status != dnnl_success) {
    free(*layout);
    *layout = NULL;
  }
  return status;
}

dnnl_status_t onednn_layout_strided(onednn_layout_t *layout, int rank, const int64_t *sizes, const int64_t *strides) {
  if (allocate(layout) != dnnl_success) return dnnl_out_of_memory;
  return keep_if(dnnl_memory_desc_init_by_strides(&(*layout)->descriptor, rank, sizes, dnnl_f32, strides), layout);
}

dnnl_status_t onednn_layout_any(onednn_layout_t *layout, int rank, const int64_t *sizes) {
  if (allocate(layout) != dnnl_success) return dnnl_out_of_memory;
  return keep_if(
      dnnl_memory_desc_init_by_tag(&(*layout)->descriptor, rank, sizes, dnnl_f32, dnnl_format_tag_any), layout);
}

dnnl_status_t onednn_layout_query(onednn_layout_t *layout, const_dnnl_primitive_desc_t description, dnnl_query_t what) {
  const dnnl_memory_desc_t *found = dnnl_primitive_desc_query_md(description, what, 0);
  if (!found) return dnnl_invalid_arguments;
  if (allocate(layout) != dnnl_success) return dnnl_out_of_memory;
  (*layout)->descriptor = *found;
  return dnnl_success;
}

void onednn_layout_destroy(onednn_layout_t layout) { free(layout); }

bool onednn_layout_equal(onednn_layout_t a, onednn_layout_t b) {
  return dnnl_memory_desc_equal(descriptor(a), descriptor(b)) != 0;
}

size_t onednn_layout_bytes(onednn_layout_t layout) { return dnnl_memory_desc_get_size(descriptor(layout)); }

dnnl_status_t onednn_memory_create(dnnl_memory_t *memory, onednn_layout_t layout, dnnl_engine_t engine) {
  return dnnl_memory_create(memory, descriptor(layout), engine, DNNL_MEMORY_NONE);
}

dnnl_status_t onednn_append_sum(dnnl_post_ops_t post_ops) { return dnnl_post_ops_append_sum(post_ops, 1); }

dnnl_status_t onednn_append_eltwise(dnnl_post_ops_t post_ops, dnnl_alg_kind_t function, float alpha) {
  return dnnl_post_ops_append_eltwise(post_ops, 1, function, alpha, 0);
}

dnnl_status_t onednn_describe_matmul(dnnl_primitive_desc_t *description, dnnl_engine_t engine, onednn_layout_t a,
                                     onednn_layout_t b, onednn_layout_t bias, onednn_layout_t c,
                                     const_dnnl_primitive_attr_t attributes) {
  dnnl_matmul_desc_t operation;
  dnnl_status_t status = dnnl_matmul_desc_init(&operation, descriptor(a), descriptor(b), descriptor(bias), descriptor(c));
  if (status != dnnl_success) return status;
  return dnnl_primitive_desc_create(description, &operation, attributes, engine, NULL);
}

dnnl_status_t onednn_describe_convolution(dnnl_primitive_desc_t *description, dnnl_engine_t engine,
                                          dnnl_prop_kind_t direction, onednn_layout_t source, onednn_layout_t weights,
                                          onednn_layout_t bias, onednn_layout_t destination,
                                          const onednn_window *window, const_dnnl_primitive_attr_t attributes) {
  const int64_t gaps[2] = {window->dilations[0] - 1, window->dilations[1] - 1};
  dnnl_convolution_desc_t operation;
  dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(
      &operation, dnnl_forward_training, dnnl_convolution_direct, descriptor(source), descriptor(weights),
      descriptor(bias), descriptor(destination), window->strides, gaps, window->pads_before, window->pads_after);
  if (status != dnnl_success) return status;
  if (direction == dnnl_forward_training)
    return dnnl_primitive_desc_create(description, &operation, attributes, engine, NULL);

  /* A gradient is described against its forward convolution. */
  dnnl_primitive_desc_t forward;
  status = dnnl_primitive_desc_create(&forward, &operation, NULL, engine, NULL);
  if (status != dnnl_success) return status;
  status = direction == dnnl_backward_data
               ? dnnl_dilated_convolution_backward_data_desc_init(
                     &operation, dnnl_convolution_direct, descriptor(source), descriptor(weights),
                     descriptor(destination), window->strides, gaps, window->pads_before, window->pads_after)
               : dnnl_dilated_convolution_backward_weights_desc_init(
                     &operation, dnnl_convolution_direct, descriptor(source), descriptor(weights), descriptor(bias),
                     descriptor(destination), window->strides, gaps, window->pads_before, window->pads_after);
  if (status == dnnl_success) status = dnnl_primitive_desc_create(description, &operation, attributes, engine, forward);
  dnnl_primitive_desc_destroy(forward);
  return status;
}

dnnl_status_t onednn_describe_reorder(dnnl_primitive_desc_t *description, dnnl_engine_t engine, onednn_layout_t source,
                                      onednn_layout_t destination, const_dnnl_primitive_attr_t attributes) {
  return dnnl_reorder_primitive_desc_create(description, descriptor(source), engine, descriptor(destination), engine,
                                            attributes);
}

/* 2.6.3 loses the old content in some and, if it activates too, crashes in others (both with AVX-512). */
bool onednn_fails_to_add_to_padding(void) { return true; }

#endif
