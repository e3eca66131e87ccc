// Quantiles of the standard normal law by algorithm AS 241 (Wichura 1988), and its logarithm, bit for bit those of core/src/noise/normal.rs:
// every operation rounds once, in the same order.
#pragma once
#include "number.cuh"

/// The natural logarithm of a normal number in (0, ½): the steps of libm's `logf`.
__device__ inline float ln_of_tail(float x) {
    u32 bits = __float_as_uint(x) + (0x3f800000u - 0x3f3504f3u);
    float exponent = static_cast<float>(static_cast<int>(bits >> 23) - 0x7f);
    float f = sub(__uint_as_float((bits & 0x007fffffu) + 0x3f3504f3u), 1.0f);
    float s = quotient(f, add(2.0f, f));
    float z = mul(s, s);
    float w = mul(z, z);
    float even = mul(w, add(0.40000972152f, mul(w, 0.24279078841f)));
    float odd = mul(z, add(0.66666662693f, mul(w, 0.28498786688f)));
    float half_square = mul(mul(0.5f, f), f);
    float low = add(mul(s, add(half_square, add(odd, even))), mul(exponent, 9.0580006145e-06f));
    return add(add(sub(low, half_square), f), mul(exponent, 6.9313812256e-01f));
}

/// The same for `log`.
__device__ inline double ln_of_tail(double x) {
    u64 bits = static_cast<u64>(__double_as_longlong(x)) + (static_cast<u64>(0x3ff00000u - 0x3fe6a09eu) << 32);
    double exponent = static_cast<double>(static_cast<int>(bits >> 52) - 0x3ff);
    u64 reduced = (bits & 0x000fffffffffffffull) + (static_cast<u64>(0x3fe6a09eu) << 32);
    double f = sub(__longlong_as_double(static_cast<i64>(reduced)), 1.0);
    double half_square = mul(mul(0.5, f), f);
    double s = quotient(f, add(2.0, f));
    double z = mul(s, s);
    double w = mul(z, z);
    double inner = add(3.999999999940941908e-01, mul(w, add(2.222219843214978396e-01, mul(w, 1.531383769920937332e-01))));
    double even = mul(w, inner);
    inner = add(2.857142874366239149e-01, mul(w, add(1.818357216161805012e-01, mul(w, 1.479819860511658591e-01))));
    double odd = mul(z, add(6.666666666666735130e-01, mul(w, inner)));
    double low = add(mul(s, add(half_square, add(odd, even))), mul(exponent, 1.90821492927058770002e-10));
    return add(add(sub(low, half_square), f), mul(exponent, 6.93147180369123816490e-01));
}

/// Numerator and denominator, constant terms first.
struct Rational {
    double numerator[8], denominator[8];
};

/// |p − ½| ≤ 0.425.
__device__ constexpr Rational CENTRAL = {
    {3.3871328727963665, 1.3314166789178438e2, 1.9715909503065513e3, 1.373169376550946e4, 4.592195393154987e4, 6.72657709270087e4, 3.343057558358813e4, 2.5090809287301227e3},
    {1.0, 4.231333070160091e1, 6.871870074920579e2, 5.394196021424751e3, 2.1213794301586597e4, 3.930789580009271e4, 2.8729085735721943e4, 5.226495278852545e3},
};

/// √(−ln tail) ≤ 5.
__device__ constexpr Rational MIDDLE = {
    {1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 2.417807251774506e-1, 2.2723844989269184e-2, 7.745450142783414e-4},
    {1.0, 2.053191626637759, 1.6763848301838038, 6.897673349851e-1, 1.4810397642748008e-1, 1.5198666563616457e-2, 5.475938084995345e-4, 1.0507500716444169e-9},
};

/// Beyond.
__device__ constexpr Rational FAR = {
    {6.657904643501103, 5.463784911164114, 1.7848265399172913, 2.9656057182850487e-1, 2.6532189526576124e-2, 1.2426609473880784e-3, 2.7115555687434876e-5, 2.0103343992922881e-7},
    {1.0, 5.99832206555888e-1, 1.369298809227358e-1, 1.4875361290850615e-2, 7.868691311456133e-4, 1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899398e-15},
};

template <class F> __device__ F horner(const double (&coefficients)[8], F r) {
    F sum = 0;
#pragma unroll
    for (int i = 7; i >= 0; --i) sum = add(mul(sum, r), static_cast<F>(coefficients[i]));
    return sum;
}

template <class F> __device__ F ratio(const Rational& rational, F r) {
    return quotient(horner(rational.numerator, r), horner(rational.denominator, r));
}

/// The z with P(Z ≤ z) = p, for a p strictly between 0 and 1 that is a multiple of the float's uniform step.
template <class F> __device__ F normal_quantile(F p) {
    F q = sub(p, F(0.5));
    F distance = q < 0 ? -q : q;
    if (distance <= static_cast<F>(0.425)) return mul(q, ratio(CENTRAL, sub(static_cast<F>(0.180625), mul(q, q))));
    F tail = q < 0 ? p : sub(F(1), p);
    F r = root(-ln_of_tail(tail));
    F z = r <= 5 ? ratio(MIDDLE, sub(r, static_cast<F>(1.6))) : ratio(FAR, sub(r, F(5)));
    return q < 0 ? -z : z;
}

/// |z| of a draw is below this: the least uniform number is 2⁻²⁴, or 2⁻⁵³.
template <class F> constexpr F FARTHEST_DRAW = F(5.5);
template <> constexpr double FARTHEST_DRAW<double> = 8.5;
