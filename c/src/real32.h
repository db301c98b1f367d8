/* Names for code that is compiled for float32 and for float64: REAL is the type, R(name) a function of ours, M(name) one of
 * libm. Followed by the include of such code. */
#undef REAL
#undef R
#undef M
#undef REAL_MIN
#undef REAL_MAX
#define REAL float
#define R(name) name##_f32
#define M(name) name##f
#define REAL_MIN 1.17549435e-38F
#define REAL_MAX 3.40282347e+38F
