/* What the recurrent operators share: spec/ops/simple_rnn.md, lstm.md, gru.md, conv_lstm.md. */
#ifndef NNP_RECURRENT_H
#define NNP_RECURRENT_H

#include "../internal.h"
#include "activate.h"

/* Weights and attributes of all of them, in this order; what an operator lacks is left out at the end. */
enum { NNP_KERNEL, NNP_RECURRENT_KERNEL, NNP_RNN_BIAS };
enum { NNP_GO_BACKWARDS, NNP_RETURN_SEQUENCES, NNP_ZERO_OUTPUT, NNP_ACTIVATION, NNP_RECURRENT_ACTIVATION,
       NNP_RNN_OTHERS };
#define NNP_RNN_WEIGHTS "kernel\0recurrent_kernel\0bias?\0"
#define NNP_RNN_ATTRIBUTES                                                                                             \
    "go_backwards:b\0return_sequences:b\0zero_output_for_mask:b\0activation:c" NNP_GATES "\0"
#define NNP_GATED_ATTRIBUTES NNP_RNN_ATTRIBUTES "recurrent_activation:c" NNP_GATES "\0"

/* x, all of so many states or none, and the mask have their dtypes, and weights that of x; whether there is a mask. */
nnp_status nnp_require_sequence(nnp_call *call, unsigned states, bool *masked);

/* States and mask fit x; the layer makes y and the final states. `state` begins with the rows. */
nnp_status nnp_make_sequence(nnp_call *call, unsigned states, bool masked, unsigned rank, const int32_t *state);

/* A loop over the steps of a call. A state is (rows, pixels, units), and pixels is 1 but in conv_lstm. */
typedef struct {
    size_t rows, time, pixels, units;
    const uint8_t *mask; /* (rows, time), or NULL */
    bool backwards, sequences, zeros;
    unsigned activation, recurrent_activation;
} nnp_loop;

/* The loop of a call whose states have so many dimensions; the final states become the initial ones, and y, 0. */
nnp_loop nnp_loop_begin(const nnp_call *call, unsigned states, unsigned rank);

/* The element of the time axis that a step takes. */
static inline size_t nnp_loop_time(const nnp_loop *loop, size_t step)
{
    return loop->backwards ? loop->time - 1 - step : step;
}

/* Whether the mask leaves a step out, for one row. */
static inline bool nnp_loop_skips(const nnp_loop *loop, size_t step, size_t row)
{
    return loop->mask != NULL && loop->mask[row * loop->time + nnp_loop_time(loop, step)] == 0;
}

/* Writes what a step puts out: the state h as it is after the step, or what stands in its place. */
void nnp_loop_output(const nnp_call *call, const nnp_loop *loop, size_t step);

/*
 * A step of lstm and of conv_lstm, from the sums of the gates i, f, g and o on: rows · pixels times 4 · units of them,
 * `stride` elements apart. They are written over.
 */
void nnp_lstm_step_f32(const nnp_loop *loop, size_t step, float *sums, size_t stride, float *h, float *c);
void nnp_lstm_step_f64(const nnp_loop *loop, size_t step, double *sums, size_t stride, double *h, double *c);

#endif
