// Cross-entropy: ln Σ exp(s_j) − s_y, see core/src/loss/softmax.rs. The scores are read once for the value and once for the gradient.
#include "exponentials.cuh"

/// Nothing: the loss has no parameter.
struct CrossEntropy {
    i64 unused;
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

        Softmax<F> softmax(others, widen(row.scores[row.label]), slots);
        if (!is_finite(softmax.gap)) return Outcome<F>::failed(RANGE_OVERFLOW);
        if (!gradient_fits(row, F(1))) return Outcome<F>::failed(GRADIENT_OVERFLOW);
        write_grads(row, softmax.own_entry(), [&](int, F score) { return softmax.share(score); });
        return Outcome<F>::fine(softmax.surprise());
    });
}

KERNEL(cross_entropy, CrossEntropy, 2)
