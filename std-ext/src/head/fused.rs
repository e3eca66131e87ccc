//! The head and the loss in one call: scores are made a strip of classes at a time and never stored.
//!
//! | step | file |
//! |---|---|
//! | scores of a strip, gradients of a strip | `strips`, `gathered` |
//! | what of a gradient is too small to be multiplied | `filter` |
//! | which examples count, and how much | `examples` |
//! | adjusted and weighted losses | `composed` |
//! | cross-entropy: an online log-sum-exp, then the softmax | `cross_entropy` |
//! | hinge over a (K+1)-th largest: what all smoothings share | `top_k_hinge`, `largest`, `frame` |
//! | hard and pathwise: one pass, a few columns backward | `selection`, `pathwise`, `word_bounds`, `uniforms`, `sparse` |
//! | convex: what may count is kept, the rest is summed | `kept`, `polyhedral_hinge`, `top_k_margin_cross_entropy` |
//! | exact: census, summary, gradient, by vector or core's code | `exact` |

mod composed;
mod cross_entropy;
mod exact;
mod examples;
mod filter;
mod frame;
mod gathered;
mod kept;
mod pathwise;
mod polyhedral_hinge;
mod selection;
mod sparse;
mod strips;
mod top_k_hinge;
mod top_k_margin_cross_entropy;
mod top_n;
mod uniforms;
mod word_bounds;

use faer::prelude::*;
use topk_loss::TopKHinge;
use topk_loss::loss::AsMargins;

use super::features::Features;
use super::{HeadGrads, LinearHead};
use crate::{BatchReal, Reduction, Result, Targets, Threads};
use examples::Examples;
use strips::Strips;
use stripwise::Stripwise;

/// A loss that a head computes without storing scores: [`CrossEntropy`](topk_loss::CrossEntropy), the convex
/// [`PolyhedralHinge`](topk_loss::loss::PolyhedralHinge) and [`TopKMarginCrossEntropy`](topk_loss::loss::TopKMarginCrossEntropy), and [`TopKHinge`]
/// hard, smoothed exactly or pathwise; and any of these with adjusted scores or class weights, [`LogitAdjusted`](topk_loss::loss::LogitAdjusted) and
/// [`ClassWeighted`](topk_loss::loss::ClassWeighted). The adjustments are added to scores as they are: all of these losses depend on differences alone.
///
/// | loss | products for the value | with the gradients | further memory an example |
/// |---|---|---|---|
/// | cross-entropy | 1 | 4: scores twice, gradients of weights and features | a few numbers, and two a strip of up to 1024 classes |
/// | margin cross-entropy | 1 | 4, as cross-entropy | the same, and the classes that may be guesses, see below |
/// | polyhedral hinge | 1 | 1, and a column of every class that shares | the classes that may share, see below |
/// | hard hinge | 1 | 1, and two columns of weights an example | K + 1 classes |
/// | pathwise hinge of B draws | 1 | 1, and at most B + 1 columns an example | B(K + 1) classes |
/// | exact hinge | 2 | 5: scores three times, gradients of weights and features | K + 1 classes, about 1 kB, the classes near the window, and four numbers a strip |
///
/// An example whose loss is zero takes no part in the gradients' products, nor in the exact hinge's second reading where the first shows it. Of the
/// others the products beyond the first of the cross-entropies, the second of the exact hinge, are taken of those strips alone whose entries a float can tell from nothing, see
/// [`LinearHead::with_filter`]: after training, few.
///
/// Classes may share or be guesses whose scores are near the largest: some ten of trained weights, but all where the scores are closer together than
/// K margins over the number of classes, as at the start of a training.
///
/// Rows of the exact hinge that vector code does not serve (K + 1 beyond the middle of the ranks) or cannot certify are read again by core's
/// code: two or three products more, and about 4 kB for each.
///
/// Every other loss is computed by [`forward`](LinearHead::forward), [`objective_and_grads`](crate::objective_and_grads) and
/// [`backward`](LinearHead::backward). The trait is sealed.
///
/// ```
/// use faer::{Mat, Par, mat};
/// use topk_loss::CrossEntropy;
/// use topk_loss_batch::{HeadLoss, LinearHead, Reduction, Result, Similarity, Targets};
/// fn mean(loss: &impl HeadLoss<f64>) -> Result<f64> {
///     let head = LinearHead::new(Mat::zeros(1, 4), None, Similarity::Inner)?;
///     head.objective(loss, mat![[1.0]].as_ref(), &Targets::new(&[0]), Reduction::Mean, Par::Seq)
/// }
/// assert!((mean(&CrossEntropy)? - 4.0_f64.ln()).abs() < 1e-15);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
pub trait HeadLoss<F: BatchReal>: Stripwise<F> {}

mod stripwise {
    use topk_loss::Real;

    use super::{Examples, HeadGrads, Strips};
    use crate::Result;

    /// What a loss does with the strips.
    pub trait Stripwise<F: Real>: Sync {
        /// The objective, and its gradients where they are asked for, which are not touched before the objective is known.
        fn objective(&self, strips: Strips<'_, F>, examples: Examples<'_, F>, grads: Option<HeadGrads<'_, F>>) -> Result<F>;

        /// See [`BatchLoss::label_weight`](crate::BatchLoss::label_weight).
        fn label_weight(&self, _: usize) -> F {
            F::one()
        }
    }
}

/// An entry of the gradient with respect to the scores that is not zero.
///
/// ```
/// use topk_loss_batch::ScoreGrad;
/// // What a feature vector adds to the gradient of the weights of the class.
/// let (entry, features) = (ScoreGrad { class: 7, example: 0, value: -0.5 }, [2.0, 4.0]);
/// assert_eq!(features.map(|x| entry.value * x), [-1.0, -2.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreGrad<F> {
    /// Whose score.
    pub class: usize,
    /// In which example.
    pub example: usize,
    /// The entry.
    pub value: F,
}

impl<F: BatchReal> LinearHead<F> {
    /// The objective Σ_b c_b·ℓ_b of a batch of features, see [`Reduction`], without its scores ever being stored.
    ///
    /// **Shapes, Errors, Ties and NaN.** As [`objective_and_grads`](Self::objective_and_grads).
    ///
    /// **Cost.** See [`HeadLoss`].
    ///
    /// ```
    /// use faer::{Par, mat};
    /// use topk_loss::{Margins, Smoothing, TopKHinge};
    /// use topk_loss_batch::{LinearHead, Reduction, Similarity, Targets};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], None, Similarity::Inner)?;
    /// let loss = TopKHinge::new(1)?;
    /// let features = mat![[1.0, 0.0], [0.0, 2.0]];
    /// let objective = head.objective(&loss, features.as_ref(), &Targets::new(&[0, 0]), Reduction::Mean, Par::Seq)?;
    /// assert_eq!(objective, 1.5); // the mean of 1 + 1 − 1 and 1 + 1 − 0
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See above.
    pub fn objective(
        &self,
        loss: &impl HeadLoss<F>,
        features: MatRef<'_, F>,
        targets: &Targets<'_, F>,
        reduction: Reduction,
        threads: impl Into<Threads>,
    ) -> Result<F> {
        let (strips, examples) = self.fused(loss, features, targets, reduction, threads.into())?;
        loss.objective(strips, examples, None)
    }

    /// The objective of a batch of features and the gradients of weights, bias and features: a whole training step in one call, as
    /// [`forward`](Self::forward), [`objective_and_grads`](crate::objective_and_grads) and [`backward`](Self::backward) would do it,
    /// without num_classes × batch numbers ever being stored.
    ///
    /// Scores are computed for a strip of classes at a time, with the bits that `forward` gives them, and computed again where a loss
    /// needs them again. Example b is evaluated by the loss with its [number](Targets::from_example) [folded in](topk_loss::FoldIn).
    ///
    /// **Shapes.** `features` dim × batch, one label an example, `grads` as for [`backward`](Self::backward).
    ///
    /// **Errors.** No example, none that counts in a mean, wrong shapes or lengths, a label that is no class, NaN or infinite features of
    /// an example that counts, such parameters, what the loss refuses (k ≥ L, margins that are not L, a smoothing by conditional draws), scores or losses beyond the
    /// float's range, a total weight of zero: `grads` is then as before. Gradients beyond the float's range: `grads` is then
    /// unspecified.
    ///
    /// **Ties and NaN.** The loss's. The hard hinge selects the class that its own code selects, always. The pathwise hinge has its own
    /// code's draws, bit for bit, and subtracts another center from the scores before it adds the noise: it selects the same class
    /// unless two noised scores are as close as rounding.
    ///
    /// **Cost.** See [`HeadLoss`]. Beside what is counted there, 2¹⁷ scores or those of 128 classes, whichever is more, a copy of the
    /// features with the cosine, and one where examples are ignored. The results are the same bits for any number of threads.
    ///
    /// ```
    /// use faer::{Mat, Par, mat};
    /// use topk_loss::{Margins, Smoothing, TopKHinge};
    /// use topk_loss_batch::{HeadGrads, LinearHead, Reduction, Similarity, Targets};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], None, Similarity::Inner)?;
    /// let loss = TopKHinge::new(1)?;
    /// let (features, targets) = (mat![[1.0, 0.0], [0.0, 2.0]], Targets::new(&[0, 0]));
    /// let mut weights = Mat::zeros(2, 3);
    /// let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: None };
    /// let objective = head.objective_and_grads(&loss, features.as_ref(), &targets, Reduction::Mean, grads, Par::Seq)?;
    /// assert_eq!(objective, 1.5);
    /// assert_eq!(weights, mat![[0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See above.
    pub fn objective_and_grads(
        &self,
        loss: &impl HeadLoss<F>,
        features: MatRef<'_, F>,
        targets: &Targets<'_, F>,
        reduction: Reduction,
        grads: HeadGrads<'_, F>,
        threads: impl Into<Threads>,
    ) -> Result<F> {
        let (strips, examples) = self.fused(loss, features, targets, reduction, threads.into())?;
        self.check_grads(features, &grads)?;
        loss.objective(strips, examples, Some(grads))
    }

    /// The objective of a batch of features and the entries of its gradient G with respect to the scores that are not zero: two for a
    /// hard hinge, at most B + 1 for a pathwise one of B draws, an example; none where the loss is zero.
    ///
    /// They stand in the order of the examples, and of the classes within an example. With the inner product the gradient of the weights of
    /// class j is Σ value·x over the entries of class j, the bias's Σ value, and that of an example's features Σ value·w over its
    /// entries: for whoever updates the touched columns alone.
    ///
    /// **Shapes, Errors, Ties and NaN.** As [`objective_and_grads`](Self::objective_and_grads), and an exact smoothing, whose gradient is
    /// dense.
    ///
    /// **Cost.** One product.
    ///
    /// ```
    /// use faer::{Par, mat};
    /// use topk_loss::{Margins, Smoothing, TopKHinge};
    /// use topk_loss_batch::{LinearHead, Reduction, ScoreGrad, Similarity, Targets};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0]], None, Similarity::Inner)?;
    /// let loss = TopKHinge::new(1)?;
    /// let targets = Targets::new(&[1]);
    /// let (objective, entries) =
    ///     head.objective_and_score_grads(&loss, mat![[1.0]].as_ref(), &targets, Reduction::Mean, Par::Seq)?;
    /// assert_eq!(objective, 2.0);
    /// let entry = |class, value| ScoreGrad { class, example: 0, value };
    /// assert_eq!(entries, [entry(0, 1.0), entry(1, -1.0)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See above.
    pub fn objective_and_score_grads(
        &self,
        loss: &TopKHinge<F, impl AsMargins<F> + Sync>,
        features: MatRef<'_, F>,
        targets: &Targets<'_, F>,
        reduction: Reduction,
        threads: impl Into<Threads>,
    ) -> Result<(F, Vec<ScoreGrad<F>>)> {
        let (strips, examples) = self.fused(loss, features, targets, reduction, threads.into())?;
        top_k_hinge::sparse(&loss.borrowed(), &strips, &examples)
    }

    fn fused<'a>(
        &'a self,
        loss: &impl HeadLoss<F>,
        features: MatRef<'a, F>,
        targets: &Targets<'a, F>,
        reduction: Reduction,
        threads: Threads,
    ) -> Result<(Strips<'a, F>, Examples<'a, F>)> {
        self.check_features(features)?;
        let examples = Examples::new(targets, reduction, |label| loss.label_weight(label), (self.num_classes(), features.ncols()))?;
        let features = Features::new(features, |example| targets.label(example).is_some())?;
        Ok((Strips::new(self, features, threads), examples))
    }
}
