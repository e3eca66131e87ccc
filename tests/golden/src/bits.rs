//! Numbers that are compared by their bits.

use topk_loss::Real;

/// FNV-1a of the bits of numbers, each as an `f64`, which keeps every bit of an `f32`.
pub fn hash<F: Real>(numbers: &[F]) -> u64 {
    hash_bytes(numbers.iter().flat_map(|&number| of(number).to_le_bytes()))
}

/// FNV-1a (Fowler, Noll, Vo).
pub fn hash_bytes(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The bits of the number as an `f64`; processors differ in those of NaN.
pub fn of<F: Real>(number: F) -> u64 {
    number.to_f64().filter(|number| !number.is_nan()).unwrap_or(f64::NAN).to_bits()
}
