//! Numbers that are compared by their bits.

use topk_loss::Real;

/// FNV-1a of the bits of numbers (Fowler, Noll, Vo), each as an `f64`, which keeps every bit of an `f32`.
pub fn hash<F: Real>(numbers: &[F]) -> u64 {
    let bytes = numbers.iter().flat_map(|&number| of(number).to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The bits of the number as an `f64`.
pub fn of<F: Real>(number: F) -> u64 {
    number.to_f64().unwrap_or(f64::NAN).to_bits()
}
