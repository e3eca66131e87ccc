// The types of scores, and the floats that are computed in: double for double, float for all others.
#pragma once
#include "platform.cuh"

/// IEEE 754 half precision.
struct Half {
    u16 bits;
};

/// The upper half of a float.
struct Bfloat16 {
    u16 bits;
};

template <class T> struct Computed {
    using type = float;
};
template <> struct Computed<double> {
    using type = double;
};
/// The float in which scores of type T are computed with.
template <class T> using Real = typename Computed<T>::type;

__device__ inline float widen(float x) { return x; }
__device__ inline double widen(double x) { return x; }
__device__ inline float widen(Bfloat16 x) { return __uint_as_float(static_cast<u32>(x.bits) << 16); }
__device__ inline float widen(Half x) { return half_to_float(x.bits); }

/// To the nearest T, ties to even.
template <class T> __device__ T narrow(Real<T> x);
template <> __device__ inline float narrow<float>(float x) { return x; }
template <> __device__ inline double narrow<double>(double x) { return x; }
template <> __device__ inline Half narrow<Half>(float x) { return {float_to_half(x)}; }
template <> __device__ inline Bfloat16 narrow<Bfloat16>(float x) {
    u32 bits = __float_as_uint(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return {0x7fc0};
    return {static_cast<u16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

template <class F> struct Limits;
template <> struct Limits<float> {
    static constexpr float EPSILON = 1.1920929e-7f;
    static constexpr float LEAST = 1.17549435e-38f;
    static constexpr float SQRT_MAX = 1.8446743e19f;
    static constexpr float LN_SQRT_MAX = 44.361420f;
    __device__ static float infinity() { return __uint_as_float(0x7f800000u); }
};
template <> struct Limits<double> {
    static constexpr double EPSILON = 2.220446049250313e-16;
    static constexpr double LEAST = 2.2250738585072014e-308;
    static constexpr double SQRT_MAX = 1.3407807929942596e154;
    static constexpr double LN_SQRT_MAX = 354.8913564466919;
    __device__ static double infinity() { return __longlong_as_double(0x7ff0000000000000ll); }
};

/// The least probability that is told apart from 0.
template <class F> __device__ constexpr F vanishing() { return Limits<F>::LEAST / (Limits<F>::EPSILON * Limits<F>::EPSILON); }

template <class F> __device__ bool is_finite(F x) { return x - x == F(0); }

// Operations that round once each, never contracted: where every bit must be that of the CPU.
__device__ inline float add(float a, float b) { return __fadd_rn(a, b); }
__device__ inline double add(double a, double b) { return __dadd_rn(a, b); }
__device__ inline float mul(float a, float b) { return __fmul_rn(a, b); }
__device__ inline double mul(double a, double b) { return __dmul_rn(a, b); }
__device__ inline float quotient(float a, float b) { return __fdiv_rn(a, b); }
__device__ inline double quotient(double a, double b) { return __ddiv_rn(a, b); }
__device__ inline float root(float x) { return __fsqrt_rn(x); }
__device__ inline double root(double x) { return __dsqrt_rn(x); }
template <class F> __device__ F sub(F a, F b) { return add(a, -b); }
