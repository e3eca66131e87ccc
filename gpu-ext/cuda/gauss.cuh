// The standard normal law: tails and density.
#pragma once
#include "number.cuh"

template <class F> struct Normal {
    __device__ static F survival(F z) { return F(0.5) * erfc(z * static_cast<F>(0.70710678118654752)); }
    __device__ static F cdf(F z) { return survival(-z); }
    __device__ static F pdf(F z) { return exp(F(-0.5) * z * z) * static_cast<F>(0.39894228040143268); }
};
