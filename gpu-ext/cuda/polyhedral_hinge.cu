// The polyhedral top-K hinge: a read for the largest score, one for each step of a search, one for the gradient, see
// core/src/loss/polyhedral_hinge.rs.
#include "excess.cuh"

template <class T> __device__ void polyhedral_hinge(const Batch& batch, const Hinge& hinge) {
    using F = Real<T>;
    Arena arena;
    Slots slots(arena);
    for_each_row<T>(batch, [&](const Row<T>& row) {
        Convex<T> convex = look_at(row, hinge, slots);
        if (convex.fault != FINE) return Outcome<F>::failed(convex.fault, convex.place);
        const Relative<T>& relative = convex.relative;
        int count = 0;
        F threshold = relative.root_above(convex.total, -convex.total, count);
        F level = add(convex.margin, threshold), scale = static_cast<F>(hinge.scale);
        bool is_shared = level > 0 && count > convex.k;
        return settle(row, mul(scale, is_shared ? sub(level, convex.own) : -convex.own), [&] {
            if (is_shared) {
                F share = quotient(scale, static_cast<F>(count));
                F own = convex.own > threshold ? share - scale : -scale;
                write_grads(row, own, [&](int, F score) { return sub(score, relative.top) > threshold ? share : F(0); });
                return;
            }
            int leader = row.num_classes;
            for_each_score<2>(row, [&](int i, F score) {
                if (score == relative.top && i < leader) leader = i;
            });
            leader = reduce(leader, Least(), slots);
            write_grads(row, -scale, [&](int i, F) { return i == leader ? scale : F(0); });
        });
    });
}

KERNEL(polyhedral_hinge, Hinge, 2)
