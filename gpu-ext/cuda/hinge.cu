// The calibrated top-K hinge itself: one read of the scores to find a threshold, one to list what reaches it, and zeros to write.
#include "hinge.cuh"

template <class T> __device__ void hinge(const Batch& batch, const Hinge& parameters) {
    using F = Real<T>;
    Arena arena;
    Slots slots(arena);
    Selection<F> selection(arena, slots, static_cast<int>(parameters.list_capacity));
    for_each_row<T>(batch, [&](const Row<T>& row) {
        Scores<T> line = {row};
        Prepared<T> prepared = prepare(row, line, parameters, selection);
        if (prepared.fault != FINE) return Outcome<F>::failed(prepared.fault, prepared.place);
        return settle(row, prepared.slack(0), [&] {
            clear_grads(row);
            __syncthreads();
            if (threadIdx.x == 0 && row.grads != nullptr && prepared.center_index != row.label) {
                row.grads[prepared.center_index] = narrow<T>(prepared.scale * row.coefficient);
                row.grads[row.label] = narrow<T>(-prepared.scale * row.coefficient);
            }
        });
    });
}

KERNEL(hinge, Hinge, 2)
