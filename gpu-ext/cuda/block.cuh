// Reductions over the threads of a block: the same tree every time, so the same result every time.
#pragma once
#include "number.cuh"

struct Sum {
    template <class V> __device__ V operator()(V a, V b) const { return a + b; }
};
struct Largest {
    template <class V> __device__ V operator()(V a, V b) const { return a < b ? b : a; }
};
struct Least {
    template <class V> __device__ V operator()(V a, V b) const { return b < a ? b : a; }
};

/// What the threads of a block share for reductions: one place a warp.
struct Slots {
    double* places;

    __device__ explicit Slots(Arena& arena) : places(arena.take<double>(WARP)) {}
};

template <class V, class Op> __device__ V reduce_warp(V value, Op op) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) value = op(value, __shfl_xor_sync(WHOLE_WARP, value, distance));
    return value;
}

/// What `op` makes of every thread's value, known to every thread. Also a barrier.
template <class V, class Op> __device__ V reduce(V value, Op op, Slots slots) {
    V* places = reinterpret_cast<V*>(slots.places);
    value = reduce_warp(value, op);
    int warps = blockDim.x / WARP;
    if (warps == 1) {
        __syncthreads();
        return value;
    }
    __syncthreads();
    if (threadIdx.x % WARP == 0) places[threadIdx.x / WARP] = value;
    __syncthreads();
    value = places[0];
    for (int warp = 1; warp < warps; ++warp) value = op(value, places[warp]);
    return value;
}
