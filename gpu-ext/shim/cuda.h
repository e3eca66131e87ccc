// What the kernels use of CUDA, for a CPU: one block at a time, its threads as fibres, or as threads for ThreadSanitizer.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "block.h"

#define __device__
#define __global__
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)

#define threadIdx (shim::current_thread().thread)
#define blockIdx (shim::current_thread().block)
#define blockDim (shim::current_thread().block_size)
#define gridDim (shim::current_thread().grid_size)

inline void __syncthreads() { shim::wait_for_block(); }

template <class V> V __shfl_xor_sync(unsigned, V value, int distance) {
    static_assert(sizeof(V) <= 8);
    memcpy(shim::exchange_slot(0), &value, sizeof value);
    shim::wait_for_warp();
    V other;
    memcpy(&other, shim::exchange_slot(distance), sizeof other);
    shim::wait_for_warp();
    return other;
}

inline int atomicAdd(int* place, int amount) { return __atomic_fetch_add(place, amount, __ATOMIC_RELAXED); }

inline unsigned char* shared_bytes() { return shim::shared_memory(); }

template <class To, class From> To shim_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
inline unsigned __float_as_uint(float x) { return shim_bits<unsigned>(x); }
inline float __uint_as_float(unsigned x) { return shim_bits<float>(x); }
inline long long __double_as_longlong(double x) { return shim_bits<long long>(x); }
inline double __longlong_as_double(long long x) { return shim_bits<double>(x); }

// The compiler contracts nothing: -ffp-contract=off.
inline float __fadd_rn(float a, float b) { return a + b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline double __dsqrt_rn(double x) { return sqrt(x); }
inline float cospi(float x) { return static_cast<float>(cos(M_PI * static_cast<double>(x))); }
inline double cospi(double x) { return cos(M_PI * x); }

inline float half_to_float(unsigned short bits) {
    unsigned sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 31, fraction = bits & 1023u;
    if (exponent == 31) return __uint_as_float(sign | 0x7f800000u | fraction << 13);
    float size = exponent == 0 ? ldexpf(static_cast<float>(fraction), -24) : ldexpf(static_cast<float>(fraction | 1024u), static_cast<int>(exponent) - 25);
    return __uint_as_float(sign | __float_as_uint(size));
}

/// To the nearest half, ties to even.
inline unsigned short float_to_half(float x) {
    unsigned short sign = static_cast<unsigned short>((__float_as_uint(x) >> 16) & 0x8000u);
    float size = fabsf(x);
    if (size != size) return 0x7fff;
    if (size == 0) return sign;
    if (size >= 65520.0f) return sign | 0x7c00u;
    int exponent = 0;
    frexpf(size, &exponent);
    // The spacing of halves around it, 2⁻²⁴ at least; the default rounding of nearbyint is to even.
    int spacing = exponent - 11 < -24 ? -24 : exponent - 11;
    float rounded = nearbyintf(ldexpf(size, -spacing));
    if (spacing == -24) return sign | static_cast<unsigned short>(rounded);
    unsigned bits = static_cast<unsigned>(rounded) + (static_cast<unsigned>(spacing + 24) << 10);
    return sign | static_cast<unsigned short>(bits);
}
