/* What other operators share with the activations. */
#ifndef NNP_ACTIVATE_H
#define NNP_ACTIVATE_H

#include "../internal.h"

/* The activations of gates, as the attribute of recurrent operators lists them (":c" NNP_GATES): places in that list. */
#define NNP_GATES                                                                                                      \
    "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid "            \
    "log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "                 \
    "sparse_sigmoid squareplus tanh tanh_shrink"
enum { NNP_GATE_LINEAR = 9, NNP_GATE_LOG_SOFTMAX = 11, NNP_GATE_RELU = 13, NNP_GATE_SIGMOID = 16, NNP_GATE_SOFTMAX = 19,
       NNP_GATE_TANH = 25 };

/* Applies the activation of a gate to `rows` rows of n elements, which lie `stride` elements apart, where they are.
 * Attributes are those of spec/ops/simple_rnn.md. (softmax and log_softmax are taken along a row.) */
void nnp_activate_f32(unsigned gate, float *x, size_t rows, size_t n, size_t stride);
void nnp_activate_f64(unsigned gate, double *x, size_t rows, size_t n, size_t stride);

/* softmax, or its logarithm, of n elements, where they are. */
void nnp_softmax_f32(float *y, size_t n, bool logarithm);
void nnp_softmax_f64(double *y, size_t n, bool logarithm);

#endif
