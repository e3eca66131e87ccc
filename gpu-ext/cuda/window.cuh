// Where the classes lie, coarsely, and the certified window that follows, see core/src/exact/histogram.rs and partition.rs.
//
// Everything is in u = (s − center)/ε, with center the wanted order statistic of the scores.
#pragma once
#include "law.cuh"
#include "hinge.cuh"
#include "precision.cuh"

/// The same bytes as `Exact` in ../src/plan/arguments.rs.
struct Exact {
    Hinge hinge;
    /// The wanted rank, counted from the nearer end.
    i64 rank;
    /// Whether that is the lower end: there the scores are mirrored.
    i64 mirrored;
    /// Room for the classes that need individual care.
    i64 item_capacity;
    /// Nodes at a time.
    i64 group;
    /// Room for the likely classes' failures, at `group` nodes.
    i64 failure_capacity;
    /// How far from the center, in units of ε, anything may matter.
    double reach;
    /// Below the window by this much a class cannot matter: all such classes together, and each of them.
    double negligible, negligible_alone;
    /// Above the window by this much a class is above for certain.
    double sure;
};

/// The interval of t outside which the wanted order statistic falls with negligible probability.
template <class F> struct Window {
    F low, high;
};

/// What a class is to the window, by its u alone.
template <class F, class Law = Normal<F>> struct Partition {
    F center, scale;
    Window<F> window;
    F sure_above, bulk_below, negligible_below;

    __device__ F unit(F score) const {
        F u = (score - center) / scale;
        return u > F(1e6) ? F(1e6) : u < F(-1e6) ? F(-1e6) : u;
    }
    __device__ bool is_sure(F u) const { return u > sure_above; }
    __device__ bool is_candidate(F u) const { return u <= sure_above && u > bulk_below && u > negligible_below; }
    __device__ bool is_bulk(F u) const { return u <= bulk_below && u > negligible_below; }

    /// The coordinate in [−1, 1] of a class of the bulk.
    __device__ F coordinate(F u) const {
        if constexpr (Law::EXPONENTIAL_TAIL) return F(2) * weight(u) - F(1);
        return F(2) * ((u - negligible_below) / (bulk_below - negligible_below)) - F(1);
    }
    /// The class at a coordinate.
    __device__ F at(F x) const {
        F share = (x + F(1)) * F(0.5);
        if constexpr (Law::EXPONENTIAL_TAIL) return bulk_below + log(share);
        return negligible_below + share * (bulk_below - negligible_below);
    }
    /// Every integrand of a class of the bulk is this times a tame function of the coordinate.
    __device__ F weight(F u) const {
        if constexpr (Law::EXPONENTIAL_TAIL) return exp(u - bulk_below);
        F lift = (window.high - window.low) * static_cast<F>(0.3);
        F target = window.low + (lift < F(2) ? lift : F(2));
        F below_top = bulk_below - u;
        return exp(below_top * (bulk_below - target - below_top * F(0.5)));
    }

    /// The same window with every class that can matter treated by itself.
    __device__ Partition plain(const Exact& exact) const {
        Partition plain = *this;
        plain.bulk_below = -Limits<F>::infinity();
        plain.negligible_below = window.low - static_cast<F>(exact.negligible_alone);
        return plain;
    }
};

/// A histogram of u, and the law's tails at the multiples of a bin's width.
template <class F, class Law = Normal<F>> struct Histogram {
    static constexpr int BINS = Law::BINS;
    int* counts;
    F* survival;
    F* cdf;
    F lowest, width;

    __device__ explicit Histogram(Arena& arena)
        : counts(arena.take<int>(BINS)), survival(arena.take<F>(2 * BINS + 1)), cdf(arena.take<F>(2 * BINS + 1)), lowest(0), width(0) {}

    /// The lower edge of bin m.
    __device__ F edge(int m) const { return lowest + static_cast<F>(m) * width; }

    /// Fills both, given the classes of a line and the interval of u, wider than anything that matters.
    template <class Line> __device__ void fill(const Line& line, const Partition<F, Law>& partition, F low, F high, int classes, Slots slots) {
        lowest = low;
        width = (high - low) / F(BINS);
        for (int b = threadIdx.x; b < BINS; b += blockDim.x) counts[b] = 0;
        for (int i = threadIdx.x; i <= 2 * BINS; i += blockDim.x) {
            survival[i] = Law::survival(static_cast<F>(i - BINS) * width);
            cdf[i] = Law::cdf(static_cast<F>(i - BINS) * width);
        }
        __syncthreads();
        int counted = 0;
        line.visit([&](int, F score) {
            F bin = (partition.unit(score) - lowest) / width;
            // Those far below are often nearly all: they are what is left.
            if (bin < F(1)) return;
            ++counted;
            atomicAdd(&counts[bin < F(BINS - 1) ? static_cast<int>(bin) : BINS - 1], 1);
        });
        counted = reduce(counted, Sum(), slots);
        if (threadIdx.x == 0) counts[0] = classes - counted;
        __syncthreads();
    }
};

/// ln of Chernoff's bound on P(N ≥ k) for a Poisson-binomial count of this mean.
template <class F> __device__ F at_least(int k, F mean) {
    F bound = static_cast<F>(k);
    return mean < bound ? bound - mean - bound * log(bound / mean) : F(0);
}

/// ln of Chernoff's bound on P(N ≤ j).
template <class F> __device__ F at_most(int j, F mean) {
    F bound = static_cast<F>(j);
    if (j == 0) return -mean;
    return mean > bound ? bound - mean - bound * log(bound / mean) : F(0);
}

/// ln of bounds on P(fewer than `rank` noised scores are above edge m) and on P(at least `rank` are).
template <class F> struct Bounds {
    F below, above;
};

template <class F, class Law> __device__ Bounds<F> bounds_at(int m, int rank, int num_classes, const Histogram<F, Law>& histogram) {
    constexpr int BINS = Law::BINS;
    int top_left = rank, sure_left = rank - 1;
    F above_low = 0, under_low = 0, union_low = 0, above_high = 0, under_high = 0, union_high = 0;
    for (int b = BINS - 1; b >= 0; --b) {
        int count = histogram.counts[b];
        if (count == 0) continue;
        F n = static_cast<F>(count);
        int place = BINS + m - b;
        // Every class is taken at the edge of its bin that makes the bound hold.
        F p = histogram.survival[place], q = histogram.cdf[place];
        int top = top_left < count ? top_left : count;
        top_left -= top;
        above_low += n * p;
        under_low += n * q;
        union_low += static_cast<F>(top) * q;
        int upper = place - 1;
        p = histogram.survival[upper];
        q = histogram.cdf[upper];
        int skipped = sure_left < count ? sure_left : count;
        sure_left -= skipped;
        above_high += n * p;
        under_high += n * q;
        union_high += static_cast<F>(count - skipped) * p;
    }
    Least least;
    F below = least(log(union_low), least(at_most(rank - 1, above_low), at_least(num_classes + 1 - rank, under_low)));
    F above = least(log(union_high), least(at_least(rank, above_high), at_most(num_classes - rank, under_high)));
    return {below, above};
}

/// Reads a row and divides its classes.
template <class T>
__device__ Partition<Real<T>> divide(const Row<T>& row, const Exact& exact, Real<T> center, Histogram<Real<T>>& histogram, Slots slots) {
    using F = Real<T>;
    constexpr int BINS = Histogram<F>::BINS;
    Partition<F> partition;
    partition.center = center;
    partition.scale = static_cast<F>(exact.mirrored ? -exact.hinge.epsilon : exact.hinge.epsilon);
    F reach = static_cast<F>(exact.reach);
    histogram.fill(Scores<T>{row}, partition, -reach, reach, row.num_classes, slots);

    F limit = log(Precision<F>::OUTSIDE);
    int rank = static_cast<int>(exact.rank), first_low = BINS, first_high = BINS;
    for (int m = threadIdx.x; m < BINS; m += blockDim.x) {
        Bounds<F> bounds = bounds_at(m, rank, row.num_classes, histogram);
        if (!(bounds.below <= limit)) first_low = m < first_low ? m : first_low;
        if (!(bounds.above > limit)) first_high = m < first_high ? m : first_high;
    }
    int low = reduce(first_low, Least(), slots), high = reduce(first_high, Least(), slots);
    low = low > 0 ? low - 1 : 0;
    high = high > low ? high : low + 1;
    partition.window = {histogram.edge(low), histogram.edge(high)};
    partition.sure_above = partition.window.high + static_cast<F>(exact.sure);
    // P(Z > t − u) is below a quarter: its powers converge fast.
    partition.bulk_below = partition.window.low - Normal<F>::UPPER_QUARTILE;
    partition.negligible_below = partition.window.low - static_cast<F>(exact.negligible);
    return partition;
}
