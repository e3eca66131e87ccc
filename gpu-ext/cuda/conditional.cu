// The hinge of the mean over draws, each class's own noise averaged out, see core/src/estimator/conditional.rs.
#include "law.cuh"
#include "noise.cuh"

/// The order statistics of one draw around the wanted one.
template <class F> struct Neighbours {
    F above, value, below;
};

/// From here the survival function is 0 in the float.
template <class F> constexpr F VANISHED = F(14.5);
template <> constexpr double VANISHED<double> = 39.0;

/// P(low < Z ≤ high), as the difference of the smaller tails.
template <class F> __device__ F probability_between(F low, F high) {
    if (low > 0 || high == Limits<F>::infinity()) return Normal<F>::survival(low) - Normal<F>::survival(high);
    return Normal<F>::cdf(high) - Normal<F>::cdf(low);
}

template <class T> __device__ void conditional(const Batch& batch, const Hinge& parameters) {
    using F = Real<T>;
    constexpr int CLASSES = CLASSES_A_CALL<F>;
    Arena arena;
    Slots slots(arena);
    int capacity = static_cast<int>(parameters.list_capacity), samples = static_cast<int>(parameters.num_samples);
    Selection<F> raw(arena, slots, capacity), drawn(arena, slots, capacity);
    F* noised = arena.take<F>(capacity);
    Neighbours<F>* brackets = arena.take<Neighbours<F>>(samples);
    for_each_row<T>(batch, [&](const Row<T>& row) {
        Scores<T> line = {row};
        Prepared<T> prepared = prepare(row, line, parameters, raw);
        if (prepared.fault != FINE) return Outcome<F>::failed(prepared.fault, prepared.place);
        Noise<F> noise(parameters, row.example);
        F infinity = Limits<F>::infinity(), sum = 0, lowest = infinity;
        int rank = prepared.rank, deepest = rank < row.num_classes ? rank + 1 : rank;
        for (int draw = 0; draw < samples; ++draw) {
            F reach = least_reach(prepared, deepest, noise, draw, noised);
            Noised<T> perturbed = {row, noise, static_cast<u64>(draw), prepared.center, reach};
            auto top = top_from(perturbed, deepest, reach, drawn);
            Neighbours<F> around = {rank > 1 ? top.kth(rank - 1).value : infinity, top.kth(rank).value,
                                    deepest > rank ? top.kth(deepest).value : -infinity};
            sum = add(sum, around.value);
            lowest = around.value < lowest ? around.value : lowest;
            if (threadIdx.x == 0) brackets[draw] = around;
        }
        __syncthreads();
        F share = prepared.scale / static_cast<F>(samples);
        return settle(row, prepared.slack(quotient(sum, static_cast<F>(samples))), [&] {
            if (row.grads == nullptr) return;
            int calls = (row.num_classes + CLASSES - 1) / CLASSES;
            for (int call = threadIdx.x; call < calls; call += blockDim.x) {
                F scores[CLASSES], entries[CLASSES];
                bool any = false;
#pragma unroll
                for (int c = 0; c < CLASSES; ++c) {
                    int i = call * CLASSES + c;
                    scores[c] = i < row.num_classes ? sub(widen(row.scores[i]), prepared.center) : -infinity;
                    entries[c] = i == row.label ? -prepared.scale : F(0);
                    any |= (lowest - scores[c]) / noise.epsilon < VANISHED<F>;
                }
                for (int draw = 0; any && draw < samples; ++draw) {
                    Words words = draw_words(noise.key, draw, call);
                    Neighbours<F> around = brackets[draw];
#pragma unroll
                    for (int c = 0; c < CLASSES; ++c) {
                        F drawn_score = noise.noised(scores[c], F(0), words, c);
                        F low = drawn_score >= around.value ? around.below : around.value;
                        F high = drawn_score > around.value ? around.value : around.above;
                        entries[c] += share * probability_between((low - scores[c]) / noise.epsilon, (high - scores[c]) / noise.epsilon);
                    }
                }
#pragma unroll
                for (int c = 0; c < CLASSES; ++c)
                    if (int i = call * CLASSES + c; i < row.num_classes) row.grads[i] = narrow<T>(entries[c] * row.coefficient);
            }
        });
    });
}

KERNEL(conditional, Hinge, 1)
