// By how much the scores of a row exceed a threshold, and the threshold where that comes to a given total, see core/src/excess.rs.
#pragma once
#include "hinge.cuh"

/// Scores above a threshold, of which those that are above it by a width are whole.
template <class F> struct Excess {
    int whole, between;
    F sum;
};

/// A sum that rounds as if each part were added exactly.
template <class F> struct Compensated {
    F sum, lost;

    __device__ void add_part(F part) {
        F corrected = sub(part, lost), next = add(sum, corrected);
        lost = sub(sub(next, sum), corrected);
        sum = next;
    }
};

/// The scores of a row relative to the largest.
template <class T> struct Relative {
    using F = Real<T>;
    const Row<T>& row;
    F top;
    Slots slots;

    /// An infinite width: none is whole.
    __device__ Excess<F> excess(F threshold, F width) const {
        Excess<F> seen = {0, 0, 0};
        Compensated<F> sum = {0, 0};
        for_each_score<2>(row, [&](int, F score) {
            F above = sub(sub(score, top), threshold);
            if (above >= width) {
                ++seen.whole;
            } else if (above > 0) {
                ++seen.between;
                sum.add_part(above);
            }
        });
        return {reduce(seen.whole, Sum(), slots), reduce(seen.between, Sum(), slots), reduce(sum.sum, Sum(), slots)};
    }

    /// Where the excess is the total, and how many scores are above it; it is not below `floor`.
    __device__ F root_above(F total, F floor, int& count) const {
        F threshold = floor;
        for (int before = row.num_classes + 1;; before = count) {
            Excess<F> seen = excess(threshold, Limits<F>::infinity());
            count = seen.between;
            F next = add(threshold, quotient(sub(seen.sum, total), static_cast<F>(count)));
            if (!(count < before && next > threshold)) return threshold;
            threshold = next;
        }
    }
};

/// What all rows of a convex loss begin with: checks, the largest score, the margin, and that of all guesses.
template <class T> struct Convex {
    using F = Real<T>;
    Fault fault;
    u64 place;
    F k, margin, total;
    Relative<T> relative;
    /// The label's score, relative too.
    F own;
};

template <class T> __device__ Convex<T> look_at(const Row<T>& row, const Hinge& hinge, Slots slots) {
    using F = Real<T>;
    Extremes<F> seen = survey(row, slots);
    F top = reduce(seen.largest, Largest(), slots);
    F k = static_cast<F>(hinge.rank - 1);
    F margin = hinge.margins != nullptr ? static_cast<const F*>(hinge.margins)[row.label] : static_cast<F>(hinge.margin);
    Convex<T> convex = {FINE, 0, k, margin, mul(margin, k), {row, top, slots}, sub(widen(row.scores[row.label]), top)};
    if (seen.bad < row.num_classes) {
        convex.fault = NOT_FINITE;
        convex.place = seen.bad;
    } else if (!is_finite(convex.own) || !is_finite(convex.total)) {
        convex.fault = RANGE_OVERFLOW;
    } else if (!gradient_fits(row, static_cast<F>(hinge.scale))) {
        convex.fault = GRADIENT_OVERFLOW;
    }
    return convex;
}
