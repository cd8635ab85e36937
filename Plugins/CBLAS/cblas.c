/*
 * libKantoCBLAS.so: matmul by any CBLAS. The smallest useful plugin and the one to copy; Plugins/README.md walks through
 * it from top to bottom.
 */
#include <cblas.h>
#include <kanto_backend.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tgmath.h>

/* OpenBLAS has threads of its own. Weak: another CBLAS does not define these, and their addresses are then NULL. */
extern void openblas_set_num_threads(int thread_count) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));

/* ---- messages ----------------------------------------------------------------------------------------------------- */

/* Writes the reason, for people, and returns the status. */
__attribute__((format(printf, 3, 4)))
static kanto_status explain(kanto_status status, kanto_message *message, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(message->text, message->capacity, format, values);
  va_end(values);
  return status;
}

/* ---- the kernel --------------------------------------------------------------------------------------------------- */

/* Written by make, only read afterwards: it may run on several threads at once. */
typedef struct cblas_kernel {
  kanto_kernel header; /* first, so that the host's pointer to it is a pointer to the whole */
  kanto_problem problem;
  bool multiplies; /* false if op(A) op(B) is zero, because k is 0 */
  CBLAS_TRANSPOSE transpose_a, transpose_b;
  int leading_a, leading_b, leading_c;
  /* The rows of each matrix C are cut into pieces for the host's workers. */
  int64_t piece_count, pieces_per_matrix, rows_per_piece;
  char description[64];
} cblas_kernel;

/* One row of C, all but its last step done, times act'(saved): the derivative as a function of the activation's output. A
   factor of 0 yields 0, of infinity too; a NaN of either stays. */
#define DEFINE_DERIVATIVE(type)                                                                                        \
  static void multiply_by_derivative_##type(const kanto_problem *problem, const type *saved, type *row) {              \
    for (int64_t j = 0; j < problem->matmul.n; j++) {                                                                  \
      type y = saved[j], factor = 0;                                                                                   \
      switch (problem->activation) {                                                                                   \
        case KANTO_ACTIVATION_RELU: factor = y > 0; break;                                                             \
        case KANTO_ACTIVATION_LEAKY_RELU: factor = y > 0 ? 1 : (type)problem->parameter; break;                        \
        case KANTO_ACTIVATION_TANH: factor = (1 - y) * (1 + y); break;                                                 \
        case KANTO_ACTIVATION_SIGMOID: factor = y * (1 - y); break;                                                    \
      }                                                                                                                \
      row[j] = isnan(y) || isnan(row[j]) ? y + row[j] : factor == 0 ? 0 : factor * row[j];                             \
    }                                                                                                                  \
  }

DEFINE_DERIVATIVE(float)
DEFINE_DERIVATIVE(double)

/* Some rows of one of the batch: C = act(op(A) op(B) + bias + (accumulate ? C : 0)), where bias may be NULL, or, with
   saved, C = act'(saved) (op(A) op(B) + (accumulate ? C : 0)). With beta 0 a BLAS does not read C, be it NaN. A ReLU is
   written so that NaN, which is not <= 0, stays. */
#define DEFINE_MULTIPLY(type, gemm)                                                                                    \
  static void multiply_##type(const cblas_kernel *kernel, const type *a, const type *b, const type *bias,              \
                              const type *saved, type *c, int64_t row_count) {                                         \
    const kanto_problem *problem = &kernel->problem;                                                                   \
    const kanto_matmul *size = &problem->matmul;                                                                       \
    const bool accumulates = problem->flags & KANTO_FLAG_ACCUMULATE;                                                   \
    const type slope = (type)problem->parameter;                                                                       \
    if (kernel->multiplies)                                                                                            \
      gemm(CblasRowMajor, kernel->transpose_a, kernel->transpose_b, (int)row_count, (int)size->n, (int)size->k, 1, a,  \
           kernel->leading_a, b, kernel->leading_b, accumulates ? 1 : 0, c, kernel->leading_c);                        \
    if (kernel->multiplies && !bias && problem->activation == KANTO_ACTIVATION_NONE) return;                           \
    for (int64_t i = 0; i < row_count; i++) {                                                                          \
      type *row = c + i * size->row_stride_c;                                                                          \
      if (!kernel->multiplies && !accumulates)                                                                         \
        for (int64_t j = 0; j < size->n; j++) row[j] = 0;                                                              \
      if (saved) {                                                                                                     \
        multiply_by_derivative_##type(problem, saved + i * size->row_stride_c, row);                                   \
        continue;                                                                                                      \
      }                                                                                                                \
      if (bias)                                                                                                        \
        for (int64_t j = 0; j < size->n; j++) row[j] += bias[j];                                                       \
      switch (problem->activation) {                                                                                   \
        case KANTO_ACTIVATION_RELU:                                                                                    \
          for (int64_t j = 0; j < size->n; j++) row[j] = row[j] <= 0 ? 0 : row[j];                                     \
          break;                                                                                                       \
        case KANTO_ACTIVATION_LEAKY_RELU:                                                                              \
          for (int64_t j = 0; j < size->n; j++) row[j] = row[j] > 0 ? row[j] : slope * row[j];                         \
          break;                                                                                                       \
        case KANTO_ACTIVATION_TANH:                                                                                    \
          for (int64_t j = 0; j < size->n; j++) row[j] = tanh(row[j]);                                                 \
          break;                                                                                                       \
        case KANTO_ACTIVATION_SIGMOID:                                                                                 \
          for (int64_t j = 0; j < size->n; j++) row[j] = 1 / (1 + exp(-row[j]));                                       \
          break;                                                                                                       \
      }                                                                                                                \
    }                                                                                                                  \
  }

DEFINE_MULTIPLY(float, cblas_sgemm)
DEFINE_MULTIPLY(double, cblas_dgemm)

typedef struct cblas_run {
  const cblas_kernel *kernel;
  const kanto_arguments *arguments;
} cblas_run;

/* A kanto_body. No two pieces write the same element. */
static void run_piece(void *context, int64_t index, int64_t worker) {
  (void)worker;
  const cblas_run *run = context;
  const cblas_kernel *kernel = run->kernel;
  const kanto_problem *problem = &kernel->problem;
  const kanto_matmul *size = &problem->matmul;

  int64_t matrix = index / kernel->pieces_per_matrix;
  int64_t first_row = index % kernel->pieces_per_matrix * kernel->rows_per_piece;
  int64_t rows_left = size->m - first_row;
  int64_t row_count = rows_left < kernel->rows_per_piece ? rows_left : kernel->rows_per_piece;
  int64_t row_step_a = problem->flags & KANTO_FLAG_TRANSPOSE_A ? 1 : size->row_stride_a;
  int64_t a = matrix * size->batch_stride_a + first_row * row_step_a;
  int64_t b = matrix * size->batch_stride_b;
  int64_t c = matrix * size->batch_stride_c + first_row * size->row_stride_c;

  const void *const *inputs = run->arguments->inputs; /* as many as the problem has */
  const void *bias = problem->flags & KANTO_FLAG_BIAS ? inputs[2] : NULL;
  const void *saved = problem->flags & KANTO_FLAG_DERIVATIVE ? inputs[2] : NULL; /* laid out as C */
  void *output = run->arguments->outputs[0];
  if (problem->dtype == KANTO_DTYPE_F32)
    multiply_float(kernel, (const float *)inputs[0] + a, (const float *)inputs[1] + b, bias,
                   saved ? (const float *)saved + c : NULL, (float *)output + c, row_count);
  else
    multiply_double(kernel, (const double *)inputs[0] + a, (const double *)inputs[1] + b, bias,
                    saved ? (const double *)saved + c : NULL, (double *)output + c, row_count);
}

static kanto_status run(const kanto_kernel *header, const kanto_arguments *arguments, kanto_message *message) {
  (void)message; /* nothing can fail: BLAS returns no status, and what it would refuse was declined */
  cblas_run run = {(const cblas_kernel *)header, arguments};
  if (run.kernel->piece_count > 0)
    arguments->host->parallel_for(arguments->host, run.kernel->piece_count, run_piece, &run);
  return KANTO_STATUS_OK;
}

static void release(kanto_kernel *header) { free(header); }

/* ---- making a kernel ---------------------------------------------------------------------------------------------- */

/* The leading dimension of a matrix as it is stored: its row stride, or anything legal if it has no second row. */
static bool set_leading_dimension(int64_t rows, int64_t columns, int64_t row_stride, int *leading) {
  if (rows <= 1) row_stride = columns;
  if (row_stride < columns || row_stride > INT_MAX) return false;
  *leading = (int)row_stride;
  return true;
}

/* Pieces of equal size, no more than workers. Below 64 x 64 x 64 products a piece (5 µs or so), waking a worker costs
   more than it saves. */
static void cut_into_pieces(cblas_kernel *kernel, int64_t thread_count) {
  const kanto_matmul *size = &kernel->problem.matmul;
  if (size->batch == 0 || size->m == 0 || size->n == 0) return;
  double product_count = (double)size->batch * (double)size->m * (double)size->n * (double)size->k;
  double worthwhile = product_count / (64 * 64 * 64);
  int64_t wanted = worthwhile < thread_count ? (int64_t)worthwhile : thread_count;
  int64_t per_matrix = (wanted + size->batch - 1) / size->batch;
  if (per_matrix < 1) per_matrix = 1;
  kernel->rows_per_piece = (size->m + per_matrix - 1) / per_matrix;
  kernel->pieces_per_matrix = (size->m + kernel->rows_per_piece - 1) / kernel->rows_per_piece;
  kernel->piece_count = size->batch * kernel->pieces_per_matrix;
}

static kanto_status make(const kanto_backend *backend, const kanto_problem *problem, const kanto_host *host,
                         kanto_kernel **result, kanto_message *message) {
  (void)backend;
  const kanto_matmul *size = &problem->matmul;

  /* What it does not know it declines: a later host may know more than this plugin. */
  if (problem->op != KANTO_OP_MATMUL)
    return explain(KANTO_STATUS_DECLINED, message, "the CBLAS plugin serves matmul only, not op %u", problem->op);
  if (problem->dtype != KANTO_DTYPE_F32 && problem->dtype != KANTO_DTYPE_F64)
    return explain(KANTO_STATUS_DECLINED, message, "the CBLAS plugin does not know dtype %u", problem->dtype);
  if (kanto_output_dtype(problem) != problem->dtype)
    return explain(KANTO_STATUS_DECLINED, message, "the CBLAS plugin has outputs of the inputs' dtype, %u, not of %u",
                   problem->dtype, problem->output_dtype);
  if (problem->precision != KANTO_PRECISION_FLOAT32)
    return explain(KANTO_STATUS_DECLINED, message, "the CBLAS plugin has products of precision float32, not of %u",
                   problem->precision);
  const uint32_t known_flags = KANTO_FLAG_ACCUMULATE | KANTO_FLAG_BIAS | KANTO_FLAG_TRANSPOSE_A |
                               KANTO_FLAG_TRANSPOSE_B | KANTO_FLAG_DERIVATIVE;
  if (problem->flags & ~known_flags)
    return explain(KANTO_STATUS_DECLINED, message, "the CBLAS plugin does not know the flags 0x%x",
                   problem->flags & ~known_flags);
  if (problem->activation > KANTO_ACTIVATION_SIGMOID)
    return explain(KANTO_STATUS_DECLINED, message, "the CBLAS plugin does not know activation %u", problem->activation);
  if (problem->flags & KANTO_FLAG_DERIVATIVE) {
    if (problem->flags & KANTO_FLAG_BIAS || problem->activation == KANTO_ACTIVATION_NONE)
      return explain(KANTO_STATUS_DECLINED, message, "a derivative is that of an activation, and without a bias");
    /* The sign of such an output is not that of its input. */
    if (problem->activation == KANTO_ACTIVATION_LEAKY_RELU && problem->parameter < 0)
      return explain(KANTO_STATUS_DECLINED, message,
                     "the derivative of a leaky ReLU of negative slope %g cannot be told from its output",
                     problem->parameter);
  }
  if (size->m > INT_MAX || size->n > INT_MAX || size->k > INT_MAX)
    return explain(KANTO_STATUS_DECLINED, message, "CBLAS counts in int, up to %d: too small for m %lld, n %lld, k %lld",
                   INT_MAX, (long long)size->m, (long long)size->n, (long long)size->k);

  cblas_kernel *kernel = calloc(1, sizeof *kernel);
  if (!kernel) return explain(KANTO_STATUS_FAILED, message, "no memory for a kernel of %zu bytes", sizeof *kernel);
  kernel->problem = *problem;
  /* 0 times -infinity would be NaN; a ReLU yields 0. */
  if (problem->activation == KANTO_ACTIVATION_LEAKY_RELU && problem->parameter == 0)
    kernel->problem.activation = KANTO_ACTIVATION_RELU;

  const bool transposes_a = problem->flags & KANTO_FLAG_TRANSPOSE_A;
  const bool transposes_b = problem->flags & KANTO_FLAG_TRANSPOSE_B;
  kernel->transpose_a = transposes_a ? CblasTrans : CblasNoTrans;
  kernel->transpose_b = transposes_b ? CblasTrans : CblasNoTrans;
  kernel->multiplies = size->m > 0 && size->n > 0 && size->k > 0;
  /* A BLAS that refuses an argument prints and may exit, which a plugin must not. */
  if (kernel->multiplies &&
      !(set_leading_dimension(transposes_a ? size->k : size->m, transposes_a ? size->m : size->k, size->row_stride_a,
                              &kernel->leading_a) &&
        set_leading_dimension(transposes_b ? size->n : size->k, transposes_b ? size->k : size->n, size->row_stride_b,
                              &kernel->leading_b) &&
        set_leading_dimension(size->m, size->n, size->row_stride_c, &kernel->leading_c))) {
    free(kernel);
    return explain(KANTO_STATUS_DECLINED, message,
                   "CBLAS takes row strides from the length of a row to %d, not those of A, B, C: %lld, %lld, %lld",
                   INT_MAX, (long long)size->row_stride_a, (long long)size->row_stride_b, (long long)size->row_stride_c);
  }
  cut_into_pieces(kernel, host->thread_count);

  snprintf(kernel->description, sizeof kernel->description, "cblas_%cgemm, %lld x %lld rows",
           problem->dtype == KANTO_DTYPE_F32 ? 's' : 'd', (long long)kernel->piece_count,
           (long long)kernel->rows_per_piece);
  kernel->header = (kanto_kernel){
      .struct_size = sizeof(kanto_kernel), .description = kernel->description, .run = run, .release = release};
  *result = &kernel->header;
  return KANTO_STATUS_OK;
}

/* ---- what is exported --------------------------------------------------------------------------------------------- */

__attribute__((visibility("default"))) const kanto_version kanto_plugin_version = {
    .magic = KANTO_ABI_MAGIC,
    .struct_size = sizeof(kanto_version),
    .major = KANTO_ABI_MAJOR,
    .minor = KANTO_ABI_MINOR,
    .name = "cblas",
};

__attribute__((visibility("default"))) const kanto_backend *kanto_plugin_open(kanto_message *message) {
  (void)message;
  static char description[160];
  static const uint32_t offers[] = {[KANTO_OP_MATMUL] = KANTO_OFFER(KANTO_DTYPE_F32) | KANTO_OFFER(KANTO_DTYPE_F64)};
  static kanto_backend backend = {
      .struct_size = sizeof(kanto_backend),
      .name = "cblas",
      .description = description,
      .offers = offers,
      .offer_count = sizeof offers / sizeof *offers,
      .make = make,
  };
  snprintf(description, sizeof description, "CBLAS: %s", openblas_get_config ? openblas_get_config() : "library unnamed");
  /* One set of worker threads serves the process, and it is the host's. */
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  return &backend;
}
