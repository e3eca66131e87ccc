// A batch in device memory: one row of scores an example. The same bytes as `Batch` in ../src/plan/arguments.rs.
#pragma once
#include "block.cuh"

struct Batch {
    const void* scores;
    /// May be null: values only.
    void* grads;
    const i64* labels;
    /// One a row in the computed float; may be null: all 1.
    const void* weights;
    /// One a row in the computed float.
    void* values;
    /// One a row.
    u64* codes;
    /// What the weights are divided by, in the computed float; may be null: 1.
    const void* divisor;
    i64 num_rows;
    i64 num_classes;
    /// Elements from one row to the next.
    i64 score_stride;
    i64 grad_stride;
    i64 ignored_label;
    i64 has_ignored_label;
};

/// What a row's code says in its lowest byte; the rest is a class where one is at fault.
enum Fault : u64 {
    FINE = 0,
    LABEL = 1,
    NOT_FINITE = 2,
    WEIGHT = 3,
    RANGE_OVERFLOW = 4,
    LOSS_OVERFLOW = 5,
    GRADIENT_OVERFLOW = 6,
    INACCURATE = 7,
};

/// What came out of a row.
template <class F> struct Outcome {
    F value;
    u64 code;

    __device__ static Outcome fine(F value) { return {value, FINE}; }
    __device__ static Outcome failed(Fault fault, u64 place = 0) { return {F(0), fault | place << 8}; }
};

/// One row as its block sees it.
template <class T> struct Row {
    const T* scores;
    /// Null: not wanted.
    T* grads;
    i64 example;
    int num_classes;
    int label;
    /// What the gradient is multiplied by.
    Real<T> coefficient;
};

/// Where a row starts, in 64 bits: a batch may have more than 2³¹ scores.
template <class T> __device__ T* row_start(T* start, i64 row, i64 stride) { return start == nullptr ? nullptr : start + row * stride; }

/// Elements that one load or store of 16 bytes carries.
template <class T> struct alignas(16) Pack {
    static constexpr int SIZE = 16 / sizeof(T);
    T at[SIZE];
};

template <class T> __device__ bool is_aligned(const T* pointer) { return reinterpret_cast<u64>(pointer) % 16 == 0; }

/// Calls `visit` with each class and score, every class in one thread. Neighbouring threads read neighbouring memory. A thread has so many
/// packs in flight: more for a light visit, whose price is the memory's latency; one for a heavy visit, whose code they would multiply.
template <int PACKS, class T, class Visit> __device__ void for_each_score(const Row<T>& row, Visit visit) {
    constexpr int SIZE = Pack<T>::SIZE;
    int packs = is_aligned(row.scores) ? row.num_classes / SIZE : 0;
    const Pack<T>* packed = reinterpret_cast<const Pack<T>*>(row.scores);
    int threads = blockDim.x;
    for (int first = threadIdx.x; first < packs; first += PACKS * threads) {
        Pack<T> loaded[PACKS];
#pragma unroll
        for (int p = 0; p < PACKS; ++p)
            if (first + p * threads < packs) loaded[p] = packed[first + p * threads];
#pragma unroll
        for (int p = 0; p < PACKS; ++p)
            if (first + p * threads < packs) {
#pragma unroll
                for (int i = 0; i < SIZE; ++i) visit((first + p * threads) * SIZE + i, widen(loaded[p].at[i]));
            }
    }
    for (int i = packs * SIZE + threadIdx.x; i < row.num_classes; i += threads) visit(i, widen(row.scores[i]));
}

/// Writes coefficient · `entry(class, score)` as the gradient of each class, but for the label's, which is `own`.
template <class T, class Entry> __device__ void write_grads(const Row<T>& row, Real<T> own, Entry entry) {
    if (row.grads == nullptr) return;
    constexpr int SIZE = Pack<T>::SIZE;
    auto scaled = [&](int i, Real<T> score) { return narrow<T>((i == row.label ? own : entry(i, score)) * row.coefficient); };
    int packs = is_aligned(row.scores) && is_aligned(row.grads) ? row.num_classes / SIZE : 0;
    const Pack<T>* from = reinterpret_cast<const Pack<T>*>(row.scores);
    Pack<T>* to = reinterpret_cast<Pack<T>*>(row.grads);
    for (int p = threadIdx.x; p < packs; p += blockDim.x) {
        Pack<T> scores = from[p], grads;
#pragma unroll
        for (int i = 0; i < SIZE; ++i) grads.at[i] = scaled(p * SIZE + i, widen(scores.at[i]));
        to[p] = grads;
    }
    for (int i = packs * SIZE + threadIdx.x; i < row.num_classes; i += blockDim.x) row.grads[i] = scaled(i, widen(row.scores[i]));
}

/// Writes zeros without reading a score.
template <class T> __device__ void clear_grads(const Row<T>& row) {
    if (row.grads == nullptr) return;
    constexpr int SIZE = Pack<T>::SIZE;
    Pack<T> zeros;
    for (int i = 0; i < SIZE; ++i) zeros.at[i] = narrow<T>(0);
    int packs = is_aligned(row.grads) ? row.num_classes / SIZE : 0;
    for (int p = threadIdx.x; p < packs; p += blockDim.x) reinterpret_cast<Pack<T>*>(row.grads)[p] = zeros;
    for (int i = packs * SIZE + threadIdx.x; i < row.num_classes; i += blockDim.x) row.grads[i] = narrow<T>(0);
}

/// Calls `evaluate` for every row of the block's share whose label counts, and writes what came out. A row that failed gets the value
/// NaN, a gradient of zeros and a code.
template <class T, class Evaluate> __device__ void for_each_row(const Batch& batch, Evaluate evaluate) {
    using F = Real<T>;
    const T* scores = static_cast<const T*>(batch.scores);
    const F* weights = static_cast<const F*>(batch.weights);
    for (i64 example = blockIdx.x; example < batch.num_rows; example += gridDim.x) {
        Row<T> row;
        row.scores = row_start(scores, example, batch.score_stride);
        row.grads = row_start(static_cast<T*>(batch.grads), example, batch.grad_stride);
        row.example = example;
        row.num_classes = static_cast<int>(batch.num_classes);
        i64 label = batch.labels[example];
        bool ignored = batch.has_ignored_label && label == batch.ignored_label;
        Outcome<F> outcome = Outcome<F>::fine(0);
        if (ignored) {
            clear_grads(row);
        } else {
            F weight = weights == nullptr ? F(1) : weights[example];
            row.coefficient = batch.divisor == nullptr ? weight : quotient(weight, *static_cast<const F*>(batch.divisor));
            row.label = static_cast<int>(label);
            if (label < 0 || label >= batch.num_classes) {
                outcome = Outcome<F>::failed(LABEL);
            } else if (!(weight >= 0 && is_finite(weight))) {
                outcome = Outcome<F>::failed(WEIGHT);
            } else {
                outcome = evaluate(row);
            }
            if (outcome.code != FINE) clear_grads(row);
        }
        if (threadIdx.x == 0) {
            bool fine = outcome.code == FINE;
            static_cast<F*>(batch.values)[example] = fine ? outcome.value : Limits<F>::infinity() - Limits<F>::infinity();
            batch.codes[example] = outcome.code;
        }
        // The next row reuses the shared memory.
        __syncthreads();
    }
}

/// Whether a gradient of at most this size stays finite as a T.
template <class T> __device__ bool gradient_fits(const Row<T>& row, Real<T> largest) {
    return row.grads == nullptr || is_finite(widen(narrow<T>(largest * row.coefficient)));
}

/// Makes the entry points of a kernel for every type of scores, to fit at least so many full blocks a multiprocessor.
#define ENTRY(name, Parameters, blocks, suffix, T) \
    extern "C" __global__ void __launch_bounds__(512, blocks) name##_##suffix(Batch batch, Parameters parameters) { name<T>(batch, parameters); }
#define KERNEL(name, Parameters, blocks)          \
    ENTRY(name, Parameters, blocks, f32, float)   \
    ENTRY(name, Parameters, blocks, f64, double)  \
    ENTRY(name, Parameters, blocks, f16, Half)    \
    ENTRY(name, Parameters, blocks, bf16, Bfloat16)
