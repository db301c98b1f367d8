/* The functions of fastmath.h once, for all calls that are not inlined: C99 makes them of a declaration without
 * `inline`. */
#include "fastmath.h"

float nnp_select_f32(bool condition, float yes, float no);
float nnp_at_least_f32(float x, float least);
float nnp_at_most_f32(float x, float most);
float nnp_power_of_two(uint32_t exponent);
float nnp_reduced_exp(float x, uint32_t *n);
float nnp_exp_f32(float x);
float nnp_bounded_expm1(float x);
float nnp_expm1_f32(float x);
float nnp_tanh_f32(float x);
float nnp_sigmoid_f32(float x);
float nnp_log1p_f32(float x);
float nnp_erfc_f32(float x);
