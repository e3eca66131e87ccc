// The hinge over the exactly smoothed order statistic: no random number, linear time, see core/src/estimator/exact.rs.
#include "gather.cuh"
#include "quadrature.cuh"

template <class T> __device__ void exact(const Batch& batch, const Exact& parameters) {
    using F = Real<T>;
    Arena arena;
    Slots slots(arena);
    int room = static_cast<int>(parameters.item_capacity) + TERMS<F>;
    Selection<F> list(arena, slots, room);
    Sums<F> sums = {arena.take<F>(room), arena.take<F>(room)};
    Histogram<F> histogram(arena);
    Bulk<F> bulk(arena);
    Nodes<F> all_nodes(arena, parameters);
    bulk.fill_cosines();
    for_each_row<T>(batch, [&](const Row<T>& row) {
        Scores<T> line = {row};
        Prepared<T> prepared = prepare(row, line, parameters.hinge, list);
        if (prepared.fault != FINE) return Outcome<F>::failed(prepared.fault, prepared.place);
        Partition<F> partition = divide(row, parameters, prepared.center, histogram, slots);
        Classes<F> classes;
        Solution<F> solution = {0, 0, 0, 0, false};
        // The fast form, and where it cannot vouch for its result the plain one.
        for (bool plain : {false, true}) {
            if (plain) partition = partition.plain(parameters);
            bool fits;
            classes = gather(line, parameters, partition, bulk, list, fits);
            Nodes<F> nodes = all_nodes;
            solution.fits = false;
            // Where many classes are likely above t, fewer nodes at a time leave room for them.
            while (fits && !solution.fits && nodes.group > 0) {
                solution = integrate<Normal<F>>(partition.window, Mean<F>(), classes, bulk, nodes, sums, slots);
                nodes.group /= 2;
            }
            F error_bound = solution.error + solution.bulk_error + F(8) * Precision<F>::OUTSIDE;
            if (solution.fits && error_bound <= Precision<F>::TOLERANCE) break;
            solution.fits = false;
        }
        if (!solution.fits) return Outcome<F>::failed(INACCURATE);
        F unit = prepared.scale;
        return settle(row, prepared.slack(partition.scale * solution.value), [&] {
            auto entry = [&](F score) {
                F u = partition.unit(score);
                if (!partition.is_bulk(u)) return F(0);
                F share = partition.weight(u) * chebyshev(bulk.coefficients, partition.coordinate(u));
                return share > 0 ? unit * share : F(0);
            };
            write_grads(row, entry(widen(row.scores[row.label])) - unit, [&](int, F score) { return entry(score); });
            __syncthreads();
            if (row.grads == nullptr) return;
            for (int c = threadIdx.x; c < classes.candidates; c += blockDim.x) {
                int i = classes.items[c].index;
                F share = unit * (solution.gain * sums.coarse[c]);
                row.grads[i] = narrow<T>((i == row.label ? share - unit : share) * row.coefficient);
            }
        });
    });
}

KERNEL(exact, Exact, 1)
