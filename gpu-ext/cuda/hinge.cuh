// What the hard and the smoothed top-K hinge have in common: scale · (m_y + top − s_y)₊, see core/src/loss/hinge.rs.
#pragma once
#include "philox.cuh"
#include "select.cuh"

/// The same bytes as `Hinge` in ../src/plan/arguments.rs.
struct Hinge {
    /// One a class in the computed float; may be null: `margin` for all.
    const void* margins;
    double margin;
    double scale;
    double epsilon;
    /// K + 1.
    i64 rank;
    i64 num_samples;
    u32 key[2];
    /// How many classes fit the list of a selection.
    i64 list_capacity;
};

/// What one read of a row tells.
template <class F> struct Extremes {
    F largest, least;
    /// The first class whose score is NaN or infinite, or the number of classes.
    int bad;
};

/// Reads a row once: this thread's largest score, the row's least, and whether all are finite.
template <class T> __device__ Extremes<Real<T>> survey(const Row<T>& row, Slots slots) {
    using F = Real<T>;
    Extremes<F> seen = {-Limits<F>::infinity(), Limits<F>::infinity(), row.num_classes};
    for_each_score<4>(row, [&](int i, F score) {
        if (!is_finite(score)) seen.bad = i < seen.bad ? i : seen.bad;
        seen.largest = seen.largest < score ? score : seen.largest;
        seen.least = score < seen.least ? score : seen.least;
    });
    seen.bad = reduce(seen.bad, Least(), slots);
    seen.least = reduce(seen.least, Least(), slots);
    return seen;
}

/// A row, its largest scores, and where the hinge stands; scores are taken relative to the (K+1)-th, so that a large offset cancels.
template <class T> struct Prepared {
    using F = Real<T>;
    Fault fault;
    u64 place;
    int rank;
    F center;
    int center_index;
    /// s_y − center.
    F lead;
    F margin;
    F scale;
    Top<F, Scores<T>> top;

    /// scale · (m_y + f − lead), where f is the order statistic relative to the center.
    __device__ F slack(F f) const { return mul(add(margin, sub(f, lead)), scale); }
};

template <class T> __device__ Prepared<T> prepare(const Row<T>& row, const Scores<T>& line, const Hinge& hinge, Selection<Real<T>> selection) {
    using F = Real<T>;
    Prepared<T> prepared = {FINE, 0, static_cast<int>(hinge.rank), 0, 0, 0, static_cast<F>(hinge.margin), static_cast<F>(hinge.scale),
                            {line, selection, 0}};
    Extremes<F> seen = survey(row, selection.slots);
    if (seen.bad < row.num_classes) {
        prepared.fault = NOT_FINITE;
        prepared.place = seen.bad;
        return prepared;
    }
    F threshold = threshold_from(seen.largest, prepared.rank, selection);
    F largest = reduce(seen.largest, Largest(), selection.slots);
    int length = list_from(line, threshold, selection);
    if (length <= selection.capacity) {
        sort_list(length, selection);
        prepared.top.sorted = length;
    }
    Ranked<F> center = prepared.top.kth(prepared.rank);
    prepared.center = center.value;
    prepared.center_index = center.index;
    prepared.lead = sub(widen(row.scores[row.label]), center.value);
    if (hinge.margins != nullptr) prepared.margin = static_cast<const F*>(hinge.margins)[row.label];
    if (!is_finite(largest - center.value) || !is_finite(seen.least - center.value)) prepared.fault = RANGE_OVERFLOW;
    else if (!gradient_fits(row, prepared.scale)) prepared.fault = GRADIENT_OVERFLOW;
    return prepared;
}

/// The outcome of a slack, whose gradient is written by `write` where it is positive.
template <class T, class Write> __device__ Outcome<Real<T>> settle(const Row<T>& row, Real<T> slack, Write write) {
    if (slack <= 0) {
        clear_grads(row);
        return Outcome<Real<T>>::fine(0);
    }
    if (!is_finite(slack)) return Outcome<Real<T>>::failed(LOSS_OVERFLOW);
    write();
    return Outcome<Real<T>>::fine(slack);
}
