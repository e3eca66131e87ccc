// The smoothed order statistic and every class's share of it as integrals over t, see core/src/exact/rule.rs and quadrature.rs.
#pragma once
#include "nodes.cuh"

/// What is integrated for an order statistic: the shares themselves. Its value follows from P(at least as many as wanted above t).
template <class F> struct Mean {
    static constexpr bool OF_SHARES = false;

    __device__ F weight(F) const { return 1; }
    __device__ F tail(F) const { return 0; }
    /// Whether shares keep their digits where the likely classes fail against all odds.
    __device__ bool precise() const { return false; }
};

/// An integral that is made of shares, and its first moment: the error of one oscillates with the step and may be zero by chance.
template <class F> struct Scalar {
    F zeroth, first;

    __device__ void add(F value, F t) {
        zeroth += value;
        first += value * t;
    }
};

/// What the integrals come to.
template <class F> struct Solution {
    /// The order statistic in u, or the integral that is made of shares.
    F value;
    /// What a class's sum over the nodes is multiplied by.
    F gain;
    /// A bound on the rule's error, relative to the integral.
    F error;
    /// A bound on what the bulk's compression does to the shares, all together.
    F bulk_error;
    /// Whether the likely classes had room at every node.
    bool fits;
};

/// Sums of the items over the nodes of the rule so far, and over those that halve its step.
template <class F> struct Sums {
    F* coarse;
    F* fresh;
};

/// Integrates by the trapezoid rule, halved until its error is small enough. Leaves the items' sums in `sums.coarse`.
template <class Law, class Integrand, class F>
__device__ Solution<F> integrate(const Window<F>& window, const Integrand& integrand, const Classes<F>& classes, Bulk<F> bulk, Nodes<F> nodes,
                                 Sums<F> sums, Slots slots) {
    using P = Precision<F>;
    int items = classes.candidates + classes.points, count = 2 * P::NODES;
    // A window much wider than the noise starts from a finer rule.
    while (static_cast<F>(count) < F(2) * (window.high - window.low) && count < 16 * P::NODES) count *= 2;
    Scalar<F> coarse = {0, 0};
    bool precise = integrand.precise();
    F step = (window.high - window.low) / static_cast<F>(count), start = window.low + step * F(0.5);
    F rounding = (F(32) + F(0.25) * static_cast<F>(classes.candidates)) * Limits<F>::EPSILON;
    F survival = 0, bulk_error = 0, error = 0, total = 0, ratio_bound = 0;
    for (int c = threadIdx.x; c < items; c += blockDim.x) sums.coarse[c] = 0;
    for (int halving = 0; halving <= HALVINGS; ++halving) {
        // The first level holds two rules, the odd nodes halving the even ones' step.
        bool first = halving == 0;
        for (int c = threadIdx.x; c < items; c += blockDim.x) sums.fresh[c] = 0;
        Scalar<F> fresh = {0, 0};
        bool fits = true;
        for (int begin = 0; begin < count; begin += nodes.group) {
            int here = count - begin < nodes.group ? count - begin : nodes.group;
            __syncthreads();
            for (int q = threadIdx.x; q < here; q += blockDim.x) {
                nodes.t[q] = start + step * (static_cast<F>(begin + q) + (first ? F(0) : F(0.5)));
                F t = nodes.t[q];
                NodeSums<F> node = fill_node<Law>(q, classes, bulk, nodes);
                nodes.weights[q] = integrand.weight(t);
                nodes.tails[q] = integrand.tail(t);
                survival += node.survival;
                bulk_error += (nodes.weights[q] + nodes.tails[q]) * node.bulk_error;
                fits = fits && node.fits;
            }
            __syncthreads();
            for (int c = threadIdx.x; c < items; c += blockDim.x) {
                F u = classes.items[c].value, even = 0, odd = 0;
                F multiplicity = c < classes.candidates ? F(1) : bulk.multiplicities[c - classes.candidates];
                for (int q = 0; q < here; ++q) {
                    F share = share_at<Law>(q, u, classes.depth, nodes, precise);
                    bool is_even = first && (begin + q) % 2 == 0;
                    (is_even ? even : odd) += nodes.weights[q] * share;
                    if constexpr (Integrand::OF_SHARES) {
                        (is_even ? coarse : fresh).add(multiplicity * nodes.tails[q] * share, nodes.t[q] - window.low);
                    }
                }
                sums.coarse[c] += even;
                sums.fresh[c] += odd;
            }
        }
        if (!reduce(static_cast<int>(fits), Least(), slots)) return {0, 0, 0, 0, false};
        if (!first) {
            step *= F(0.5);
            count *= 2;
        }
        F change = 0, bulk_ratio = 0, expected = 0;
        total = 0;
        for (int c = threadIdx.x; c < items; c += blockDim.x) {
            F moved = fabs(sums.coarse[c] - sums.fresh[c]);
            sums.coarse[c] += sums.fresh[c];
            if (c < classes.candidates) {
                change += moved;
                total += sums.coarse[c];
            } else {
                // Weights may be negative, so the bulk's change is bounded by the largest one relative to p at the window's lower end.
                int n = c - classes.candidates;
                F p = Law::survival(window.low - bulk.positions[n]);
                bulk_ratio = bulk_ratio < moved / p ? moved / p : bulk_ratio;
                expected += bulk.multiplicities[n] * p;
                total += bulk.multiplicities[n] * sums.coarse[c];
            }
        }
        total = step * reduce(total, Sum(), slots);
        change = reduce(change, Sum(), slots);
        ratio_bound = reduce(bulk_ratio, Largest(), slots) * Largest()(reduce(expected, Sum(), slots), F(0));
        F share = step * (change + ratio_bound);
        if constexpr (Integrand::OF_SHARES) {
            // Those of all threads, which from here on belong to the first.
            Scalar<F> old = {reduce(coarse.zeroth, Sum(), slots), reduce(coarse.first, Sum(), slots)};
            Scalar<F> moved = {old.zeroth - reduce(fresh.zeroth, Sum(), slots), old.first - reduce(fresh.first, Sum(), slots)};
            F centroid = old.zeroth == 0 ? F(0) : old.first / old.zeroth;
            share += step * (fabs(moved.zeroth) + fabs(moved.first - centroid * moved.zeroth));
            bool keeps = threadIdx.x == 0;
            coarse = {keeps ? F(2) * old.zeroth - moved.zeroth : F(0), keeps ? F(2) * old.first - moved.first : F(0)};
            F scalar = step * (F(2) * old.zeroth - moved.zeroth);
            share = scalar > 0 ? share / scalar : F(0);
            total = 1;
        }
        // The rule of an analytic integrand squares its error at each halving, up to this factor. What rounding does to the sum no finer
        // rule would mend.
        F squared = F(30) * share * share, surplus = fabs(total - F(1)) - rounding;
        error = squared + F(2) * (surplus > 0 ? surplus : F(0));
        bool converged = error <= P::QUADRATURE || (squared <= F(0.01) * P::QUADRATURE && !first);
        if (converged) break;
    }
    survival = reduce(survival, Sum(), slots);
    bulk_error = step * reduce(bulk_error, Sum(), slots);
    // The total is known, so the common part of the error is divided out.
    F gain = step / total, value = (start - step * F(0.5)) + step * survival;
    if constexpr (Integrand::OF_SHARES) value = step * reduce(coarse.zeroth, Sum(), slots);
    for (int n = threadIdx.x; n < classes.points; n += blockDim.x) bulk.values[n] = gain * sums.coarse[classes.candidates + n];
    F interpolation = 0;
    if (classes.points > 0) {
        interpolate(bulk);
        F last = fabs(bulk.coefficients[P::DEGREE]) + fabs(bulk.coefficients[P::DEGREE - 1]);
        interpolation = classes.size * last;
    }
    return {value, gain, error + rounding, bulk_error + interpolation, true};
}
