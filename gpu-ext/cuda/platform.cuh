// What CUDA has built in; ../shim/cuda.h stands in for it where the same sources are compiled for a CPU.
#pragma once

#ifndef __CUDACC__
#include "cuda.h"
#else
extern __shared__ double shared_memory[];
__device__ inline unsigned char* shared_bytes() { return reinterpret_cast<unsigned char*>(shared_memory); }

__device__ inline float half_to_float(unsigned short bits) {
    float x;
    asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
    return x;
}

__device__ inline unsigned short float_to_half(float x) {
    unsigned short bits;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
    return bits;
}
#endif

using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using i64 = long long;

constexpr int WARP = 32;
constexpr u32 WHOLE_WARP = 0xffffffffu;

/// Hands out a block's dynamic shared memory. ../src/plan/shared.rs counts the same bytes.
struct Arena {
    unsigned char* next;

    __device__ Arena() : next(shared_bytes()) {}

    template <class V> __device__ V* take(int count) {
        V* taken = reinterpret_cast<V*>(next);
        next += (count * static_cast<int>(sizeof(V)) + 7) / 8 * 8;
#ifndef __CUDACC__
        shim::note_shared(next);
#endif
        return taken;
    }
};
