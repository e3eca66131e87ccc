// The classes far below the window as a few weighted ones, by Chebyshev moments, see core/src/exact/chebyshev.rs and classes.rs.
#pragma once
#include "window.cuh"

/// What a block shares of the bulk: D + 1 numbers each.
template <class F> struct Bulk {
    /// cos(π·j/(2D + 2)) over one period.
    F* cosines;
    F* moments;
    F* positions;
    F* tails;
    /// How many classes each point stands for.
    F* multiplicities;
    /// Values at the points, then coefficients.
    F* values;
    F* coefficients;
    /// One moment a warp and degree.
    F* partial;

    __device__ explicit Bulk(Arena& arena)
        : cosines(arena.take<F>(4 * TERMS<F>)), moments(arena.take<F>(TERMS<F>)), positions(arena.take<F>(TERMS<F>)),
          tails(arena.take<F>(TERMS<F>)), multiplicities(arena.take<F>(TERMS<F>)), values(arena.take<F>(TERMS<F>)),
          coefficients(arena.take<F>(TERMS<F>)), partial(arena.take<F>(TERMS<F> * (blockDim.x / WARP))) {}

    __device__ void fill_cosines() const {
        for (int j = threadIdx.x; j < 4 * TERMS<F>; j += blockDim.x) cosines[j] = cospi(static_cast<F>(j) / static_cast<F>(2 * TERMS<F>));
    }

    /// T_d at point n, the angle reduced in integers.
    __device__ F basis(int d, int n) const { return cosines[d * (2 * n + 1) % (4 * TERMS<F>)]; }

    __device__ static F normalisation(int d) { return static_cast<F>(d == 0 ? 1 : 2) / static_cast<F>(TERMS<F>); }

    /// About what truncation leaves out of the expansion of a function with these values: its two last coefficients.
    template <class Value> __device__ F truncation(Value value) const {
        F last = 0, before = 0;
        for (int n = 0; n < TERMS<F>; ++n) {
            last += basis(Precision<F>::DEGREE, n) * value(n);
            before += basis(Precision<F>::DEGREE - 1, n) * value(n);
        }
        return normalisation(1) * (fabs(last) + fabs(before));
    }
};

/// A thread's moments. Short sums round less: those of a few classes are added to longer floats.
template <class F> struct Moments {
    static constexpr int FEW = 16;
    F few[TERMS<F>];
    double all[TERMS<F>];
    int pending;

    __device__ Moments() : pending(0) {
#pragma unroll
        for (int d = 0; d < TERMS<F>; ++d) few[d] = 0, all[d] = 0;
    }

    __device__ void add(F x, F weight) {
        F before = weight * x, now = weight;
#pragma unroll
        for (int d = 0; d < TERMS<F>; ++d) {
            few[d] += now;
            F next = (x + x) * now - before;
            before = now;
            now = next;
        }
        if (++pending == FEW) flush();
    }

    __device__ void flush() {
#pragma unroll
        for (int d = 0; d < TERMS<F>; ++d) {
            all[d] += static_cast<double>(few[d]);
            few[d] = 0;
        }
        pending = 0;
    }
};

/// Sums the threads' moments and finds the weighted points that have them.
template <class F, class Law> __device__ void compress(Moments<F>& own, const Partition<F, Law>& partition, Bulk<F> bulk) {
    own.flush();
    int warp = threadIdx.x / WARP, warps = blockDim.x / WARP;
#pragma unroll
    for (int d = 0; d < TERMS<F>; ++d) {
        F sum = reduce_warp(static_cast<F>(own.all[d]), Sum());
        if (threadIdx.x % WARP == 0) bulk.partial[d * warps + warp] = sum;
    }
    __syncthreads();
    for (int d = threadIdx.x; d < TERMS<F>; d += blockDim.x) {
        F sum = 0;
        for (int w = 0; w < warps; ++w) sum += bulk.partial[d * warps + w];
        bulk.moments[d] = sum;
    }
    __syncthreads();
    for (int n = threadIdx.x; n < TERMS<F>; n += blockDim.x) {
        F sum = 0;
        for (int d = 0; d < TERMS<F>; ++d) sum += bulk.basis(d, n) * Bulk<F>::normalisation(d) * bulk.moments[d];
        F u = partition.at(bulk.basis(1, n)), tail = partition.weight(u);
        bulk.positions[n] = u;
        bulk.tails[n] = tail;
        bulk.multiplicities[n] = sum / tail;
    }
    __syncthreads();
}

/// The coefficients of the polynomial through the bulk's values, after dividing them by the tails.
template <class F> __device__ void interpolate(Bulk<F> bulk) {
    __syncthreads();
    for (int d = threadIdx.x; d < TERMS<F>; d += blockDim.x) {
        F sum = 0;
        for (int n = 0; n < TERMS<F>; ++n) sum += bulk.basis(d, n) * (bulk.values[n] / bulk.tails[n]);
        bulk.coefficients[d] = Bulk<F>::normalisation(d) * sum;
    }
    __syncthreads();
}

/// A polynomial in Chebyshev form (Clenshaw).
template <class F> __device__ F chebyshev(const F* coefficients, F x) {
    F b1 = 0, b2 = 0;
#pragma unroll
    for (int d = Precision<F>::DEGREE; d > 0; --d) {
        F next = coefficients[d] + (x + x) * b1 - b2;
        b2 = b1;
        b1 = next;
    }
    return coefficients[0] + x * b1 - b2;
}
