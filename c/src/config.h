/* What is built in. A family set to 0 is left out: a file that needs one of its operators is refused, "requires-unknown". */
#ifndef NNP_CONFIG_H
#define NNP_CONFIG_H

#ifndef NNP_ALL
#define NNP_ALL 1 /* 0: no family but those that are set to 1 one by one */
#endif

#ifndef NNP_CORE /* dense, identity, constant, cast */
#define NNP_CORE 1
#endif
#ifndef NNP_ACTIVATIONS /* relu, sigmoid, tanh, …, softmax */
#define NNP_ACTIVATIONS 1
#endif
#ifndef NNP_ELEMENTWISE /* arithmetic, comparison, logic, functions of one number, where */
#define NNP_ELEMENTWISE NNP_ALL
#endif
#ifndef NNP_PRODUCTS /* matmul, einsum */
#define NNP_PRODUCTS NNP_ALL
#endif
#ifndef NNP_CONVOLUTION /* conv, conv_transpose */
#define NNP_CONVOLUTION NNP_ALL
#endif
#ifndef NNP_POOLING
#define NNP_POOLING NNP_ALL
#endif
#ifndef NNP_NORMALIZATION
#define NNP_NORMALIZATION NNP_ALL
#endif
#ifndef NNP_REDUCTION /* sum, mean, …, argmax, cumsum */
#define NNP_REDUCTION NNP_ALL
#endif
#ifndef NNP_SHAPES /* reshape, transpose, concatenate, pad, … */
#define NNP_SHAPES NNP_ALL
#endif
#ifndef NNP_INDEXING /* embedding, take, one_hot, … */
#define NNP_INDEXING NNP_ALL
#endif
#ifndef NNP_RECURRENT /* simple_rnn, lstm, gru; conv_lstm where there is convolution, too */
#define NNP_RECURRENT NNP_ALL
#endif
#ifndef NNP_RESIZING
#define NNP_RESIZING NNP_ALL
#endif
#ifndef NNP_PREPROCESSING /* bucketize, vocabularies */
#define NNP_PREPROCESSING NNP_ALL
#endif

#ifndef NNP_HASH /* 0: the SHA-256 of the payload is not computed */
#define NNP_HASH 1
#endif
#ifndef NNP_WITH_FLOAT64 /* 0: values and weights of float64 are refused */
#define NNP_WITH_FLOAT64 NNP_ALL
#endif
#ifndef NNP_STATES /* 0: files with states are refused */
#define NNP_STATES NNP_ALL
#endif
#ifndef NNP_STORAGE /* 0: weights stored as float16, as bfloat16 or quantized are refused */
#define NNP_STORAGE NNP_ALL
#endif
#ifndef NNP_MESSAGES /* 0: errors are statuses alone, without place and text */
#define NNP_MESSAGES 1
#endif

#endif
