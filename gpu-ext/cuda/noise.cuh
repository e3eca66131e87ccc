// Noised scores, drawn afresh wherever they are needed: nothing of size batch × classes is ever stored.
#pragma once
#include "hinge.cuh"
#include "normal.cuh"

/// The noise of one row.
template <class F> struct Noise {
    F epsilon;
    Key key;

    __device__ Noise(const Hinge& hinge, i64 example)
        : epsilon(static_cast<F>(hinge.epsilon)), key(fold_in({hinge.key[0], hinge.key[1]}, static_cast<u64>(example))) {}

    /// (score − center) + ε·z for the class whose words these are.
    __device__ F noised(F score, F center, const Words& words, int place) const {
        return add(sub(score, center), mul(epsilon, normal_quantile(uniform<F>(words, place))));
    }

    __device__ F noised(F score, F center, u64 draw, int class_index) const {
        constexpr int CLASSES = CLASSES_A_CALL<F>;
        return noised(score, center, draw_words(key, draw, class_index / CLASSES), class_index % CLASSES);
    }
};

/// One draw of a row as a line, relative to the center, without the classes whose noise cannot lift them to `reach`.
template <class T> struct Noised {
    using F = Real<T>;
    const Row<T>& row;
    Noise<F> noise;
    u64 draw;
    F center;
    F reach;

    template <class Visit> __device__ void visit(Visit visit) const {
        constexpr int CLASSES = CLASSES_A_CALL<F>;
        // Rounding is monotonic, so no noised score is above its score with the farthest draw.
        F farthest = noise.epsilon * FARTHEST_DRAW<F>;
        int calls = (row.num_classes + CLASSES - 1) / CLASSES;
        for (int call = threadIdx.x; call < calls; call += blockDim.x) {
            F scores[CLASSES];
            bool any = false;
#pragma unroll
            for (int c = 0; c < CLASSES; ++c) {
                int i = call * CLASSES + c;
                scores[c] = i < row.num_classes ? widen(row.scores[i]) : -Limits<F>::infinity();
                any |= (scores[c] - center) + farthest >= reach;
            }
            if (!any) continue;
            Words words = draw_words(noise.key, draw, call);
#pragma unroll
            for (int c = 0; c < CLASSES; ++c) {
                int i = call * CLASSES + c;
                if (i < row.num_classes && (scores[c] - center) + farthest >= reach) visit(i, noise.noised(scores[c], center, words, c));
            }
        }
    }
};

/// A number that at least `rank` noised scores of a draw reach: the rank-th among the noised ones of the largest scores; −∞ if unknown.
template <class T> __device__ Real<T> least_reach(const Prepared<T>& prepared, int rank, const Noise<Real<T>>& noise, u64 draw, Real<T>* noised) {
    using F = Real<T>;
    int length = prepared.top.sorted;
    if (length < rank) return -Limits<F>::infinity();
    const Ranked<F>* sorted = prepared.top.selection.sorted;
    for (int j = threadIdx.x; j < length; j += blockDim.x) {
        noised[j] = noise.noised(sorted[j].value, prepared.center, draw, sorted[j].index);
    }
    __syncthreads();
    F reach = -Limits<F>::infinity();
    for (int j = threadIdx.x; j < length; j += blockDim.x) {
        Ranked<F> own = {noised[j], j};
        int ahead = 0;
        for (int other = 0; other < length; ++other) ahead += Ranked<F>{noised[other], other}.precedes(own);
        if (ahead == rank - 1) reach = own.value;
    }
    return reduce(reach, Largest(), prepared.top.selection.slots);
}
