// Kernels that only the tests launch: they show what the others are made of.
#pragma once
#include "../cuda/noise.cuh"

struct Probe {
    void* numbers;
    i64 count;
    i64 draw;
    u32 key[2];
};

/// The standard normal numbers of the first classes of a draw.
template <class F> void draws(const Probe& probe) {
    Arena arena;
    Slots slots(arena);
    F* numbers = static_cast<F*>(probe.numbers);
    for (i64 i = threadIdx.x; i < probe.count; i += blockDim.x) {
        Words words = draw_words({probe.key[0], probe.key[1]}, static_cast<u64>(probe.draw), static_cast<u64>(i / CLASSES_A_CALL<F>));
        numbers[i] = normal_quantile(uniform<F>(words, static_cast<int>(i % CLASSES_A_CALL<F>)));
    }
}
inline void draws_f32(Batch, Probe probe) { draws<float>(probe); }
inline void draws_f64(Batch, Probe probe) { draws<double>(probe); }

/// Replaces each row number by the distance in bytes of the row's first score from a buffer's start.
inline void row_starts(Batch batch, Probe probe) {
    Arena arena;
    Slots slots(arena);
    i64* numbers = static_cast<i64*>(probe.numbers);
    for (i64 i = threadIdx.x; i < probe.count; i += blockDim.x) {
        // Addresses as integers: the buffer need not exist.
        float* start = reinterpret_cast<float*>(static_cast<u64>(1) << 40);
        numbers[i] = static_cast<i64>(reinterpret_cast<u64>(row_start(start, numbers[i], batch.score_stride))) - (static_cast<i64>(1) << 40);
    }
}

/// Narrows and widens each float: as a half, and as a bfloat16 in the next place.
inline void round_trips(Batch, Probe probe) {
    Arena arena;
    Slots slots(arena);
    float* numbers = static_cast<float*>(probe.numbers);
    for (i64 i = threadIdx.x; i < probe.count / 2; i += blockDim.x) {
        float x = numbers[2 * i];
        numbers[2 * i] = widen(narrow<Half>(x));
        numbers[2 * i + 1] = widen(narrow<Bfloat16>(x));
    }
}
