// Order statistics of a line of numbers, one a class: ties rank by class, lowest first, as in core/src/select.rs.
//
// A line is anything with `visit(f)`, which calls f(class, value) for its classes, every class in one thread, the same way each time. A
// threshold is found that at least as many numbers reach as are wanted; the few that reach it are listed and sorted. Where they
// are not few (ties, a large rank), the wanted number is found bit by bit, which always works.
#pragma once
#include "batch.cuh"

/// A class and its number.
template <class F> struct Ranked {
    F value;
    int index;

    __device__ bool precedes(const Ranked& other) const { return value > other.value || (value == other.value && index < other.index); }
};

/// The raw scores of a row as a line.
template <class T> struct Scores {
    const Row<T>& row;

    template <class Visit> __device__ void visit(Visit visit) const { for_each_score<2>(row, visit); }
    /// The same for a visit of much code.
    template <class Visit> __device__ void visit_slowly(Visit visit) const { for_each_score<1>(row, visit); }
};

constexpr int DIGITS = 256;

/// What a block shares to select.
template <class F> struct Selection {
    Slots slots;
    int capacity;
    /// The largest number of each group of threads.
    F* groups;
    Ranked<F>* listed;
    /// The list in order, the first to rank first.
    Ranked<F>* sorted;
    int* counts;
    /// How many are listed; more than the capacity: the list is incomplete.
    int* length;

    __device__ Selection(Arena& arena, Slots slots, int capacity)
        : slots(slots), capacity(capacity), groups(arena.take<F>(blockDim.x)), listed(arena.take<Ranked<F>>(capacity)),
          sorted(arena.take<Ranked<F>>(capacity)), counts(arena.take<int>(DIGITS)), length(arena.take<int>(1)) {}
};

/// Lists the classes whose numbers reach the threshold and returns how many there are.
template <class F, class Line> __device__ int list_from(const Line& line, F threshold, Selection<F> selection) {
    __syncthreads();
    if (threadIdx.x == 0) *selection.length = 0;
    __syncthreads();
    line.visit([&](int i, F value) {
        if (value >= threshold) {
            int place = atomicAdd(selection.length, 1);
            if (place < selection.capacity) selection.listed[place] = {value, i};
        }
    });
    __syncthreads();
    return *selection.length;
}

/// Sorts the first `length` of the list.
template <class F> __device__ void sort_list(int length, Selection<F> selection) {
    for (int j = threadIdx.x; j < length; j += blockDim.x) {
        Ranked<F> own = selection.listed[j];
        int rank = 0;
        for (int other = 0; other < length; ++other) rank += selection.listed[other].precedes(own);
        selection.sorted[rank] = own;
    }
    __syncthreads();
}

/// A threshold that at least `rank` numbers reach, given the largest number of each thread: a wanted one of the groups' largest, or −∞.
template <class F> __device__ F threshold_from(F largest, int rank, Selection<F> selection) {
    // Fewer, larger groups are sorted faster, but let more numbers through.
    int size = WARP;
    while (size > 1 && static_cast<int>(blockDim.x) / size < 4 * rank) size /= 2;
    int groups = blockDim.x / size;
    if (rank > groups) return -Limits<F>::infinity();
    for (int distance = 1; distance < size; distance *= 2) {
        F other = __shfl_xor_sync(WHOLE_WARP, largest, distance);
        largest = largest < other ? other : largest;
    }
    __syncthreads();
    if (threadIdx.x % size == 0) selection.groups[threadIdx.x / size] = largest;
    __syncthreads();
    F wanted = -Limits<F>::infinity();
    for (int j = threadIdx.x; j < groups; j += blockDim.x) {
        Ranked<F> own = {selection.groups[j], j};
        int ahead = 0;
        for (int other = 0; other < groups; ++other) ahead += Ranked<F>{selection.groups[other], other}.precedes(own);
        if (ahead == rank - 1) wanted = own.value;
    }
    return reduce(wanted, Largest(), selection.slots);
}

/// Integers in the order of the numbers.
__device__ inline u64 ordered(float x) {
    u32 bits = __float_as_uint(x + 0.0f);
    return (bits >> 31) ? static_cast<u32>(~bits) : bits | 0x80000000u;
}
__device__ inline u64 ordered(double x) {
    u64 bits = static_cast<u64>(__double_as_longlong(x + 0.0));
    return (bits >> 63) ? ~bits : bits | 0x8000000000000000ull;
}

/// The `rank`-th smallest of integers of so many bits, digit by digit; what is left of the rank among its equals is written back.
/// `visit(f)` calls f with each integer.
template <class F, class Visit> __device__ u64 radix_smallest(int bits, int& rank, Selection<F> selection, Visit visit) {
    u64 prefix = 0;
    for (int shift = bits - 8; shift >= 0; shift -= 8) {
        __syncthreads();
        for (int digit = threadIdx.x; digit < DIGITS; digit += blockDim.x) selection.counts[digit] = 0;
        __syncthreads();
        visit([&](u64 key) {
            bool open = shift + 8 >= bits || key >> (shift + 8) == prefix;
            if (open) atomicAdd(&selection.counts[(key >> shift) % DIGITS], 1);
        });
        __syncthreads();
        // Every thread walks the same counts to the same digit.
        int digit = 0;
        while (digit < DIGITS - 1 && rank > selection.counts[digit]) rank -= selection.counts[digit++];
        prefix = prefix << 8 | digit;
    }
    __syncthreads();
    return prefix;
}

/// The `rank`-th largest, whatever the numbers are. Rarely needed, so never inlined.
template <class F, class Line> __device__ __noinline__ Ranked<F> radix_kth(const Line& line, int rank, Selection<F> selection) {
    constexpr int BITS = 8 * sizeof(F);
    constexpr u64 MASK = BITS == 64 ? ~0ull : 0xffffffffull;
    u64 key = radix_smallest(BITS, rank, selection, [&](auto count) { line.visit([&](int, F value) { count(~ordered(value) & MASK); }); });
    u64 index = radix_smallest(32, rank, selection, [&](auto count) {
        line.visit([&](int i, F value) {
            if ((~ordered(value) & MASK) == key) count(i);
        });
    });
    Ranked<F> found = {0, static_cast<int>(index)};
    F value = -Limits<F>::infinity();
    line.visit([&](int i, F v) {
        if (i == found.index) value = v;
    });
    found.value = reduce(value, Largest(), selection.slots);
    return found;
}

/// The largest numbers of a line, and any other by a slower way.
template <class F, class Line> struct Top {
    const Line& line;
    Selection<F> selection;
    /// How many are sorted, at least the rank asked for, or 0.
    int sorted;

    /// The k-th largest, k from 1. The list may be used for another line afterwards.
    __device__ Ranked<F> kth(int k) const {
        if (k <= sorted) {
            Ranked<F> found = selection.sorted[k - 1];
            __syncthreads();
            return found;
        }
        return radix_kth<F>(line, k, selection);
    }
};

/// Sorts the `rank` largest, given a threshold that at least as many reach.
template <class F, class Line> __device__ Top<F, Line> top_from(const Line& line, int rank, F threshold, Selection<F> selection) {
    for (bool improved = false;; improved = true) {
        int length = list_from(line, threshold, selection);
        if (length <= selection.capacity) {
            sort_list(length, selection);
            return {line, selection, length};
        }
        if (improved) return {line, selection, 0};
        F largest = -Limits<F>::infinity();
        line.visit([&](int, F value) { largest = largest < value ? value : largest; });
        threshold = threshold_from(largest, rank, selection);
    }
}
