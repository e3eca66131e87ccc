// −ln P(the label is among the K largest noised scores) under Gumbel noise, see core/src/loss/top_k_cross_entropy.rs.
#include "inclusion.cuh"
#include "gather.cuh"
#include "quadrature.cuh"

/// The classes other than the label as a line.
template <class T> struct Others {
    const Row<T>& row;

    template <class Visit> __device__ void visit(Visit visit) const {
        for_each_score<2>(row, [&](int i, Real<T> score) {
            if (i != row.label) visit(i, score);
        });
    }
    template <class Visit> __device__ void visit_slowly(Visit visit) const {
        for_each_score<1>(row, [&](int i, Real<T> score) {
            if (i != row.label) visit(i, score);
        });
    }
};

/// Under the exponential tail, P(Y > t) is proportional to exp(u_y) to the last digit once the label is this far below.
constexpr int LINEAR_BELOW = 96;

/// How far beside the rank a label is given room among the bins.
constexpr int ROOM = 48;

template <class T> __device__ void top_k_cross_entropy(const Batch& batch, const Exact& parameters) {
    using F = Real<T>;
    using Law = Gumbel<F>;
    Arena arena;
    Slots slots(arena);
    int room = static_cast<int>(parameters.item_capacity) + TERMS<F>, rank = static_cast<int>(parameters.rank);
    Selection<F> list(arena, slots, room);
    Sums<F> sums = {arena.take<F>(room), arena.take<F>(room)};
    Histogram<F, Law> histogram(arena);
    Bulk<F> bulk(arena);
    Nodes<F> all_nodes(arena, parameters);
    F epsilon = static_cast<F>(parameters.hinge.epsilon);
    bulk.fill_cosines();
    for_each_row<T>(batch, [&](const Row<T>& row) {
        Others<T> line = {row};
        Extremes<F> seen = survey(row, slots);
        if (seen.bad < row.num_classes) return Outcome<F>::failed(NOT_FINITE, seen.bad);
        F largest = -Limits<F>::infinity();
        line.visit([&](int, F score) { largest = largest < score ? score : largest; });
        F center = top_from(line, rank, threshold_from(largest, rank, list), list).kth(rank).value;
        F lead = (widen(row.scores[row.label]) - center) / epsilon;
        F most = reduce(seen.largest, Largest(), slots);
        if (!is_finite(lead) || !is_finite(most - center) || !is_finite(seen.least - center)) return Outcome<F>::failed(RANGE_OVERFLOW);
        if (!gradient_fits(row, F(1) / epsilon)) return Outcome<F>::failed(GRADIENT_OVERFLOW);

        F label = lead < F(-LINEAR_BELOW) ? F(-LINEAR_BELOW) : lead, beyond = label - lead;
        Partition<F, Law> partition;
        partition.center = center;
        partition.scale = epsilon;
        F reach = static_cast<F>(parameters.reach), down = label < F(-ROOM) ? F(-ROOM) : label, up = label > F(ROOM) ? F(ROOM) : label;
        histogram.fill(line, partition, (down < 0 ? down : F(0)) - reach, (up > 0 ? up : F(0)) + reach, row.num_classes - 1, slots);
        Inclusion<F> decided = inclusion(label, rank, row.num_classes - 1, histogram, slots);
        if (!decided.accurate) return Outcome<F>::failed(INACCURATE);
        Weights<F, Law> weights(label, decided);
        if (!(weights.scale > -Limits<F>::infinity())) {
            // A label that is certain to be above loses nothing.
            clear_grads(row);
            return Outcome<F>::fine(0);
        }
        partition.window = decided.window;
        partition.sure_above = partition.window.high + static_cast<F>(parameters.sure);
        partition.negligible_below = -Limits<F>::infinity();
        // Leaving a class of the bulk out of the count must not change it by more than it is.
        F at_most = decided.reached * F(0.5), below = at_most < F(0.25) ? Law::reach(at_most) : Law::UPPER_QUARTILE;
        partition.bulk_below = partition.window.low - below;
        bool fits;
        Classes<F> classes = gather(line, parameters, partition, bulk, list, fits);
        Solution<F> solution = {0, 0, 0, 0, false};
        Nodes<F> nodes = all_nodes;
        while (fits && !solution.fits && nodes.group > 0) {
            solution = integrate<Law>(partition.window, weights, classes, bulk, nodes, sums, slots);
            nodes.group /= 2;
        }
        if (!solution.fits) return Outcome<F>::failed(INACCURATE);

        F value, factor;
        if (decided.label_above) {
            value = beyond - weights.scale - log(solution.value);
            factor = F(1) / solution.value;
        } else {
            F scale = exp(weights.scale), missed = solution.value * scale;
            value = -log1p(-missed);
            factor = scale / (F(1) - missed);
        }
        F error_bound = factor * (solution.error * solution.value + solution.bulk_error);
        if (!(error_bound <= Precision<F>::TOLERANCE)) return Outcome<F>::failed(INACCURATE);
        if (!is_finite(value)) return Outcome<F>::failed(LOSS_OVERFLOW);
        F gain = factor * solution.gain;
        // The label's entry makes the gradient sum to zero.
        F others = 0;
        for (int c = threadIdx.x; c < classes.candidates + classes.points; c += blockDim.x) {
            F multiplicity = c < classes.candidates ? F(1) : bulk.multiplicities[c - classes.candidates];
            others += multiplicity * sums.coarse[c];
        }
        others = gain * reduce(others, Sum(), slots);
        write_grads(row, -others / epsilon, [&](int, F score) {
            F u = partition.unit(score);
            if (!partition.is_bulk(u)) return F(0);
            F share = partition.weight(u) * chebyshev(bulk.coefficients, partition.coordinate(u));
            return share > 0 ? factor * share / epsilon : F(0);
        });
        __syncthreads();
        if (row.grads != nullptr) {
            for (int c = threadIdx.x; c < classes.candidates; c += blockDim.x) {
                row.grads[classes.items[c].index] = narrow<T>(gain * sums.coarse[c] / epsilon * row.coefficient);
            }
        }
        return Outcome<F>::fine(value > 0 ? value : F(0));
    });
}

KERNEL(top_k_cross_entropy, Exact, 1)
