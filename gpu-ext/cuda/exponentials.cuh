// The softmax as a label sees it, see core/src/loss/softmax.rs.
#pragma once
#include "batch.cuh"

/// Σ exp(s_j − largest) over some classes.
template <class F> struct Exponentials {
    F largest, sum;

    __device__ void add(F score) {
        if (score > largest) {
            sum = sum * exp(largest - score) + F(1);
            largest = score;
        } else {
            sum += exp(score - largest);
        }
    }
};

/// That of a whole row, given each thread's exponentials of classes that are not the label.
template <class F> struct Softmax {
    F largest, gap, rest, total;

    __device__ Softmax(const Exponentials<F>& others, F own, Slots slots) {
        largest = reduce(others.largest, Largest(), slots);
        largest = largest < own ? own : largest;
        gap = largest - own;
        rest = reduce(others.sum == 0 ? F(0) : others.sum * exp(others.largest - largest), Sum(), slots);
        total = rest + exp(-gap);
    }

    /// −ln p_y.
    __device__ F surprise() const { return log1p(rest + expm1(-gap)) + gap; }
    /// The label's entry of its gradient, and another's.
    __device__ F own_entry() const { return -rest / total; }
    __device__ F share(F score) const { return exp(score - largest) / total; }
};
