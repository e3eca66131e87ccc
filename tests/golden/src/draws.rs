//! Keys, laws and samplers.

use core::array;

use rand_pcg::Pcg64Dxsm;
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Uniform};
use topk_loss::sampler::{Antithetic, MonteCarlo, RandomizedLattice, Sampler, Sequential};
use topk_loss::{Key, Real, Result};

use crate::{Print, bits};

const SEED: u64 = 0x0123_4567_89ab_cdef;

/// A key, and those of data under it.
pub fn print_keys(print: &mut Print<'_>) {
    let key = Key::new(SEED);
    print(format_args!("key: {:08x?}", key.words()));
    for data in [0, 1, u64::MAX] {
        let folded = key.fold_in(data);
        print(format_args!("key, {data} folded in: {:08x?}, twice {:08x?}", folded.words(), folded.fold_in(data).words()));
    }
}

pub fn print<F: Real>(print: &mut Print<'_>) -> Result<()> {
    of_law::<F>("normal", Normal, print)?;
    of_law::<F>("Gumbel", Gumbel, print)?;
    of_law::<F>("logistic", Logistic, print)?;
    of_law::<F>("Laplace", Laplace, print)?;
    of_law::<F>("uniform", Uniform, print)
}

const POINTS: usize = 256;

/// Every function of the law from −16 to 16, the quantiles of as many probabilities and of 2⁻¹ to 2⁻¹⁰⁰, and its draws.
#[inline(never)]
fn of_law<F: Real>(name: &str, law: impl Noise<F>, print: &mut Print<'_>) -> Result<()> {
    let points: [F; POINTS] = array::from_fn(|i| F::from_f64((i as f64 - 128.0) / 8.0));
    let shares: [F; POINTS] = array::from_fn(|i| F::from_f64((i as f64 + 0.5) / 256.0));
    let center = law.position(F::zero());
    for (function, values) in [
        ("cdf", points.map(|z| law.cdf(z))),
        ("survival", points.map(|z| law.survival(z))),
        ("density", points.map(|z| law.pdf(z))),
        ("log density", points.map(|z| law.ln_pdf(z))),
        ("log cdf", points.map(|z| law.ln_cdf(z))),
        ("log survival", points.map(|z| law.ln_survival(z))),
        ("score", points.map(|z| law.score(z))),
        ("tail of the exact form", points.map(|z| law.tail_and_density(law.threshold(z), center).0)),
        ("its density", points.map(|z| law.tail_and_density(law.threshold(z), center).1)),
        ("its lower tail", points.map(|z| law.failure_and_density(law.threshold(z), center).0)),
        ("quantiles", shares.map(|p| law.quantile(p))),
    ] {
        print(format_args!("{name}, {function}: {:016x}", bits::hash(&values)));
    }
    let mut share = F::one();
    let deep: [F; 100] = array::from_fn(|_| {
        share *= F::from_f64(0.5);
        law.quantile(share)
    });
    print(format_args!("{name}, deep quantiles: {:016x}", bits::hash(&deep)));
    of_sampler(name, "Monte Carlo", &MonteCarlo::new(law, DRAWS)?, print)?;
    of_sampler(name, "antithetic", &Antithetic::new(law, DRAWS)?, print)?;
    of_sampler(name, "lattice", &RandomizedLattice::new(law, DRAWS)?, print)?;
    of_sampler(name, "sequential", &Sequential::<_, Pcg64Dxsm>::new(law, DRAWS)?, print)
}

const DRAWS: usize = 8;

fn of_sampler<F: Real>(law: &str, name: &str, sampler: &impl Sampler<F>, print: &mut Print<'_>) -> Result<()> {
    let mut draws = [[F::zero(); 33]; DRAWS];
    for (index, draw) in draws.iter_mut().enumerate() {
        sampler.sample(Key::new(SEED), index, draw)?;
    }
    print(format_args!("{law}, {name}: {:016x}", bits::hash(draws.as_flattened())));
    Ok(())
}
