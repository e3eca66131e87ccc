// How far each float is pushed; the numbers of core/src/exact/precision.rs.
#pragma once
#include "number.cuh"

template <class F> struct Precision;
template <> struct Precision<float> {
    /// The probability that may lie outside the window, at either end.
    static constexpr float OUTSIDE = 1e-7f;
    /// Of the Chebyshev expansions.
    static constexpr int DEGREE = 15;
    /// Nodes of the coarsest rule, which is halved at least once.
    static constexpr int NODES = 16;
    /// The bound on the quadrature's error at which halving stops.
    static constexpr float QUADRATURE = 1e-5f;
    /// The bound on the whole error above which the classes far below are treated one by one.
    static constexpr float TOLERANCE = 1e-3f;
};
template <> struct Precision<double> {
    static constexpr double OUTSIDE = 1e-11;
    static constexpr int DEGREE = 24;
    static constexpr int NODES = 24;
    static constexpr double QUADRATURE = 5e-8;
    static constexpr double TOLERANCE = 1e-7;
};

template <class F> constexpr int TERMS = Precision<F>::DEGREE + 1;

/// How often the rule may be halved.
constexpr int HALVINGS = 5;
