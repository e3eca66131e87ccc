// The two small steps of a reduction, a block each: what the weights are divided by, and the weighted sum of the values.
#include "batch.cuh"

/// The same bytes as `Reduction` in ../src/plan/arguments.rs.
struct Reduction {
    /// 0: the sum. 1: the mean over the examples that count. 2: the weighted mean.
    i64 kind;
    /// In the computed float.
    void* divisor;
    /// In the computed float; may be null.
    void* objective;
};

__device__ inline bool counts(const Batch& batch, i64 example) { return !batch.has_ignored_label || batch.labels[example] != batch.ignored_label; }

template <class F> __device__ F weight_of(const Batch& batch, i64 example) {
    return batch.weights == nullptr ? F(1) : static_cast<const F*>(batch.weights)[example];
}

/// The divisor of a mean; NaN where no example counts, so that nobody takes the result for a number.
template <class F> __device__ void divisor(const Batch& batch, const Reduction& reduction) {
    Arena arena;
    Slots slots(arena);
    double sum = 0;
    for (i64 example = threadIdx.x; example < batch.num_rows; example += blockDim.x)
        if (counts(batch, example)) sum += reduction.kind == 1 ? 1.0 : static_cast<double>(weight_of<F>(batch, example));
    sum = reduce(sum, Sum(), slots);
    if (threadIdx.x == 0) *static_cast<F*>(reduction.divisor) = static_cast<F>(sum > 0 ? sum : sum / sum);
}

/// Σ_b c_b ℓ_b, always by the same tree.
template <class F> __device__ void objective(const Batch& batch, const Reduction& reduction) {
    Arena arena;
    Slots slots(arena);
    double sum = 0;
    for (i64 example = threadIdx.x; example < batch.num_rows; example += blockDim.x)
        if (counts(batch, example)) {
            sum += static_cast<double>(weight_of<F>(batch, example)) * static_cast<double>(static_cast<const F*>(batch.values)[example]);
        }
    sum = reduce(sum, Sum(), slots);
    double divisor = reduction.kind == 0 ? 1.0 : static_cast<double>(*static_cast<const F*>(reduction.divisor));
    if (threadIdx.x == 0) *static_cast<F*>(reduction.objective) = static_cast<F>(sum / divisor);
}

extern "C" __global__ void __launch_bounds__(512) divisor_f32(Batch batch, Reduction reduction) { divisor<float>(batch, reduction); }
extern "C" __global__ void __launch_bounds__(512) divisor_f64(Batch batch, Reduction reduction) { divisor<double>(batch, reduction); }
extern "C" __global__ void __launch_bounds__(512) objective_f32(Batch batch, Reduction reduction) { objective<float>(batch, reduction); }
extern "C" __global__ void __launch_bounds__(512) objective_f64(Batch batch, Reduction reduction) { objective<double>(batch, reduction); }
