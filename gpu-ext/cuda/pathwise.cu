// The hinge of the mean over draws, with the mean of the draws' one-hot gradients, see core/src/estimator/pathwise.rs: the same classes win.
#include "noise.cuh"

template <class T> __device__ void pathwise(const Batch& batch, const Hinge& parameters) {
    using F = Real<T>;
    Arena arena;
    Slots slots(arena);
    int capacity = static_cast<int>(parameters.list_capacity), samples = static_cast<int>(parameters.num_samples);
    Selection<F> raw(arena, slots, capacity), drawn(arena, slots, capacity);
    F* noised = arena.take<F>(capacity);
    int* winners = arena.take<int>(samples);
    for_each_row<T>(batch, [&](const Row<T>& row) {
        Scores<T> line = {row};
        Prepared<T> prepared = prepare(row, line, parameters, raw);
        if (prepared.fault != FINE) return Outcome<F>::failed(prepared.fault, prepared.place);
        Noise<F> noise(parameters, row.example);
        F sum = 0;
        for (int draw = 0; draw < samples; ++draw) {
            F reach = least_reach(prepared, prepared.rank, noise, draw, noised);
            Noised<T> perturbed = {row, noise, static_cast<u64>(draw), prepared.center, reach};
            Ranked<F> winner = top_from(perturbed, prepared.rank, reach, drawn).kth(prepared.rank);
            sum = add(sum, winner.value);
            if (threadIdx.x == 0) winners[draw] = winner.index;
        }
        __syncthreads();
        F share = quotient(prepared.scale, static_cast<F>(samples));
        // As many shares as draws that a class won, added one by one like on the CPU.
        auto won_from = [&](int first, int index) {
            F entry = 0;
            for (int draw = first; draw < samples; ++draw)
                if (winners[draw] == index) entry = add(entry, share);
            return entry;
        };
        return settle(row, prepared.slack(quotient(sum, static_cast<F>(samples))), [&] {
            clear_grads(row);
            __syncthreads();
            if (row.grads == nullptr) return;
            for (int draw = threadIdx.x; draw < samples; draw += blockDim.x) {
                int index = winners[draw], first = 0;
                while (winners[first] != index) ++first;
                if (first == draw && index != row.label) row.grads[index] = narrow<T>(mul(won_from(draw, index), row.coefficient));
            }
            if (threadIdx.x == 0) row.grads[row.label] = narrow<T>(mul(sub(won_from(0, row.label), prepared.scale), row.coefficient));
        });
    });
}

KERNEL(pathwise, Hinge, 1)
