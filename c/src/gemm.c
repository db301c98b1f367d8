/* Products of matrices. */
#include "gemm.h"

#include "real32.h"
#include "gemm.inc"
#if NNP_WITH_FLOAT64
#include "real64.h"
#include "gemm.inc"
#endif
