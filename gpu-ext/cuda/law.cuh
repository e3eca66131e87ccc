// Noise laws: tails, densities, and what is known of them, see core/src/noise.
#pragma once
#include "number.cuh"

/// The standard normal law.
template <class F> struct Normal {
    using Float = F;
    /// Whether the upper tail is an analytic function of exp(−z), so that one expansion takes in all classes far below.
    static constexpr bool EXPONENTIAL_TAIL = false;
    /// Of a histogram: the window is certified to a bin's width.
    static constexpr int BINS = 64;
    static constexpr F MEDIAN = 0;
    /// The density is at most this.
    static constexpr F PEAK = F(0.4);
    /// The z above which a quarter of the draws lie.
    static constexpr F UPPER_QUARTILE = F(0.67448975019608171);

    __device__ static F survival(F z) { return F(0.5) * erfc(z * static_cast<F>(0.70710678118654752)); }
    __device__ static F cdf(F z) { return survival(-z); }
    __device__ static F pdf(F z) { return exp(F(-0.5) * z * z) * static_cast<F>(0.39894228040143268); }
    /// At least the density over the survival function, for z from the median.
    __device__ static F hazard(F z) { return z + F(0.8); }
};

/// The standard Gumbel law.
template <class F> struct Gumbel {
    using Float = F;
    static constexpr bool EXPONENTIAL_TAIL = true;
    static constexpr int BINS = 192;
    static constexpr F MEDIAN = F(0.36651292058166433);
    static constexpr F PEAK = F(0.37);
    static constexpr F UPPER_QUARTILE = F(1.2458993237072384);

    __device__ static F survival(F z) { return -expm1(-exp(-z)); }
    __device__ static F cdf(F z) { return exp(-exp(-z)); }
    __device__ static F pdf(F z) {
        F e = exp(-z);
        return is_finite(e) ? exp(-(z + e)) : F(0);
    }
    __device__ static F hazard(F) { return F(1); }

    __device__ static F ln_survival(F z) {
        if (z < 0) return log1p(-cdf(z));
        // Beyond, 1 − exp(−e) is e to the last digit.
        return z > F(40) ? -z : log(survival(z));
    }
    __device__ static F ln_cdf(F z) { return -exp(-z); }
    __device__ static F ln_pdf(F z) {
        F e = exp(-z);
        return is_finite(e) ? -(z + e) : -Limits<F>::infinity();
    }
    /// The z at which the survival function has fallen to p.
    __device__ static F reach(F p) { return -log(-log1p(-p)); }
};
