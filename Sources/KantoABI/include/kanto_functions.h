/*
 * kanto_functions.h: the functions of ops 5 to 9 and 11, and a table of what host and backends must know of each.
 *
 * The table is the one place that says which functions there are. What a problem prints, parses and checks, what a backend
 * accepts and what the consistency suite asks of it follow from a row. A backend looks a function up in the table that it was
 * compiled with, and declines what is not there: a later header may have more.
 */
#ifndef KANTO_FUNCTIONS_H
#define KANTO_FUNCTIONS_H

#include "kanto_backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `kanto_problem.function`. s0, s1 … are `kanto_arguments.scalars`, p is `kanto_problem.parameter`. */
enum {
  /* KANTO_OP_UNARY */
  KANTO_FUNCTION_COPY = 1,
  KANTO_FUNCTION_FILL = 2,      /* s0; has no input */
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

/* `kanto_function_info.traits` */
enum {
  KANTO_TRAIT_PARAMETER = 1, /* takes `kanto_problem.parameter`, a slope; of others it is 0 */
  KANTO_TRAIT_EXACT = 2,     /* exact on small whole numbers, where scalars are such and a slope is 0 or a power of two */
  /* A sum of terms, which may cancel: its error is relative to the sum of their magnitudes. Of reductions only such take
     KANTO_FLAG_ACCUMULATE. */
  KANTO_TRAIT_SUM = 4,
  KANTO_TRAIT_TRANSCENDENTAL = 8 /* of a math library: costly, and subnormal results may be lost */
};

/* A row of the table. It is part of the header, not handed over: it may change with any version. */
typedef struct kanto_function_info {
  uint32_t op, function;
  const char *name; /* in the one-line form of a problem, unique within the op */
  uint32_t input_count, output_count;
  uint32_t scalar_count; /* s0, s1 … */
  /* How far a result may be from the definition, in halves of a unit in its last place: 0 is exact. Of a reduction that is a
     sum, for each term. Of an optimizer, over the terms of its step. */
  uint32_t error;
  uint32_t traits; /* KANTO_TRAIT_… */
} kanto_function_info;

static const kanto_function_info kanto_functions[] = {
  /* op, function, name, inputs, outputs, scalars, error, traits */
  {KANTO_OP_UNARY, KANTO_FUNCTION_COPY, "copy", 1, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_UNARY, KANTO_FUNCTION_FILL, "fill", 0, 1, 1, 2, KANTO_TRAIT_EXACT},
  {KANTO_OP_UNARY, KANTO_FUNCTION_AFFINE, "affine", 1, 1, 2, 4, KANTO_TRAIT_EXACT | KANTO_TRAIT_SUM},
  {KANTO_OP_UNARY, KANTO_FUNCTION_ABSOLUTE, "absolute", 1, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_UNARY, KANTO_FUNCTION_SIGN, "sign", 1, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_UNARY, KANTO_FUNCTION_SQUARE, "square", 1, 1, 0, 2, KANTO_TRAIT_EXACT},
  {KANTO_OP_UNARY, KANTO_FUNCTION_SQRT, "sqrt", 1, 1, 0, 2, 0},
  {KANTO_OP_UNARY, KANTO_FUNCTION_RECIPROCAL, "reciprocal", 1, 1, 0, 2, 0},
  {KANTO_OP_UNARY, KANTO_FUNCTION_EXP, "exp", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},
  {KANTO_OP_UNARY, KANTO_FUNCTION_LOG, "log", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},
  {KANTO_OP_UNARY, KANTO_FUNCTION_TANH, "tanh", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},
  {KANTO_OP_UNARY, KANTO_FUNCTION_SIGMOID, "sigmoid", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},
  {KANTO_OP_UNARY, KANTO_FUNCTION_LEAKY_RELU, "leaky_relu", 1, 1, 0, 2, KANTO_TRAIT_EXACT | KANTO_TRAIT_PARAMETER},
  {KANTO_OP_UNARY, KANTO_FUNCTION_EXP_MINUS_ONE, "exp_minus_one", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},
  {KANTO_OP_UNARY, KANTO_FUNCTION_LOG_ONE_PLUS, "log_one_plus", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},
  {KANTO_OP_UNARY, KANTO_FUNCTION_ERF, "erf", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},
  {KANTO_OP_UNARY, KANTO_FUNCTION_SOFTPLUS, "softplus", 1, 1, 0, 8, KANTO_TRAIT_TRANSCENDENTAL},

  {KANTO_OP_BINARY, KANTO_FUNCTION_ADD, "add", 2, 1, 0, 2, KANTO_TRAIT_EXACT},
  {KANTO_OP_BINARY, KANTO_FUNCTION_SUBTRACT, "subtract", 2, 1, 0, 2, KANTO_TRAIT_EXACT},
  {KANTO_OP_BINARY, KANTO_FUNCTION_MULTIPLY, "multiply", 2, 1, 0, 2, KANTO_TRAIT_EXACT},
  {KANTO_OP_BINARY, KANTO_FUNCTION_DIVIDE, "divide", 2, 1, 0, 2, 0},
  {KANTO_OP_BINARY, KANTO_FUNCTION_DIVIDE_OR_ZERO, "divide_or_zero", 2, 1, 0, 2, 0},
  {KANTO_OP_BINARY, KANTO_FUNCTION_MAXIMUM, "maximum", 2, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_BINARY, KANTO_FUNCTION_MINIMUM, "minimum", 2, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_BINARY, KANTO_FUNCTION_ADD_SCALED, "add_scaled", 2, 1, 2, 4, KANTO_TRAIT_EXACT | KANTO_TRAIT_SUM},
  {KANTO_OP_BINARY, KANTO_FUNCTION_GREATER, "greater", 2, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_BINARY, KANTO_FUNCTION_LEAKY_RELU_GRADIENT, "leaky_relu_gradient", 2, 1, 0, 2,
   KANTO_TRAIT_EXACT | KANTO_TRAIT_PARAMETER},

  {KANTO_OP_TERNARY, KANTO_FUNCTION_SELECT, "select", 3, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_TERNARY, KANTO_FUNCTION_MULTIPLY_ADD, "multiply_add", 3, 1, 0, 2, KANTO_TRAIT_EXACT | KANTO_TRAIT_SUM},
  {KANTO_OP_TERNARY, KANTO_FUNCTION_NORMALIZE, "normalize", 3, 1, 0, 4, KANTO_TRAIT_EXACT},

  {KANTO_OP_REDUCE, KANTO_FUNCTION_SUM, "sum", 1, 1, 0, 2, KANTO_TRAIT_EXACT | KANTO_TRAIT_SUM},
  {KANTO_OP_REDUCE, KANTO_FUNCTION_REDUCE_MAXIMUM, "maximum", 1, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_REDUCE, KANTO_FUNCTION_REDUCE_MINIMUM, "minimum", 1, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_REDUCE, KANTO_FUNCTION_SUM_OF_SQUARES, "sum_of_squares", 1, 1, 0, 2, KANTO_TRAIT_EXACT | KANTO_TRAIT_SUM},
  {KANTO_OP_REDUCE, KANTO_FUNCTION_MAXIMUM_MAGNITUDE, "maximum_magnitude", 1, 1, 0, 0, KANTO_TRAIT_EXACT},
  {KANTO_OP_REDUCE, KANTO_FUNCTION_SUM_OF_PRODUCTS, "sum_of_products", 2, 1, 0, 2, KANTO_TRAIT_EXACT | KANTO_TRAIT_SUM},

  {KANTO_OP_OPTIMIZE, KANTO_FUNCTION_ADAM, "adam", 1, 3, 7, 32, KANTO_TRAIT_SUM},
  {KANTO_OP_OPTIMIZE, KANTO_FUNCTION_MOMENTUM, "momentum", 1, 2, 3, 32, KANTO_TRAIT_SUM},
  {KANTO_OP_OPTIMIZE, KANTO_FUNCTION_RMSPROP, "rmsprop", 1, 2, 4, 32, KANTO_TRAIT_SUM},

  {KANTO_OP_RANDOM, KANTO_FUNCTION_UNIFORM, "uniform", 0, 1, 8, 0, 0},
  {KANTO_OP_RANDOM, KANTO_FUNCTION_NORMAL, "normal", 0, 1, 8, 0, 0},
};

/* A row by its place, from 0; NULL behind the last. */
static inline const kanto_function_info *kanto_function_at(size_t index) {
  return index < sizeof kanto_functions / sizeof *kanto_functions ? &kanto_functions[index] : NULL;
}

/* The row of an op's function; NULL if the op has none of that number. */
static inline const kanto_function_info *kanto_find_function(uint32_t op, uint32_t function) {
  for (size_t index = 0; index < sizeof kanto_functions / sizeof *kanto_functions; index++)
    if (kanto_functions[index].op == op && kanto_functions[index].function == function) return &kanto_functions[index];
  return NULL;
}

#ifdef __cplusplus
}
#endif
#endif
