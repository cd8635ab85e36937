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
 *   - Pointers are aligned to their element only (buffers of the host's allocator to 64 bytes, views to less).
 *   - An output aliases an input in elementwise ops only, and then exactly (same address, same strides).
 *   - A size of zero is legal: nothing is done, or the identity of a reduction is written. An empty inner dimension
 *     (k = 0) yields the epilogue of zero.
 *   - Without KANTO_FLAG_ACCUMULATE the old content of an output is never read.
 *   - A kernel is immutable and may run on several threads at once, each run with its own scratch. It allocates nothing.
 *   - The result depends on the inputs, the problem, the instruction set and the thread count, and on nothing else.
 *   - Padding contributes nothing, even against infinite weights. Denormals are honored. The floating-point environment
 *     is left as it was found, on worker threads too.
 *   - A failure returns a status and a message; nothing is thrown, printed or exited.
 *
 * Since version 1.0, unless a field says otherwise.
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

enum {
  KANTO_DTYPE_F32 = 1, /* IEEE 754 binary32 */
  KANTO_DTYPE_F64 = 2  /* IEEE 754 binary64 */
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
  /* input a; output f(a), element by element over `iteration`. With strides, KANTO_FUNCTION_COPY changes layouts. */
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

/* `kanto_problem.function`. s0, s1 … are `kanto_arguments.scalars`, p is `kanto_problem.parameter`. */
enum {
  /* KANTO_OP_UNARY */
  KANTO_FUNCTION_COPY = 1,
  KANTO_FUNCTION_FILL = 2,      /* s0; the input is not read and may be NULL */
  KANTO_FUNCTION_AFFINE = 3,    /* s0 a + s1 */
  KANTO_FUNCTION_ABSOLUTE = 4,
  KANTO_FUNCTION_SIGN = 5,      /* -1, 0 or 1; NaN stays NaN */
  KANTO_FUNCTION_SQUARE = 6,
  KANTO_FUNCTION_SQRT = 7,
  KANTO_FUNCTION_RECIPROCAL = 8,
  KANTO_FUNCTION_EXP = 9,
  KANTO_FUNCTION_LOG = 10,
  KANTO_FUNCTION_TANH = 11,
  KANTO_FUNCTION_SIGMOID = 12,
  KANTO_FUNCTION_LEAKY_RELU = 13, /* a > 0 ? a : p a, where p = 0 yields 0 (ReLU); NaN stays NaN */
  KANTO_FUNCTION_EXP_MINUS_ONE = 14, /* e^a - 1, accurate near 0 */
  KANTO_FUNCTION_LOG_ONE_PLUS = 15,  /* log(1 + a), accurate near 0 */
  KANTO_FUNCTION_ERF = 16,           /* 2/sqrt(pi) times the integral of e^(-t^2) from 0 to a */
  KANTO_FUNCTION_SOFTPLUS = 17,      /* log(1 + e^a), without overflow */

  /* KANTO_OP_BINARY */
  KANTO_FUNCTION_ADD = 32,
  KANTO_FUNCTION_SUBTRACT = 33,
  KANTO_FUNCTION_MULTIPLY = 34,
  KANTO_FUNCTION_DIVIDE = 35,
  KANTO_FUNCTION_DIVIDE_OR_ZERO = 36,      /* b == 0 ? 0 : a / b */
  KANTO_FUNCTION_MAXIMUM = 37,             /* NaN if either is */
  KANTO_FUNCTION_MINIMUM = 38,             /* NaN if either is */
  KANTO_FUNCTION_ADD_SCALED = 39,          /* s0 a + s1 b */
  KANTO_FUNCTION_GREATER = 40,             /* a > b ? 1 : 0 */
  KANTO_FUNCTION_LEAKY_RELU_GRADIENT = 41, /* b > 0 ? a : p a, where p = 0 yields 0; NaN if either is: a is the gradient, b
                                              the output */

  /* KANTO_OP_TERNARY */
  KANTO_FUNCTION_SELECT = 48,       /* a != 0 ? b : c */
  KANTO_FUNCTION_MULTIPLY_ADD = 49, /* a b + c, rounded once or twice */
  KANTO_FUNCTION_NORMALIZE = 50,    /* (a - b) c: b the mean, c the inverse deviation */

  /* KANTO_OP_REDUCE: the identity, in an empty reduction, is 0, -infinity, +infinity, 0, 0, 0 */
  KANTO_FUNCTION_SUM = 64,
  KANTO_FUNCTION_REDUCE_MAXIMUM = 65, /* NaN if any is */
  KANTO_FUNCTION_REDUCE_MINIMUM = 66, /* NaN if any is */
  KANTO_FUNCTION_SUM_OF_SQUARES = 67,
  KANTO_FUNCTION_MAXIMUM_MAGNITUDE = 68, /* max |a|; NaN if any is */
  KANTO_FUNCTION_SUM_OF_PRODUCTS = 69,   /* of a and b, two inputs */

  /* KANTO_OP_OPTIMIZE, g the gradient. Weight decay is decoupled (Loshchilov and Hutter 2019). */
  /* Kingma and Ba 2015, Algorithm 1; outputs parameter, m, v:
     m = s1 m + (1 - s1) g; v = s2 v + (1 - s2) g²;
     parameter = parameter (1 - s0 s6) - s0 (m / s4) / (sqrt(v / s5) + s3).
     s0 learning rate, s1 β₁, s2 β₂, s3 ε, s4 = 1 - β₁ᵗ, s5 = 1 - β₂ᵗ, s6 weight decay. */
  KANTO_FUNCTION_ADAM = 96,
  /* Momentum (Polyak 1964; Sutskever et al. 2013, without Nesterov's step); outputs parameter, m:
     m = s1 m + g; parameter = parameter (1 - s0 s2) - s0 m.
     s0 learning rate, s1 momentum, s2 weight decay. */
  KANTO_FUNCTION_MOMENTUM = 97,
  /* RMSProp (Tieleman and Hinton 2012); outputs parameter, v:
     v = s1 v + (1 - s1) g²; parameter = parameter (1 - s0 s3) - s0 g / (sqrt(v) + s2).
     s0 learning rate, s1 decay of the mean square, s2 ε, s3 weight decay. */
  KANTO_FUNCTION_RMSPROP = 98,

  /* KANTO_OP_RANDOM. Words are those of Philox4x32-10 (Salmon et al. 2011): element i takes its word from the block
     number `first block + i / 4` (integer division, 64 bits, wrapping), word i % 4. The counter's four words are the block's
     low and high 32 bits, the stream's low and high 32 bits; the key's two words its low and high 32 bits.
     s2, s3: low and high 32 bits of the key; s4, s5: of the stream; s6, s7: of the first block; whole numbers. */
  /* s0 + s1 u, u = (word >> 8) 2^-24 in [0, 1): a product and a sum in binary64, each rounded, then rounded to the dtype. */
  KANTO_FUNCTION_UNIFORM = 112,
  /* s0 + s1 z likewise, z of the standard normal distribution by Box and Muller (1958): elements 2j and 2j + 1 are r cos t
     and r sin t, with r = sqrt(-2 log((w + 0.5) 2^-32)), t = 2 pi v 2^-32, w the word of element 2j and v that of element
     2j + 1 (drawn even where the count ends at 2j). To be the same everywhere, log, sin and cos are not those of a math
     library but the binary64 arithmetic of kanto_normal_pair in kanto_random.h. */
  KANTO_FUNCTION_NORMAL = 113
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
  uint32_t op;         /* KANTO_OP_… */
  uint32_t dtype;      /* KANTO_DTYPE_… of all operands */
  uint32_t function;   /* KANTO_FUNCTION_… of ops 5 to 9 and 11, otherwise 0 */
  uint32_t flags;      /* KANTO_FLAG_… */
  uint32_t activation; /* KANTO_ACTIVATION_… */
  double parameter;    /* slope of a leaky ReLU, as activation or as function */
  kanto_matmul matmul;           /* all zero for other ops */
  kanto_convolution convolution; /* all zero for other ops */
  kanto_iteration iteration;     /* all zero for ops 1 to 4 */
} kanto_problem;

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

/* Owned by the host; lent to `make` for the call, and to `run` through its arguments. */
typedef struct kanto_host {
  uint32_t struct_size;
  uint32_t thread_count; /* workers of parallel_for, the caller included; at least 1; to a run at most as many as to make:
                            fewer while the machine is busy */
  /* Runs body for 0 ..< count and returns when all have ended. To be called on the thread that `make` or `run` was called
     on, or from within a body, where it runs inline. It cannot fail; a body reports through its context. */
  void (*parallel_for)(const struct kanto_host *host, int64_t count, kanto_body body, void *context);
  int64_t level1_cache_bytes, level2_cache_bytes, level3_cache_bytes; /* data caches; a guess where unknown */
} kanto_host;

/* What a run is handed. The struct, the operands and the scratch belong to the caller and are lent for the run. */
typedef struct kanto_arguments {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  const kanto_host *host;
  const void *inputs[4];  /* in the order that the op states; unused ones, and those without elements, may be NULL */
  void *outputs[4];
  const double *scalars;  /* s0, s1 …, or NULL */
  void *scratch;          /* kernel.scratch_bytes, aligned to 64 bytes, content undefined; NULL if that is 0 */
} kanto_arguments;

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
  uint32_t reserved; /* 0 */
  size_t scratch_bytes; /* lent to each run, aligned to 64 bytes */
  /* What it is, for people (`matmul 6x64 avx512`); lives as long as the kernel. */
  const char *description;
  /* KANTO_STATUS_OK, or KANTO_STATUS_FAILED with a message, after which the outputs are undefined. */
  kanto_status (*run)(const struct kanto_kernel *kernel, const kanto_arguments *arguments, kanto_message *message);
  void (*release)(struct kanto_kernel *kernel); /* frees the kernel itself too */
} kanto_kernel;

/* Bit of an op in the offered masks. */
#define KANTO_OFFER(op) (UINT64_C(1) << (op))

/* Owned by the backend, constant, and there as long as the process. */
typedef struct kanto_backend {
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  const char *name;        /* as in KANTO_BACKEND: lower-case ASCII letters, digits, '-' */
  const char *description; /* for people: the library's name and version, the instruction set */
  /* The ops that the backend sets out to serve (KANTO_OFFER): what it does not offer goes to others silently; what it
     offers and then declines is told to the user. */
  uint64_t offers_f32, offers_f64;
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
