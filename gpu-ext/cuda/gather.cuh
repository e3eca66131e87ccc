// One read of a row that divides its classes, see core/src/exact/summary.rs.
#pragma once
#include "nodes.cuh"

/// Divides the classes of a line into those with individual care, which are listed, and the bulk, which is compressed.
template <class Line, class F, class Law>
__device__ Classes<F> gather(const Line& line, const Exact& exact, const Partition<F, Law>& partition, Bulk<F> bulk, Selection<F> list, bool& fits) {
    Moments<F> moments;
    int sure = 0, in_bulk = 0;
    __syncthreads();
    if (threadIdx.x == 0) *list.length = 0;
    __syncthreads();
    line.visit_slowly([&](int i, F score) {
        F u = partition.unit(score);
        if (partition.is_bulk(u)) {
            moments.add(partition.coordinate(u), partition.weight(u));
            ++in_bulk;
        } else if (partition.is_candidate(u)) {
            int place = atomicAdd(list.length, 1);
            if (place < exact.item_capacity) list.listed[place] = {u, i};
        } else if (partition.is_sure(u)) {
            ++sure;
        }
    });
    sure = reduce(sure, Sum(), list.slots);
    in_bulk = reduce(in_bulk, Sum(), list.slots);
    Classes<F> classes = {list.sorted, *list.length, in_bulk > 0 ? TERMS<F> : 0, 0, static_cast<int>(exact.rank) - sure};
    fits = classes.candidates <= exact.item_capacity && classes.depth > 0;
    if (!fits) return classes;
    sort_list(classes.candidates, list);
    if (classes.points > 0) {
        compress(moments, partition, bulk);
        classes.size = bulk.moments[0];
        for (int n = threadIdx.x; n < TERMS<F>; n += blockDim.x) list.sorted[classes.candidates + n] = {bulk.positions[n], -1};
    }
    __syncthreads();
    return classes;
}
