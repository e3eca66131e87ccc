// Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011): the draws of core/src/key.rs, word for word.
#pragma once
#include "number.cuh"

struct Key {
    u32 a, b;
};

struct Words {
    u32 at[4];
};

__device__ inline Words philox(u32 c0, u32 c1, u32 c2, u32 c3, Key key) {
    for (int round = 0; round < 10; ++round) {
        u64 product0 = static_cast<u64>(0xD2511F53u) * c0;
        u64 product1 = static_cast<u64>(0xCD9E8D57u) * c2;
        u32 before1 = c1, before3 = c3;
        c0 = static_cast<u32>(product1 >> 32) ^ before1 ^ key.a;
        c1 = static_cast<u32>(product1);
        c2 = static_cast<u32>(product0 >> 32) ^ before3 ^ key.b;
        c3 = static_cast<u32>(product0);
        key.a += 0x9E3779B9u;
        key.b += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

/// The key of one example under this one.
__device__ inline Key fold_in(Key key, u64 data) {
    Words words = philox(static_cast<u32>(data), static_cast<u32>(data >> 32), 0, 0xffffffffu, key);
    return {words.at[0], words.at[1]};
}

/// How many classes one call of Philox serves: one word for a float, two for a double.
template <class F> constexpr int CLASSES_A_CALL = 4;
template <> constexpr int CLASSES_A_CALL<double> = 2;

/// The words of classes CLASSES_A_CALL · call and those after it in a draw.
__device__ inline Words draw_words(Key key, u64 draw, u64 call) {
    return philox(static_cast<u32>(call), static_cast<u32>(call >> 32), static_cast<u32>(draw), static_cast<u32>(draw >> 32), key);
}

/// The uniform number in (0, 1) of the class in this place of a call.
template <class F> __device__ F uniform(const Words& words, int place);
template <> __device__ inline float uniform<float>(const Words& words, int place) {
    return mul(static_cast<float>((words.at[place] >> 9) * 2 + 1), 5.9604644775390625e-8f);
}
template <> __device__ inline double uniform<double>(const Words& words, int place) {
    u64 bits = (static_cast<u64>(words.at[2 * place]) << 32) | words.at[2 * place + 1];
    return mul(static_cast<double>(static_cast<i64>((bits >> 12) * 2 + 1)), 1.1102230246251565e-16);
}
