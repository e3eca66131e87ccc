// Cross-entropy: ln Σ exp(s_j) − s_y, see core/src/loss/softmax.rs. The scores are read once for the value and once for the gradient.
#include "batch.cuh"

/// Nothing: the loss has no parameter.
struct CrossEntropy {
    i64 unused;
};

/// Σ exp(s_j − largest) over some classes.
template <class F> struct Exponentials {
    F largest, sum;

    __device__ void add(F score) {
        if (score > largest) {
            sum = sum * exp(largest - score) + F(1);
            largest = score;
        } else {
            sum += exp(score - largest);
        }
    }
};

template <class T> __device__ void cross_entropy(const Batch& batch, const CrossEntropy&) {
    using F = Real<T>;
    Arena arena;
    Slots slots(arena);
    for_each_row<T>(batch, [&](const Row<T>& row) {
        F lowest = -Limits<F>::infinity();
        Exponentials<F> others = {lowest, 0};
        int bad = row.num_classes;
        for_each_score<2>(row, [&](int i, F score) {
            if (!is_finite(score)) bad = i < bad ? i : bad;
            else if (i != row.label) others.add(score);
        });
        bad = reduce(bad, Least(), slots);
        if (bad < row.num_classes) return Outcome<F>::failed(NOT_FINITE, bad);

        F own = widen(row.scores[row.label]);
        F largest = reduce(others.largest, Largest(), slots);
        largest = largest < own ? own : largest;
        F gap = largest - own;
        if (!is_finite(gap)) return Outcome<F>::failed(RANGE_OVERFLOW);
        F rest = reduce(others.sum == 0 ? F(0) : others.sum * exp(others.largest - largest), Sum(), slots);
        F total = rest + exp(-gap);
        if (!gradient_fits(row, F(1))) return Outcome<F>::failed(GRADIENT_OVERFLOW);
        write_grads(row, -rest / total, [&](int, F score) { return exp(score - largest) / total; });
        return Outcome<F>::fine(log1p(rest + expm1(-gap)) + gap);
    });
}

KERNEL(cross_entropy, CrossEntropy, 2)
