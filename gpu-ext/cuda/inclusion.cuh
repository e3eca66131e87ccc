// The window in which a label is held against the wanted rank among the others, see core/src/exact/inclusion.rs.
//
// With g the density of that order statistic T and Y the label's noised score, P(Y > T) = ∫ P(Y > t) g(t) dt, P(Y < T) = ∫ P(Y < t) g(t) dt.
// The rarer of the two is computed, so nothing is subtracted.
#pragma once
#include "window.cuh"

/// Where it is decided whether the label is included.
template <class F> struct Inclusion {
    bool label_above;
    /// Whether the bins reach far enough.
    bool accurate;
    Window<F> window;
    /// About how many classes from the rank down reach the window.
    F reached;
};

/// The label's tail and density as weights of the shares, scaled to stay in range.
template <class F, class Law> struct Weights {
    static constexpr bool OF_SHARES = true;
    F label;
    bool label_above;
    /// ln of the scale.
    F scale;

    __device__ Weights(F label, const Inclusion<F>& inclusion) : label(label), label_above(inclusion.label_above), scale(0) {
        // The end of the window where the tail is the larger.
        scale = ln_tail(label_above ? inclusion.window.low : inclusion.window.high);
    }

    __device__ F ln_tail(F t) const { return label_above ? Law::ln_survival(t - label) : Law::ln_cdf(t - label); }
    __device__ F tail(F t) const { return exp(ln_tail(t) - scale); }
    __device__ F weight(F t) const { return exp(Law::ln_pdf(t - label) - scale); }
    __device__ bool precise() const { return label_above; }
};

/// About how many of the classes from the `rank`-th down are above edge m.
template <class F, class Law> __device__ F mean_from(int m, int rank, const Histogram<F, Law>& histogram) {
    int skipped = rank - 1;
    F sum = 0;
    for (int b = Law::BINS - 1; b >= 0; --b) {
        int count = histogram.counts[b], first = skipped < count ? skipped : count;
        skipped -= first;
        sum += static_cast<F>(count - first) * histogram.survival[Law::BINS + m - b];
    }
    return sum;
}

/// ln(1 − exp(bound)).
template <class F> __device__ F complement(F bound) { return log1p(-exp(bound < 0 ? bound : F(0))); }

template <class F, class Law>
__device__ Inclusion<F> inclusion(F label, int rank, int num_classes, const Histogram<F, Law>& histogram, Slots slots) {
    constexpr int BINS = Law::BINS;
    F infinity = Limits<F>::infinity(), least_above = -infinity, least_below = -infinity;
    auto bounds = [&](int m) { return bounds_at(m, rank, num_classes, histogram); };
    // P(Y > T) ≥ P(Y > c) P(T ≤ c) for every c.
    for (int m = threadIdx.x; m <= BINS; m += blockDim.x) {
        Bounds<F> at = bounds(m);
        F own = histogram.edge(m) - label;
        least_above = Largest()(least_above, Law::ln_survival(own) + complement(at.above));
        least_below = Largest()(least_below, Law::ln_cdf(own) + complement(at.below));
    }
    least_above = reduce(least_above, Largest(), slots);
    least_below = reduce(least_below, Largest(), slots);
    F outside = log(Precision<F>::OUTSIDE), lowest = log(vanishing<F>());
    bool label_above = !(least_below < least_above);
    // A loss of nearly zero needs no more digits than this.
    F limit = outside + (label_above ? least_above : Largest()(least_below, outside + outside));
    F bearable = least_above + log(Precision<F>::TOLERANCE) - log(F(BINS));
    int first_low = BINS, first_high = BINS;
    bool lost = false;
    for (int m = threadIdx.x; m < BINS; m += blockDim.x) {
        Bounds<F> at = bounds(m);
        F own = histogram.edge(m) - label;
        F below = at.below + (label_above ? F(0) : Law::ln_cdf(own)), above = at.above + (label_above ? Law::ln_survival(own) : F(0));
        if (!(below <= limit)) first_low = m < first_low ? m : first_low;
        if (!(above > limit)) first_high = m < first_high ? m : first_high;
        // What is lost between two edges where the distributions' probabilities vanish.
        lost |= label_above && limit < lowest && Least()(bounds(m + 1).below, lowest) + Law::ln_survival(own) > bearable;
    }
    int low = reduce(first_low, Least(), slots), high = reduce(first_high, Least(), slots);
    bool none_lost = reduce(static_cast<int>(lost), Largest(), slots) == 0;
    bool accurate = !label_above || (low > 0 && high < BINS && none_lost);
    low = low > 0 ? low - 1 : 0;
    high = high > low ? high : low + 1;
    return {label_above, accurate, {histogram.edge(low), histogram.edge(high)}, mean_from(low, rank, histogram)};
}
