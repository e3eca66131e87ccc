//! Lanes as the registers of an instruction set, for loops that compilers do not keep in registers by themselves.

use pulp::Simd;

use crate::elementary::Elementary;

/// How many numbers are computed side by side, on every instruction set.
pub const LANES: usize = 16;

/// One number a lane.
pub type Lanes<F> = [F; LANES];

/// A float with vectors: `f32`, `f64`. No operation is fused.
pub trait Vectors: Elementary {
    /// As many numbers as a register holds.
    type Vector<S: Simd>: Copy;

    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    fn vectors<S: Simd>(lanes: &Lanes<Self>) -> &[Self::Vector<S>];
    fn vectors_mut<S: Simd>(lanes: &mut Lanes<Self>) -> &mut [Self::Vector<S>];
    fn sum<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn difference<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn product<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// The larger one.
    fn larger<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
}

/// How many registers hold all lanes.
#[inline(always)]
pub fn num_vectors<S: Simd, F: Vectors>() -> usize {
    F::vectors::<S>(&[F::zero(); LANES]).len()
}

macro_rules! vectors {
    ($float:ty, $vector:ident, $splat:ident, $as_simd:ident, $as_mut_simd:ident, $add:ident, $sub:ident, $mul:ident, $max:ident) => {
        impl Vectors for $float {
            type Vector<S: Simd> = S::$vector;

            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }
            #[inline(always)]
            fn vectors<S: Simd>(lanes: &Lanes<Self>) -> &[S::$vector] {
                S::$as_simd(lanes).0
            }
            #[inline(always)]
            fn vectors_mut<S: Simd>(lanes: &mut Lanes<Self>) -> &mut [S::$vector] {
                S::$as_mut_simd(lanes).0
            }
            #[inline(always)]
            fn sum<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn difference<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn product<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn larger<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$max(a, b)
            }
        }
    };
}

vectors!(f32, f32s, splat_f32s, as_simd_f32s, as_mut_simd_f32s, add_f32s, sub_f32s, mul_f32s, max_f32s);
vectors!(f64, f64s, splat_f64s, as_simd_f64s, as_mut_simd_f64s, add_f64s, sub_f64s, mul_f64s, max_f64s);
