//! The elementary functions, at 8192 numbers from −16 to 16.

use topk_loss::Real;

use crate::{Print, bits};

#[inline(never)]
pub fn print<F: Real>(print: &mut Print<'_>) {
    let mut add = |name: &str, function: fn(F) -> F| {
        let points = (-4096..4096).map(|i| F::from_f64((f64::from(i) + 0.5) / 256.0));
        let hash = bits::hash_bytes(points.flat_map(|x| bits::of(function(x)).to_le_bytes()));
        print(format_args!("function, {name}: {hash:016x}"));
    };
    add("√|x|", |x| x.abs().sqrt());
    add("exp x", F::exp);
    add("exp x where it is hot", F::fast_exp);
    add("exp x − 1", F::exp_m1);
    add("ln |x|", |x| x.abs().ln());
    add("ln(1 + |x|)", |x| x.abs().ln_1p());
    add("|x| to the power x", |x| x.abs().powf(x));
    add("cos x", F::cos);
    add("erfc x", F::erfc);
    add("normal tail", |x| x.normal_tail_and_density().0);
    add("normal density", |x| x.normal_tail_and_density().1);
}
