// The cross-entropy with a top-K margin: a softmax of scores that are lowered where they are guesses, see
// core/src/loss/top_k_margin_cross_entropy.rs.
#include "excess.cuh"
#include "exponentials.cuh"

/// Where the ramp of the soft mask starts, as in core/src/maximizer/soft_top_k_mask.rs.
template <class T> __device__ Real<T> ramp_start(const Convex<T>& convex, Real<T> width) {
    using F = Real<T>;
    F total = mul(convex.k, width), low = -Limits<F>::infinity(), high = -width, start = high, leap = width;
    if (convex.relative.excess(high, Limits<F>::infinity()).sum >= total) {
        int count;
        return convex.relative.root_above(total, high, count);
    }
    int whole = -1, between = -1;
    for (int step = 0;; ++step) {
        Excess<F> seen = convex.relative.excess(start, width);
        F surplus = add(seen.sum, mul(width, static_cast<F>(seen.whole) - convex.k));
        if (surplus == 0) return start;
        F root = add(start, quotient(surplus, static_cast<F>(seen.between)));
        if (seen.whole == whole && seen.between == between) return root;
        (surplus > 0 ? low : high) = start;
        bool is_newton = low < root && root < high && step % 4 != 3;
        whole = is_newton ? seen.whole : -1;
        between = is_newton ? seen.between : -1;
        F other = low > -Limits<F>::infinity() ? mul(add(low, high), F(0.5)) : sub(high, leap);
        F next = is_newton ? root : other;
        if (!(low < next && next < high)) return start;
        start = next;
        leap = add(leap, leap);
    }
}

template <class T> __device__ void top_k_margin_cross_entropy(const Batch& batch, const Hinge& parameters) {
    using F = Real<T>;
    Arena arena;
    Slots slots(arena);
    for_each_row<T>(batch, [&](const Row<T>& row) {
        Convex<T> convex = look_at(row, parameters, slots);
        if (convex.fault != FINE) return Outcome<F>::failed(convex.fault, convex.place);
        F scale = static_cast<F>(parameters.scale), width = quotient(convex.margin, scale), top = convex.relative.top;
        if (!(width > 0) || !is_finite(width)) return Outcome<F>::failed(RANGE_OVERFLOW);
        F start = ramp_start(convex, width);
        auto above = [&](F relative) {
            F above = sub(relative, start);
            above = above > 0 ? above : F(0);
            return above < width ? above : width;
        };
        auto lowered = [&](F score) {
            F relative = sub(score, top);
            return mul(scale, sub(relative, above(relative)));
        };
        Exponentials<F> others = {-Limits<F>::infinity(), 0};
        for_each_score<1>(row, [&](int i, F score) {
            F low = lowered(score);
            // A score so far below that its distance overflows has no share.
            if (i != row.label && is_finite(low)) others.add(low);
        });
        Softmax<F> softmax(others, lowered(widen(row.scores[row.label])), slots);
        if (!is_finite(softmax.gap)) return Outcome<F>::failed(RANGE_OVERFLOW);
        F loss = softmax.surprise() + scale * (width - above(convex.own));
        if (!is_finite(loss)) return Outcome<F>::failed(LOSS_OVERFLOW);
        write_grads(row, scale * softmax.own_entry(), [&](int, F score) { return scale * softmax.share(lowered(score)); });
        return Outcome<F>::fine(loss);
    });
}

KERNEL(top_k_margin_cross_entropy, Hinge, 2)
