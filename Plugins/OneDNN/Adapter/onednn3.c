#include "adapter.h"

/* The parts of oneDNN's C API that oneDNN 3 changed, in terms of oneDNN 3. */
#if DNNL_VERSION_MAJOR == 3

/* A layout is oneDNN's own object. */
static dnnl_memory_desc_t descriptor(onednn_layout_t layout) { return (dnnl_memory_desc_t)layout; }

dnnl_status_t onednn_layout_strided(onednn_layout_t *layout, int rank, const int64_t *sizes, const int64_t *strides) {
  return dnnl_memory_desc_create_with_strides((dnnl_memory_desc_t *)layout, rank, sizes, dnnl_f32, strides);
}

dnnl_status_t onednn_layout_any(onednn_layout_t *layout, int rank, const int64_t *sizes) {
  return dnnl_memory_desc_create_with_tag((dnnl_memory_desc_t *)layout, rank, sizes, dnnl_f32, dnnl_format_tag_any);
}

dnnl_status_t onednn_layout_query(onednn_layout_t *layout, const_dnnl_primitive_desc_t description, dnnl_query_t what) {
  const_dnnl_memory_desc_t found = dnnl_primitive_desc_query_md(description, what, 0);
  if (!found) return dnnl_invalid_arguments;
  return dnnl_memory_desc_clone((dnnl_memory_desc_t *)layout, found);
}

void onednn_layout_destroy(onednn_layout_t layout) { dnnl_memory_desc_destroy(descriptor(layout)); }

bool onednn_layout_equal(onednn_layout_t a, onednn_layout_t b) {
  return dnnl_memory_desc_equal(descriptor(a), descriptor(b)) != 0;
}

size_t onednn_layout_bytes(onednn_layout_t layout) { return dnnl_memory_desc_get_size(descriptor(layout)); }

dnnl_status_t onednn_memory_create(dnnl_memory_t *memory, onednn_layout_t layout, dnnl_engine_t engine) {
  return dnnl_memory_create(memory, descriptor(layout), engine, DNNL_MEMORY_NONE);
}

dnnl_status_t onednn_append_sum(dnnl_post_ops_t post_ops) {
  return dnnl_post_ops_append_sum(post_ops, 1, 0, dnnl_data_type_undef);
}

dnnl_status_t onednn_append_eltwise(dnnl_post_ops_t post_ops, dnnl_alg_kind_t function, float alpha) {
  return dnnl_post_ops_append_eltwise(post_ops, function, alpha, 0);
}

dnnl_status_t onednn_describe_matmul(dnnl_primitive_desc_t *description, dnnl_engine_t engine, onednn_layout_t a,
                                     onednn_layout_t b, onednn_layout_t bias, onednn_layout_t c,
                                     const_dnnl_primitive_attr_t attributes) {
  return dnnl_matmul_primitive_desc_create(description, engine, descriptor(a), descriptor(b), descriptor(bias),
                                           descriptor(c), attributes);
}

dnnl_status_t onednn_describe_convolution(dnnl_primitive_desc_t *description, dnnl_engine_t engine,
                                          dnnl_prop_kind_t direction, onednn_layout_t source, onednn_layout_t weights,
                                          onednn_layout_t bias, onednn_layout_t destination,
                                          const onednn_window *window, const_dnnl_primitive_attr_t attributes) {
  const int64_t gaps[2] = {window->dilations[0] - 1, window->dilations[1] - 1};
  const bool is_forward = direction == dnnl_forward_training;
  /* A gradient is described against its forward convolution. */
  dnnl_primitive_desc_t forward;
  dnnl_status_t status = dnnl_convolution_forward_primitive_desc_create(
      &forward, engine, dnnl_forward_training, dnnl_convolution_direct, descriptor(source), descriptor(weights),
      descriptor(is_forward ? bias : NULL), descriptor(destination), window->strides, gaps, window->pads_before,
      window->pads_after, is_forward ? attributes : NULL);
  if (status != dnnl_success) return status;
  if (is_forward) {
    *description = forward;
    return dnnl_success;
  }
  status = direction == dnnl_backward_data
               ? dnnl_convolution_backward_data_primitive_desc_create(
                     description, engine, dnnl_convolution_direct, descriptor(source), descriptor(weights),
                     descriptor(destination), window->strides, gaps, window->pads_before, window->pads_after, forward,
                     attributes)
               : dnnl_convolution_backward_weights_primitive_desc_create(
                     description, engine, dnnl_convolution_direct, descriptor(source), descriptor(weights),
                     descriptor(bias), descriptor(destination), window->strides, gaps, window->pads_before,
                     window->pads_after, forward, attributes);
  dnnl_primitive_desc_destroy(forward);
  return status;
}

dnnl_status_t onednn_describe_reorder(dnnl_primitive_desc_t *description, dnnl_engine_t engine, onednn_layout_t source,
                                      onednn_layout_t destination, const_dnnl_primitive_attr_t attributes) {
  return dnnl_reorder_primitive_desc_create(description, descriptor(source), engine, descriptor(destination), engine,
                                            attributes);
}

bool onednn_fails_to_add_to_padding(void) { return false; }

#endif
