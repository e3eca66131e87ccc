//! A law and a sampler by a byte.

use rand_pcg::Pcg32;
use topk_loss::noise::{Gumbel, Laplace, Logistic, Noise, Normal, Regularity, Uniform};
use topk_loss::sampler::{Antithetic, GivenDraws, MonteCarlo, RandomizedLattice, Sampler, Sequential};
use topk_loss::{Real, Result};

use crate::{Float, Input};

/// Any law of the crate, so that what draws is compiled once.
#[derive(Debug, Clone, Copy)]
pub enum AnyLaw {
    /// [`Normal`].
    Normal,
    /// [`Gumbel`].
    Gumbel,
    /// [`Logistic`].
    Logistic,
    /// [`Laplace`].
    Laplace,
    /// [`Uniform`].
    Uniform,
}

/// Each method by the law's own.
macro_rules! delegate {
    ($($method:ident($($argument:ident: $type:ty)?) -> $result:ty;)+) => {
        impl<F: Real> Noise<F> for AnyLaw {
            $(fn $method(&self $(, $argument: $type)?) -> $result {
                match self {
                    Self::Normal => Noise::<F>::$method(&Normal $(, $argument)?),
                    Self::Gumbel => Noise::<F>::$method(&Gumbel $(, $argument)?),
                    Self::Logistic => Noise::<F>::$method(&Logistic $(, $argument)?),
                    Self::Laplace => Noise::<F>::$method(&Laplace $(, $argument)?),
                    Self::Uniform => Noise::<F>::$method(&Uniform $(, $argument)?),
                }
            })+
        }
    };
}

delegate! {
    quantile(p: F) -> F;
    cdf(z: F) -> F;
    survival(z: F) -> F;
    pdf(z: F) -> F;
    ln_pdf(z: F) -> F;
    ln_cdf(z: F) -> F;
    ln_survival(z: F) -> F;
    cdf_and_pdf(z: F) -> (F, F);
    survival_and_pdf(z: F) -> (F, F);
    score(z: F) -> F;
    is_continuous() -> bool;
    is_symmetric() -> bool;
    regularity() -> Regularity;
}

/// Any sampler of any law.
pub type AnySampler<'a, F> = Box<dyn Sampler<F, Law = AnyLaw> + 'a>;

impl Input {
    /// The law that is named.
    #[must_use]
    pub const fn law(&self) -> AnyLaw {
        match self.law % 5 {
            0 => AnyLaw::Normal,
            1 => AnyLaw::Gumbel,
            2 => AnyLaw::Logistic,
            3 => AnyLaw::Laplace,
            _ => AnyLaw::Uniform,
        }
    }

    /// The sampler that is named, of at most `most` draws; `draws` are those that are given.
    ///
    /// # Errors
    /// Those of its constructor.
    pub fn sampler<'a, F: Float>(&self, most: usize, draws: &'a [F], dim: usize) -> Result<AnySampler<'a, F>> {
        let (law, num_samples) = (self.law(), usize::from(self.num_samples).min(most));
        Ok(match self.dice[0] % 5 {
            0 => Box::new(MonteCarlo::new(law, num_samples)?),
            1 => Box::new(Antithetic::new(law, num_samples)?),
            2 => Box::new(RandomizedLattice::new(law, num_samples)?),
            3 => Box::new(Sequential::<_, Pcg32>::new(law, num_samples)?),
            _ => Box::new(GivenDraws::new(law, draws, dim)?),
        })
    }
}

/// What an expression makes of the law that a byte names, of those that have an exact form.
#[macro_export]
macro_rules! with_smooth_law {
    ($which:expr, $law:ident => $result:expr) => {
        match $which % 3 {
            0 => {
                let $law = topk_loss::noise::Normal;
                $result
            }
            1 => {
                let $law = topk_loss::noise::Gumbel;
                $result
            }
            _ => {
                let $law = topk_loss::noise::Logistic;
                $result
            }
        }
    };
}
