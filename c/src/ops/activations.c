/* Activations: spec/ops/activations.md; and those of gates, spec/ops/simple_rnn.md, "Activations by name". */
#include "../operators.h"
#include "activate.h"

#include "../fastmath.h"

#if NNP_ACTIVATIONS || NNP_RECURRENT

#include "../real32.h"
#include "activations.inc"
#if NNP_WITH_FLOAT64
#include "../real64.h"
#include "activations.inc"
#endif

#endif

#if NNP_ACTIVATIONS

static nnp_status activation_infer(nnp_call *call)
{
    NNP_TRY(nnp_require_float(call));
    nnp_make_like(call, 0, 0);
    return NNP_OK;
}

#if NNP_WITH_FLOAT64
#define APPLY(call, name) apply(call, name##_f32, name##_f64)

static nnp_status apply(const nnp_call *call, activation_f32 *f32, activation_f64 *f64)
{
    if (nnp_in(call, 0)->dtype == NNP_FLOAT64) apply_f64(call, f64);
    else apply_f32(call, f32);
    return NNP_OK;
}
#else
#define APPLY(call, name) apply(call, name##_f32)

static nnp_status apply(const nnp_call *call, activation_f32 *f32)
{
    apply_f32(call, f32);
    return NNP_OK;
}
#endif

/* `numbers`: how many attributes are numbers, all or none, in the order in which the function has them. */
#define OPERATOR(word, numbers, list)                                                                                  \
    static const char word##_name[] = #word, word##_attributes[] = list; /* a linker can leave these out one by one */ \
    const nnp_operator nnp_##word = {                                                                                  \
        .name = word##_name, .weights = "", .attributes = word##_attributes, .least = 1, .most = 1,                    \
        .flags = NNP_IN_PLACE | NNP_APART, .kind = numbers, .infer = activation_infer, .run = word##_run,              \
    };

#define ACTIVATION(word, numbers, list)                                                                                \
    static nnp_status word##_run(const nnp_call *call)                                                                 \
    {                                                                                                                  \
        return APPLY(call, word);                                                                                      \
    }                                                                                                                  \
    OPERATOR(word, numbers, list)

ACTIVATION(celu, 1, "alpha:z\0")
ACTIVATION(clipped_relu, 3, "max_value:p\0negative_slope:n\0threshold:n\0")
ACTIVATION(elu, 1, "alpha:n\0")
ACTIVATION(exponential, 0, "")
ACTIVATION(hard_shrink, 1, "threshold:n\0")
ACTIVATION(hard_sigmoid, 0, "")
ACTIVATION(hard_silu, 0, "")
ACTIVATION(hard_tanh, 0, "")
ACTIVATION(leaky_relu, 1, "negative_slope:n\0")
ACTIVATION(log_sigmoid, 0, "")
ACTIVATION(mish, 0, "")
ACTIVATION(relu, 0, "")
ACTIVATION(relu6, 0, "")
ACTIVATION(selu, 0, "")
ACTIVATION(sigmoid, 0, "")
ACTIVATION(silu, 0, "")
ACTIVATION(soft_shrink, 1, "threshold:n\0")
ACTIVATION(softplus, 0, "")
ACTIVATION(softsign, 0, "")
ACTIVATION(sparse_plus, 0, "")
ACTIVATION(sparse_sigmoid, 0, "")
ACTIVATION(squareplus, 1, "b:p\0")
ACTIVATION(tanh, 0, "")
ACTIVATION(tanh_shrink, 0, "")
ACTIVATION(threshold, 2, "default_value:n\0threshold:n\0")
ACTIVATION(thresholded_relu, 2, "negative_slope:n\0threshold:n\0")

static nnp_status gelu_run(const nnp_call *call)
{
    return nnp_attr(call, 0)->integer ? APPLY(call, gelu_tanh) : APPLY(call, gelu);
}

OPERATOR(gelu, 0, "approximate:b\0")

#endif
