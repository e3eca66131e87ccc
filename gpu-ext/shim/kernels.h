// All kernels by their names in the PTX, each made into what a table holds.
#pragma once
#include "../cuda/conditional.cu"
#include "../cuda/cross_entropy.cu"
#include "../cuda/exact.cu"
#include "../cuda/hinge.cu"
#include "../cuda/pathwise.cu"
#include "../cuda/polyhedral_hinge.cu"
#include "../cuda/reduction.cu"
#include "../cuda/top_k_cross_entropy.cu"
#include "../cuda/top_k_margin_cross_entropy.cu"

#define BOTH_FLOATS(make, name) {#name "_f32", make(name##_f32)}, {#name "_f64", make(name##_f64)}
#define ALL_TYPES(make, name) BOTH_FLOATS(make, name), {#name "_f16", make(name##_f16)}, {#name "_bf16", make(name##_bf16)}
#define ALL_KERNELS(make) \
    ALL_TYPES(make, hinge), ALL_TYPES(make, pathwise), ALL_TYPES(make, conditional), ALL_TYPES(make, exact), ALL_TYPES(make, cross_entropy), \
    ALL_TYPES(make, top_k_cross_entropy), ALL_TYPES(make, polyhedral_hinge), ALL_TYPES(make, top_k_margin_cross_entropy), \
    BOTH_FLOATS(make, divisor), BOTH_FLOATS(make, objective)
