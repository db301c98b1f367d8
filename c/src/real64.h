/* real32.h, for float64. */
#undef REAL
#undef R
#undef M
#undef REAL_MIN
#undef REAL_MAX
#define REAL double
#define R(name) name##_f64
#define M(name) name
#define REAL_MIN 2.2250738585072014e-308
#define REAL_MAX 1.7976931348623157e+308
