/*
 * kanto_backend.h: the contract between the Kanto host and every backend, built in or plugged in.
 *
 * A backend turns a *problem* (plain data: what is to be computed) into a *kernel* (a function with its plan), or
 * declines with a reason in words. The host chooses who is asked, keeps made kernels in a bounded cache, lends scratch
 * memory and worker threads, and calls kernels with pointers.
 *
 * Layouts, everywhere: activations NHWC, convolution weights HWIO ([kh, kw, c / groups, o]), dense weights [in, out],
 * matrices row-major. Sizes and strides count elements, not bytes.
 *
 * Version rules
 *   - Every struct starts with `struct_size`, as its writer knew it. Structs only grow at the end. A reader tests the
 *     size before it reads a field that was added later.
 *   - Zero in a field of a problem is its meaning of version 1.0. A backend that is handed a problem larger than it
 *     knows never sees the difference: the host declines on its behalf if an unknown byte is not zero.
 *   - An enumerator or flag bit that a backend does not know is to be declined, not guessed.
 *   - The major version changes when an old backend would break; the minor one when something is added.
 *
 * Rules of a run
 *   - It is handed the operands that the op states for its problem, at least, and the scalars of its function, in arrays with
 *     their counts.
 *   - Pointers are aligned to their element only (buffers of the host's allocator to 64 bytes, views to less).
 *   - An output aliases an input in elementwise ops only, and then exactly (same address, same strides).
 *   - A size of zero is legal: nothing is done, or the identity of a reduction is written. An empty inner dimension
 *     (k = 0) yields the epilogue of zero.
 *   - Without KANTO_FLAG_ACCUMULATE the old content of an output is never read.
 *   - A kernel is immutable and may run on several threads at once, each run with its own scratch. It allocates nothing.
 *   - The result depends on the inputs, the problem, the instruction set and the thread count, and on nothing else.
 *   - Padding contributes nothing, even against infinite weights. Denormals are honored. The floating-point environment
 *     is left as it was found, on worker threads too.
 *   - An input in prepared form beside the input itself changes no bit of the result (see kanto_kernel.prepare).
 *   - A failure returns a status and a message; nothing is thrown, printed or exited.
 *
 * Since version 1.0, unless a field says otherwise. The functions of ops 5 to 9 and 11 stand in kanto_functions.h, the
 * arithmetic of op 11 in kanto_random.h; a backend of products alone needs neither.
 */
#ifndef KANTO_BACKEND_H
#define KANTO_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "KANTO_BE" in little-endian bytes. */
#define KANTO_ABI_MAGIC UINT64_C(0x45425F4F544E414B)
#define KANTO_ABI_MAJOR 1u
#define KANTO_ABI_MINOR 0u

/* ---- what is computed --------------------------------------------------------------------------------------------- */

/* The types of elements, up to 31, so that a mask holds them. */
enum {
  KANTO_DTYPE_F32 = 1, /* IEEE 754 binary32 */
  KANTO_DTYPE_F64 = 2  /* IEEE 754 binary64 */
};

/*
 * How exact the product of ops 1 to 4 must be. Operands are float32 in memory whatever it is: inputs of another dtype, and
 * other ops, have 0. A precision permits; it is no hint of what is faster.
 */
enum {
  /* Any algorithm whose error is that of a sum in float32, and which is exact where the operands are small integers: direct
     sums, minimal filtering with two outputs a tile. */
  KANTO_PRECISION_FLOAT32 = 0,
  /* Float32 operands and sums, and any algorithm of up to 16 times that error, such as minimal filtering with four outputs
     a tile: within 2e-5 of the largest output. Integers need not stay exact. */
  KANTO_PRECISION_RELAXED = 1,
  /* Both factors of each product are rounded to bfloat16 first, to nearest even; products are exact and sums float32, and
     here alone subnormal numbers are read and written as zeros. So this is a definition, not a tolerance: who computes in
     float32 computes something else. Bias, old content and saved outputs are not rounded. */
  KANTO_PRECISION_BFLOAT16 = 2
};

/*
 * The ops, with their arguments in `kanto_arguments`. x is an activation [n, h, w, c], y one of
 * [n, output height, output width, o], w the weights; d marks a gradient.
 *
 * The epilogue of ops 1 to 3: output = act(product + bias + (accumulate ? output : 0)). With KANTO_FLAG_DERIVATIVE it is
 * act'(saved) (product + (accumulate ? output : 0)) instead, where `saved` is an output of that activation, laid out as
 * this op's own output: the step of an adjoint or tangent pass through a layer (see KANTO_FLAG_DERIVATIVE).
 */
enum {
  /* inputs A, B, bias [n] or saved [m, n]; output C. The product is op(A) op(B), for each of `batch`. */
  KANTO_OP_MATMUL = 1,
  /* inputs x, w, bias [o] or saved (as y); output y. The product is x * w. */
  KANTO_OP_CONV2D_FORWARD = 2,
  /* inputs dy, w, saved (as x); output dx. The product is the adjoint of the forward convolution in x, a transposed
     convolution. Neither bias nor activation, other than as a derivative. */
  KANTO_OP_CONV2D_INPUT_GRADIENT = 3,
  /* inputs x, dy; outputs dw and, with KANTO_FLAG_BIAS, db [o]: the adjoints of the forward convolution in w and in its
     bias, the latter the sum of dy over all positions. No epilogue; KANTO_FLAG_ACCUMULATE adds to both outputs. */
  KANTO_OP_CONV2D_WEIGHT_GRADIENT = 4,
  /* input a, but for a function that has none; output f(a), element by element over `iteration`. With strides,
     KANTO_FUNCTION_COPY changes layouts. */
  KANTO_OP_UNARY = 5,
  /* inputs a, b; output f(a, b), element by element; a stride of 0 broadcasts. */
  KANTO_OP_BINARY = 6,
  /* inputs a, b, c; output f(a, b, c), element by element; a stride of 0 broadcasts. */
  KANTO_OP_TERNARY = 7,
  /* input a, or two for a reduction of both; output the reduction over the axes whose output stride is 0. */
  KANTO_OP_REDUCE = 8,
  /* input gradient; outputs parameter and the optimizer's moments, all contiguous, read and written.
     The count is iteration.extent[0], the rank 1. */
  KANTO_OP_OPTIMIZE = 9,
  /* input a; outputs mean and variance over the axes whose output stride is 0, both laid out by the output strides: the
     statistics of a normalization. The variance is the mean squared deviation from the mean, computed without
     cancellation (in two passes, or by pairwise updates), not as a difference of moments. Both are 0 over no elements. */
  KANTO_OP_STATISTICS = 10,
  /* no input; the output, contiguous, holds random numbers of a distribution. The count is iteration.extent[0], the
     rank 1. The same bits on every backend. */
  KANTO_OP_RANDOM = 11
};

/* `kanto_problem.activation`, the last step of an epilogue. Leaky ReLU's slope is `kanto_problem.parameter`. NaN stays NaN
   in all of them and in their derivatives. A library that cannot (a maximum instruction yields 0 for NaN and 0) is given the
   product without that step, which is one more pass then, or the problem is declined. */
enum {
  KANTO_ACTIVATION_NONE = 0,
  KANTO_ACTIVATION_RELU = 1,
  KANTO_ACTIVATION_LEAKY_RELU = 2,
  KANTO_ACTIVATION_TANH = 3,
  KANTO_ACTIVATION_SIGMOID = 4
};

/* `kanto_problem.flags` */
enum {
  KANTO_FLAG_ACCUMULATE = 1,  /* matmul, the convolutions, sums: add to what the output holds */
  KANTO_FLAG_BIAS = 2,        /* matmul, conv2d_forward: a bias is given; conv2d_weight_gradient: its gradient is wanted */
  KANTO_FLAG_TRANSPOSE_A = 4, /* matmul: A is stored [k, m] */
  KANTO_FLAG_TRANSPOSE_B = 8, /* matmul: B is stored [n, k] */
  /* Ops 1 to 3: input 2 is `saved`, an output y of `activation` (which is not NONE), and the result is multiplied by the
     activation's derivative as a function of that output: RELU y > 0 ? 1 : 0; LEAKY_RELU y > 0 ? 1 : p (a negative p is
     declined); TANH 1 - y²; SIGMOID y (1 - y). A factor of 0 yields 0 even of infinity; where the output y or the result is
     NaN, the product is. Not with KANTO_FLAG_BIAS. */
  KANTO_FLAG_DERIVATIVE = 16
};

/* C [m, n] = op(A) [m, k] op(B) [k, n], `batch` times. Row strides are those of the matrices as they are stored. */
typedef struct kanto_matmul {
  int64_t batch;
  int64_t m, n, k;
  int64_t row_stride_a, row_stride_b, row_stride_c;
  int64_t batch_stride_a, batch_stride_b, batch_stride_c; /* 0 shares an operand; that of C is not 0 if batch > 1 */
} kanto_matmul;

/*
 * The geometry of the *forward* convolution, in all three convolution ops.
 * output height = (height + pad_top + pad_bottom - dilation_y (kernel_height - 1) - 1) / stride_y + 1, floored, and
 * 0 where the dilated kernel is larger than the padded input; the width likewise.
 */
typedef struct kanto_convolution {
  int64_t batch, height, width, channels; /* of the input x */
  int64_t output_channels;
  int64_t kernel_height, kernel_width;
  int64_t stride_y, stride_x;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
  int64_t dilation_y, dilation_x; /* 1 is dense */
  int64_t groups;                 /* divides channels and output_channels */
} kanto_convolution;

#define KANTO_MAXIMUM_RANK 6

/*
 * A loop nest for elementwise ops and reductions: axis 0 is the outermost. Unused axes have extent 0 and strides 0 and
 * stand behind `rank`. Rank 0 is one element. Strides are not negative.
 */
typedef struct kanto_iteration {
  int64_t rank;
  int64_t extent[KANTO_MAXIMUM_RANK];
  int64_t output_stride[KANTO_MAXIMUM_RANK];
  int64_t input_stride[3][KANTO_MAXIMUM_RANK];
} kanto_iteration;

/* A problem is hashed and compared as bytes: unused fields and padding are zero. */
typedef struct kanto_problem {
  uint32_t struct_size;
  uint32_t op;           /* KANTO_OP_… */
  uint32_t dtype;        /* KANTO_DTYPE_… of the inputs; of the outputs too where output_dtype is 0 */
  uint32_t output_dtype; /* KANTO_DTYPE_… of the outputs; a host writes 0 where it is that of the inputs */
  uint32_t function;     /* KANTO_FUNCTION_… of ops 5 to 9 and 11 (kanto_functions.h), otherwise 0 */
  uint32_t precision;    /* KANTO_PRECISION_… of ops 1 to 4, otherwise 0 */
  uint32_t flags;        /* KANTO_FLAG_… */
  uint32_t activation;   /* KANTO_ACTIVATION_… */
  double parameter;      /* slope of a leaky ReLU, as activation or as function */
  kanto_matmul matmul;           /* all zero for other ops */
  kanto_convolution convolution; /* all zero for other ops */
  kanto_iteration iteration;     /* all zero for ops 1 to 4 */
} kanto_problem;

/* The dtype of a problem's outputs. */
static inline uint32_t kanto_output_dtype(const kanto_problem *problem) {
  return problem->output_dtype ? problem->output_dtype : problem->dtype;
}

/* Output height or width of a convolution, from one axis of its geometry. */
static inline int64_t kanto_output_extent(int64_t extent, int64_t pad_before, int64_t pad_after, int64_t kernel,
                                          int64_t stride, int64_t dilation) {
  int64_t room = extent + pad_before + pad_after - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

/* ---- what the host lends ------------------------------------------------------------------------------------------ */

typedef struct kanto_message {
  char *text;      /* where a zero-terminated UTF-8 message goes; owned by the host */
  size_t capacity; /* in bytes, the terminating zero included */
} kanto_message;

/* One piece of parallel work. `index` counts the pieces, `worker` is in 0 ..< thread_count: no two pieces that run at
   the same time see the same one. */
typedef void (*kanto_body)(void *context, int64_t index, int64_t worker);

/* Owned by the host; lent to `make` for the call, and to `run` and `prepare` through their arguments. */
typedef struct kanto_host {
  uint32_t struct_size;
  uint32_t thread_count; /* workers of parallel_for, the caller included; at least 1; to a run at most as many as to make:
                            fewer while the machine is busy */
  /* Runs body for 0 ..< count and returns when all have ended. To be called on the thread that `make` or `run` was called
     on, or from within a body, where it runs inline. It cannot fail; a body reports through its context. */
  void (*parallel_for)(const struct kanto_host *host, int64_t count, kanto_body body, void *context);
  int64_t level1_cache_bytes, level2_cache_bytes, level3_cache_bytes; /* data caches; a guess where unknown */
} kanto_host;

/*
 * What a run is handed. The struct, the arrays, what they point to and the scratch belong to the caller and are lent for the
 * run. The counts are those of the problem or more; kanto_input and the like, below, read with them.
 */
typedef struct kanto_arguments {
  uint32_t struct_size;
  uint32_t input_count, output_count, scalar_count;
  const kanto_host *host;
  const void *const *inputs; /* in the order that the op states; those without elements may be NULL */
  void *const *outputs;
  const double *scalars;     /* s0, s1 … */
  /* An array of input_count, or NULL: of each input its prepared form, or NULL where the kernel is to take the input itself
     (see kanto_kernel.prepare). */
  const void *const *prepared;
  void *scratch;             /* kernel.scratch_bytes, aligned to 64 bytes, content undefined; NULL if that is 0 */
} kanto_arguments;

/* An input, or NULL where there are fewer. */
static inline const void *kanto_input(const kanto_arguments *arguments, uint32_t index) {
  return index < arguments->input_count ? arguments->inputs[index] : NULL;
}

/* An output, or NULL where there are fewer. */
static inline void *kanto_output(const kanto_arguments *arguments, uint32_t index) {
  return index < arguments->output_count ? arguments->outputs[index] : NULL;
}

/* The scalars, or NULL where there are fewer than `count`. */
static inline const double *kanto_scalars(const kanto_arguments *arguments, uint32_t count) {
  return count <= arguments->scalar_count ? arguments->scalars : NULL;
}

/* The prepared form of an input, or NULL. */
static inline const void *kanto_prepared(const kanto_arguments *arguments, uint32_t index) {
  return arguments->prepared && index < arguments->input_count ? arguments->prepared[index] : NULL;
}

/* ---- what a backend gives ----------------------------------------------------------------------------------------- */

typedef int32_t kanto_status;
enum {
  KANTO_STATUS_OK = 0,
  KANTO_STATUS_DECLINED = 1, /* from make: not this problem, for the reason in the message */
  KANTO_STATUS_FAILED = 2    /* something broke; the message says what */
};

/* Allocated by `make`, whose copy of the problem it keeps if it needs one: the host's may be gone. The host owns it until it
   calls `release`, once, on whatever thread, when no run is under way. */
typedef struct kanto_kernel {
  uint32_t struct_size;
  uint32_t prepared_count; /* of prepared_bytes; 0 where no input has a prepared form */
  size_t scratch_bytes;    /* lent to each run and to `prepare`, aligned to 64 bytes */
  /* What it is, for people (`matmul 6x64 avx512`); lives as long as the kernel. */
  const char *description;
  /* KANTO_STATUS_OK, or KANTO_STATUS_FAILED with a message, after which the outputs are undefined. */
  kanto_status (*run)(const struct kanto_kernel *kernel, const kanto_arguments *arguments, kanto_message *message);
  void (*release)(struct kanto_kernel *kernel); /* frees the kernel itself too */
  /*
   * Optional: a form of its own for inputs that stay the same over many runs, weights between two updates say, so that what
   * each run would do to them first is done once.
   *
   * prepared_bytes states for each input how many bytes its form takes, 0 for one that has none, and lives as long as the
   * kernel. `prepare` fills `prepared`, so many bytes aligned to 64, from the input of that index, which is
   * arguments->inputs[index]; of the other operands there are none, host and scratch are lent as to a run. The form is a
   * function of that input alone, serves all runs of this kernel, several at once, while the input stays the same, and is no
   * other kernel's. It is plain bytes: the host frees it without a word.
   *
   * Optional for the host too: whoever wants a form and is handed none prepares in its scratch, at each run.
   */
  const size_t *prepared_bytes;
  kanto_status (*prepare)(const struct kanto_kernel *kernel, uint32_t index, void *prepared,
                          const kanto_arguments *arguments, kanto_message *message);
} kanto_kernel;

/* Bit of a dtype in the offered masks. */
#define KANTO_OFFER(dtype) (UINT32_C(1) << (dtype))

/* Owned by the backend, constant, and there as long as the process. */
typedef struct kanto_backend {
  uint32_t struct_size;
  uint32_t offer_count;    /* of offers; of ops from there on nothing is offered */
  const char *name;        /* as in KANTO_BACKEND: lower-case ASCII letters, digits, '-' */
  const char *description; /* for people: the library's name and version, the instruction set */
  /* By op, the mask of dtypes (KANTO_OFFER) in which the backend sets out to serve it: what it does not offer goes to others
     silently; what it offers and then declines is told to the user. */
  const uint32_t *offers;
  /* Makes a kernel for a problem and stores it, or declines or fails with a message and stores nothing. May be called on
     several threads at once. `problem` and `host` are lent for the call. */
  kanto_status (*make)(const struct kanto_backend *backend, const kanto_problem *problem, const kanto_host *host,
                       kanto_kernel **kernel, kanto_message *message);
  /* A backend whose library has worker threads of its own may offer them to the whole process, so that there is one
     set; otherwise NULL. Same promises as kanto_host.parallel_for; `thread_count` workers, the caller included. */
  void (*parallel_for)(int64_t thread_count, int64_t count, kanto_body body, void *context);
} kanto_backend;

/* ---- what a plugin exports ---------------------------------------------------------------------------------------- */

/* Exported as data under the name `kanto_plugin_version`; the host reads it before it calls any code of the plugin. */
typedef struct kanto_version {
  uint64_t magic; /* KANTO_ABI_MAGIC */
  uint32_t struct_size;
  uint32_t major; /* KANTO_ABI_MAJOR */
  uint32_t minor; /* KANTO_ABI_MINOR */
  uint32_t reserved; /* 0 */
  char name[32];  /* the backend's name, zero-terminated */
} kanto_version;

/* Exported under the name `kanto_plugin_open`. Returns the backend's table, which lives as long as the process, or NULL
   with a message. Called once. */
typedef const kanto_backend *(*kanto_plugin_open_function)(kanto_message *message);

#define KANTO_PLUGIN_VERSION_SYMBOL "kanto_plugin_version"
#define KANTO_PLUGIN_OPEN_SYMBOL "kanto_plugin_open"

#ifdef __cplusplus
}
#endif
#endif
