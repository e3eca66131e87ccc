// How many noised scores exceed t, for several t at once, a thread each, see core/src/exact/counts.rs and node.rs.
#pragma once
#include "bulk.cuh"

/// Powers of p/(1 − p) that are kept in the logarithm of the bulk's generating function.
constexpr int POWERS = 18;

/// The distributions at a group of nodes; entry j of node q is at j · group + q.
template <class F> struct Nodes {
    F* t;
    /// How many of the unlikely classes and of the bulk are above t, up to the wanted rank.
    F* low;
    /// How many of all are.
    F* all;
    /// How many of the likely classes are not above t.
    F* failures;
    F* derivative;
    int* likely;
    /// What the shares at each node are multiplied by: for the gradient, and for the value where it is made of shares.
    F* weights;
    F* tails;
    int group;
    /// Entries of `failures` in all.
    int pool;

    __device__ Nodes(Arena& arena, const Exact& exact)
        : t(arena.take<F>(static_cast<int>(exact.group))), low(arena.take<F>(static_cast<int>(exact.group * exact.rank))),
          all(arena.take<F>(static_cast<int>(exact.group * exact.rank))),
          failures(arena.take<F>(static_cast<int>(exact.group * exact.failure_capacity))),
          derivative(arena.take<F>(static_cast<int>(exact.group * POWERS))), likely(arena.take<int>(static_cast<int>(exact.group))),
          weights(arena.take<F>(static_cast<int>(exact.group))), tails(arena.take<F>(static_cast<int>(exact.group))),
          group(static_cast<int>(exact.group)), pool(static_cast<int>(exact.group * exact.failure_capacity)) {}
};

/// A thread's own node.
template <class F> struct Column {
    F* start;
    int stride;

    __device__ F& operator[](int j) const { return start[j * stride]; }
};

/// Adds a trial of success probability p to the distribution of a count. What lies beyond `length` is dropped.
template <class F> __device__ void add_trial(Column<F> counts, int length, F p) {
    for (int j = length - 1; j >= 0; --j) {
        F before = j > 0 ? counts[j - 1] : F(0);
        // Not q·count + p·before: the rounding of q = 1 − p is the same for tied classes, and adds up.
        F sum = counts[j] + p * (before - counts[j]);
        counts[j] = sum > vanishing<F>() ? sum : F(0);
    }
}

/// counts ← exp(constant + Σ_j s_j xʲ), given the j·s_j, scaled down on the way when it grows.
template <class F> __device__ void exp_series(F constant, Column<F> derivative, int powers, Column<F> counts, int length) {
    F logarithm = constant;
    for (int n = 0; n < length; ++n) {
        F sum = 0;
        for (int j = 0; j < powers && j < n; ++j) sum += derivative[j] * counts[n - 1 - j];
        F term = n == 0 ? F(1) : sum / static_cast<F>(n);
        counts[n] = term;
        if (term > Limits<F>::SQRT_MAX) {
            for (int j = 0; j <= n; ++j) counts[j] /= Limits<F>::SQRT_MAX;
            logarithm += Limits<F>::LN_SQRT_MAX;
        }
    }
    F scale = exp(logarithm);
    for (int n = 0; n < length; ++n) {
        F count = counts[n] * scale;
        counts[n] = count > vanishing<F>() ? count : vanishing<F>();
    }
}

/// What a node knows beside its distributions.
template <class F> struct NodeSums {
    /// P(at least as many as wanted above t).
    F survival;
    /// A bound on the error of the shares, all together, that the compression of the bulk makes.
    F bulk_error;
    /// Whether the likely classes had room.
    bool fits;
};

/// The classes as the nodes see them.
template <class F> struct Classes {
    /// Those treated by themselves, then the bulk's points.
    const Ranked<F>* items;
    int candidates;
    /// The number of the bulk's points, 0 without a bulk.
    int points;
    /// Σ of the weights of the bulk's classes.
    F size;
    /// The wanted rank below the sure classes.
    int depth;
};

/// The bulk's distribution; returns a bound on its relative error.
template <class Law, class F> __device__ F bulk_counts(F t, const Classes<F>& classes, Bulk<F> bulk, Column<F> derivative, Column<F> low) {
    int powers = classes.depth - 1 < POWERS ? classes.depth - 1 : POWERS;
    for (int j = 0; j < powers; ++j) derivative[j] = 0;
    F constant = 0, dropped = 0;
    for (int n = 0; n < classes.points; ++n) {
        F p = Law::survival(t - bulk.positions[n]), multiplicity = bulk.multiplicities[n];
        constant += multiplicity * log1p(-p);
        F ratio = p / (F(1) - p), power = F(-1);
        for (int j = 0; j < powers; ++j) {
            power *= -ratio;
            derivative[j] += multiplicity * power;
        }
        if (classes.depth > powers + 1) {
            F left = fabs(power * ratio) / bulk.tails[n];
            dropped = dropped < left ? left : dropped;
        }
    }
    exp_series(constant, derivative, powers, low, classes.depth);
    F truncated = bulk.truncation([&](int n) { return log1p(-Law::survival(t - bulk.positions[n])) / bulk.tails[n]; });
    return classes.size * (truncated + dropped / F(POWERS));
}

/// Fills the distributions of node q, by one thread.
template <class Law, class F> __device__ NodeSums<F> fill_node(int q, const Classes<F>& classes, Bulk<F> bulk, Nodes<F> nodes) {
    int group = nodes.group, depth = classes.depth, room = nodes.pool / group, likely = 0;
    Column<F> low = {nodes.low + q, group}, all = {nodes.all + q, group}, failures = {nodes.failures + q, group};
    F t = nodes.t[q], bulk_error = 0, rate = 0;
    if (classes.points > 0) {
        bulk_error = bulk_counts<Law>(t, classes, bulk, Column<F>{nodes.derivative + q, group}, low);
    } else {
        for (int j = 0; j < depth; ++j) low[j] = j == 0 ? F(1) : F(0);
    }
    failures[0] = 1;
    for (int c = 0; c < classes.candidates; ++c) {
        F z = t - classes.items[c].value;
        if (z >= Law::MEDIAN) {
            F p = Law::survival(z);
            add_trial(low, depth, p);
            rate += p * Law::hazard(z);
        } else {
            if (++likely >= room) {
                // The result is thrown away, but the shares are still asked for.
                nodes.likely[q] = 0;
                return {0, 0, false};
            }
            failures[likely] = 0;
            add_trial(failures, likely + 1, Law::cdf(z));
            rate += Law::PEAK;
        }
    }
    for (int n = 0; n < classes.points; ++n) rate += bulk.multiplicities[n] * Law::pdf(t - bulk.positions[n]);
    F fewer = 0;
    for (int j = 0; j < depth; ++j) {
        F sum = 0;
        for (int m = likely > j ? likely - j : 0; m <= likely; ++m) sum += failures[m] * low[j - likely + m];
        all[j] = sum;
        fewer += sum;
    }
    nodes.likely[q] = likely;
    F survival = F(1) - fewer, near = all[depth - 1] + (depth > 1 ? all[depth - 2] : F(0));
    return {survival > 0 ? survival : F(0), bulk_error * (rate > 0 ? rate : F(0)) * near, true};
}

/// Class u's share of the density of the wanted order statistic at node q: f(t − u) · P(one less than wanted of the others above t).
template <class Law, class F> __device__ F share_at(int q, F u, int depth, const Nodes<F>& nodes, bool precise) {
    int group = nodes.group;
    F z = nodes.t[q] - u;
    if (z >= Law::MEDIAN) {
        // Leaving the class out: forward division, stable where p ≤ ½.
        F p = Law::survival(z), ratio = p / (F(1) - p), previous = 0;
        for (int j = 0; j < depth; ++j) {
            F rest = nodes.all[j * group + q] - ratio * previous;
            previous = rest > vanishing<F>() ? rest : F(0);
        }
        return Law::pdf(z) * previous / (F(1) - p);
    }
    // Elsewhere by counting failures.
    int likely = nodes.likely[q];
    F p = Law::cdf(z), ratio = p / (F(1) - p), previous = 0, sum = 0;
    auto visit = [&](int m, F failures) {
        int place = depth + m - likely;
        if (place >= 0 && place < depth) sum += failures * nodes.low[place * group + q];
    };
    int m = 0;
    for (; m < likely; ++m) {
        F count = nodes.failures[m * group + q], taken = ratio * previous, rest = count - taken;
        // To its own last digit only while it is the larger part; from there backwards.
        if (precise && taken > rest) break;
        previous = rest > vanishing<F>() ? rest : F(0);
        visit(m, previous);
    }
    F next = 0;
    for (int place = likely; place > m; --place) {
        F count = nodes.failures[place * group + q], rest = count - next;
        next = count > vanishing<F>() && rest > 0 ? rest / ratio : F(0);
        visit(place - 1, next);
    }
    return Law::pdf(z) * sum / (F(1) - p);
}
