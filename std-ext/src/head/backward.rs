//! The gradients of a linear head: of weights, bias and features, from those of the scores.

use faer::prelude::*;
use faer::{Accum, unzip, zip};
use topk_loss::Compensated;

use super::features::Features;
use super::product::product;
use super::{LinearHead, Similarity, cosine, matrix};
use crate::{BatchReal, Result, Threads, check};

/// Where [`LinearHead::backward`] and [`LinearHead::objective_and_grads`] write the gradients of weights, bias and features.
///
/// **Shapes.** Those of what they are the gradients of; a head without bias has a bias gradient of length 0, or none.
///
/// ```
/// use faer::{Mat, Par, mat};
/// use topk_loss_batch::{HeadGrads, LinearHead, Similarity};
/// let head = LinearHead::new(mat![[1.0, 0.0], [0.0, 1.0]], Some(vec![0.0, 0.0]), Similarity::Inner)?;
/// let (features, scores, score_grads) = (mat![[3.0], [4.0]], mat![[3.0], [4.0]], mat![[-1.0], [1.0]]);
/// let (mut weights, mut bias) = (Mat::zeros(2, 2), [0.0; 2]);
/// let grads = HeadGrads { weights: weights.as_mut(), bias: Some(&mut bias), features: None };
/// head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::Seq)?;
/// assert_eq!((weights, bias), (mat![[-3.0, 3.0], [-4.0, 4.0]], [-1.0, 1.0]));
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug)]
pub struct HeadGrads<'a, F> {
    /// The gradient of the weights.
    pub weights: MatMut<'a, F>,
    /// The gradient of the bias, where it is wanted.
    pub bias: Option<&'a mut [F]>,
    /// The gradient of the features, where something below the head is trained.
    pub features: Option<MatMut<'a, F>>,
}

impl<F: BatchReal> LinearHead<F> {
    /// Overwrites `grads` with the gradients of an objective whose gradient with respect to the scores is G = `score_grads`.
    ///
    /// Inner: ∇W = X·Gᵀ, ∇b = Σ_b G_b, ∇X = W·G. Cosine, with ŵ and x̂ the normalised columns:
    /// ∇w_j = Σ_b G_jb·(x̂_b − S_jb·ŵ_j) / ‖w_j‖ and ∇x_b = Σ_j G_jb·(ŵ_j − S_jb·x̂_b) / ‖x_b‖.
    ///
    /// Of an example whose score gradients are all zero, as those of ignored examples are, neither features nor scores are read: it takes
    /// no part in ∇W, and its ∇x is zero. Sums over the examples are compensated, those of a product in steps of 1024 terms.
    ///
    /// **Shapes.** `features` dim × batch; `scores`, which [`forward`](Self::forward) returned for them and only the cosine reads, and
    /// `score_grads` num_classes × batch.
    ///
    /// **Cost.** A product for the weights and one for the features; two numbers a class are allocated, a copy of the features where an
    /// example is not read, and with the cosine another one and a number an example.
    ///
    /// ```
    /// use faer::{Mat, Par, mat};
    /// use topk_loss_batch::{HeadGrads, LinearHead, Similarity};
    /// let head = LinearHead::new(mat![[2.0, 0.0], [0.0, 5.0]], None, Similarity::Cosine)?;
    /// let (features, scores, score_grads) = (mat![[4.0], [0.0]], mat![[1.0], [0.0]], mat![[-1.0], [1.0]]);
    /// let (mut weights, mut below) = (Mat::zeros(2, 2), Mat::zeros(2, 1));
    /// let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: Some(below.as_mut()) };
    /// head.backward(features.as_ref(), scores.as_ref(), score_grads.as_ref(), grads, Par::Seq)?;
    /// assert_eq!(weights, mat![[0.0, 0.2], [0.0, 0.0]]);
    /// assert_eq!(below, mat![[0.0], [0.25]]);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No example, wrong shapes, a bias gradient of another length than the bias, NaN or infinite numbers that are read: `grads` is
    /// then as before.
    /// Gradients beyond the float's range: `grads` is then unspecified.
    pub fn backward(
        &self,
        features: MatRef<'_, F>,
        scores: MatRef<'_, F>,
        score_grads: MatRef<'_, F>,
        grads: HeadGrads<'_, F>,
        threads: impl Into<Threads>,
    ) -> Result<()> {
        self.check_features(features)?;
        let shape = (self.num_classes(), features.ncols());
        check::shape("scores", shape, scores.shape())?;
        check::shape("score gradients", shape, score_grads.shape())?;
        self.check_grads(features, &grads)?;
        matrix::examples("score gradients", score_grads, |_| true)?;
        let is_read: Vec<_> = score_grads.col_iter().map(|column| column.iter().any(|&entry| entry != F::zero())).collect();
        let features = Features::new(features, |example| is_read[example])?;
        self.check_parameters()?;
        match self.similarity {
            Similarity::Inner => self.backward_inner(features.get(), score_grads, grads, threads.into()),
            Similarity::Cosine => {
                matrix::examples("scores", scores, |example| is_read[example])?;
                cosine::backward(self.weights(), features.get(), scores, score_grads, &is_read, grads, threads.into())
            }
        }
    }

    fn backward_inner(&self, features: MatRef<'_, F>, score_grads: MatRef<'_, F>, grads: HeadGrads<'_, F>, threads: Threads) -> Result<()> {
        if let Some(bias) = grads.bias.filter(|bias| !bias.is_empty()) {
            write_bias_grad(score_grads, bias)?;
        }
        if let Some(grads) = grads.features {
            product("feature gradient", grads, Accum::Replace, self.weights(), score_grads, threads)?;
        }
        product("weight gradient", grads.weights, Accum::Replace, features, score_grads.transpose(), threads)
    }

    pub(super) fn check_grads(&self, features: MatRef<'_, F>, grads: &HeadGrads<'_, F>) -> Result<()> {
        check::shape("weight gradients", self.weights.shape(), grads.weights.shape())?;
        if let Some(bias) = &grads.bias {
            check::length("bias gradient", self.bias.as_ref().map_or(0, Vec::len), bias.len())?;
        }
        grads.features.as_ref().map_or(Ok(()), |grads| check::shape("feature gradients", features.shape(), grads.shape()))
    }
}

/// Σ_b G_b.
pub(super) fn write_bias_grad<F: BatchReal>(score_grads: MatRef<'_, F>, bias: &mut [F]) -> Result<()> {
    let mut sums = vec![Compensated::zero(); bias.len()];
    for column in score_grads.col_iter() {
        zip!(ColMut::from_slice_mut(&mut sums), column).for_each(|unzip!(sum, entry)| sum.add(*entry));
    }
    bias.iter_mut().zip(sums).for_each(|(place, sum)| *place = sum.sum());
    matrix::in_range("bias gradient", ColRef::from_slice(bias).as_dyn_stride().as_mat())
}
