//! The linear head: its parameters; the scores of every class follow from the features of every example.

mod backward;
mod cosine;
mod features;
mod forward;
mod fused;
mod matrix;
mod product;

use faer::prelude::*;

use crate::{BatchError, BatchReal, Result, check};
pub use backward::HeadGrads;
pub use fused::{HeadLoss, ScoreGrad};

/// How a class's weights w_j and an example's features x are compared.
///
/// ```
/// use faer::{Mat, Par, mat};
/// use topk_loss_batch::{LinearHead, Similarity};
/// let score = |similarity| {
///     let (head, mut scores) = (LinearHead::new(mat![[3.0], [4.0]], None, similarity)?, Mat::zeros(1, 1));
///     head.forward(mat![[3.0], [4.0]].as_ref(), scores.as_mut(), Par::Seq)?;
///     Ok::<_, topk_loss_batch::BatchError>(scores[(0, 0)])
/// };
/// assert_eq!((score(Similarity::Inner)?, score(Similarity::Cosine)?), (25.0, 1.0));
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Similarity {
    /// s_j = ⟨w_j, x⟩ + b_j.
    Inner,
    /// s_j = ⟨w_j, x⟩ / (‖w_j‖·‖x‖), with neither bias nor length to tell classes apart. Where w_j or x is zero, the score and its
    /// gradient are zero.
    Cosine,
}

/// A linear classifier over features: S = WᵀX + b, or the cosines of the columns of W and X.
///
/// **Shapes.** Weights W dim × num_classes, bias num_classes, features X dim × batch, scores S num_classes × batch: one class or one
/// example per column.
///
/// **Cost.** One matrix product forward and one per gradient backward. The results of a product are cut into tiles of a fixed size
/// that threads take whole, so they are the same bits for any number of threads.
///
/// ```
/// use faer::{Mat, Par, mat};
/// use topk_loss_batch::{LinearHead, Similarity};
/// let weights = mat![[3.0, 0.0, 0.0], [4.0, 2.0, 0.0]];
/// let features = mat![[3.0], [4.0]];
/// let mut scores = Mat::zeros(3, 1);
///
/// let inner = LinearHead::new(weights.clone(), Some(vec![0.5, 0.0, 1.0]), Similarity::Inner)?;
/// inner.forward(features.as_ref(), scores.as_mut(), Par::Seq)?;
/// assert_eq!(scores, mat![[25.5], [8.0], [1.0]]);
///
/// let cosine = LinearHead::new(weights, None, Similarity::Cosine)?;
/// cosine.forward(features.as_ref(), scores.as_mut(), Par::Seq)?;
/// assert_eq!(scores, mat![[1.0], [0.8], [0.0]]);
/// # Ok::<(), topk_loss_batch::BatchError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LinearHead<F> {
    weights: Mat<F>,
    bias: Option<Vec<F>>,
    similarity: Similarity,
    filter: F,
}

impl<F: BatchReal> LinearHead<F> {
    /// A head of given weights, bias and similarity; it owns them from then on.
    ///
    /// **Shapes.** `weights` dim × num_classes; a bias of num_classes numbers or none.
    ///
    /// **Cost.** One pass over the parameters, which checks that they are finite. Nothing is copied.
    ///
    /// ```
    /// use faer::Mat;
    /// use topk_loss_batch::{BatchError, LinearHead, Similarity};
    /// let head = LinearHead::new(Mat::<f32>::zeros(64, 1000), Some(vec![0.0; 1000]), Similarity::Inner)?;
    /// assert_eq!((head.dim(), head.num_classes()), (64, 1000));
    /// // A cosine has no bias.
    /// let refused = LinearHead::new(Mat::<f32>::zeros(64, 1000), Some(vec![0.0; 1000]), Similarity::Cosine).unwrap_err();
    /// assert!(matches!(refused, BatchError::Parameter { name: "bias", .. }));
    /// # Ok::<(), BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No feature, no class, a bias of another length than the number of classes, a bias of a cosine, NaN or infinite parameters.
    pub fn new(weights: Mat<F>, bias: Option<Vec<F>>, similarity: Similarity) -> Result<Self> {
        check::not_empty("feature", weights.nrows())?;
        check::not_empty("class", weights.ncols())?;
        if let Some(bias) = &bias {
            check::length("bias", weights.ncols(), bias.len())?;
            if similarity == Similarity::Cosine {
                return Err(BatchError::Parameter { name: "bias", must: "absent from a cosine" });
            }
        }
        let head = Self { weights, bias, similarity, filter: F::epsilon() / (F::one() + F::one()) };
        head.check_parameters()?;
        Ok(head)
    }

    /// The same head, whose [losses without stored scores](Self::objective_and_grads) leave so much of the gradient G with respect to the scores
    /// out: of the smallest entries those that together come to at most `tolerance`·Σ|G|, strips of up to 1024 classes of an example at a time.
    /// They are neither computed again nor multiplied.
    ///
    /// Half the float's ε is the default: rounding every entry of G once may change it by as much. 0 leaves nothing out.
    ///
    /// **Errors of the gradients.** ‖Δ∇W‖ ≤ `tolerance`·Σ|G|·max ‖x_b‖ and ‖Δ∇X‖ ≤ `tolerance`·Σ|G|·max ‖w_j‖ in the Frobenius norm; with the
    /// cosine, `tolerance`·Σ|G| over the shortest ‖w_j‖ and over the shortest ‖x_b‖. That is little beside the whole, not beside every
    /// column: a class of which only tiny entries are left out has a gradient of zero, which an optimizer that divides by each parameter's own
    /// size will notice.
    ///
    /// **Cost.** Of trained weights, whose scores are peaked, next to nothing of the backward products remains; where all scores are alike
    /// nothing can be left out.
    ///
    /// **References.** Leaving out what a float cannot hold is from E. Wijmans, B. Huval, A. Hertzberg, V. Koltun, P. Krähenbühl, "Cut Your Losses in
    /// Large-Vocabulary Language Models", ICLR 2025, there by a fixed threshold for each probability; the bound on the sum is ours.
    ///
    /// ```
    /// use faer::{Mat, Par, mat};
    /// use topk_loss::CrossEntropy;
    /// use topk_loss_batch::{HeadGrads, LinearHead, Reduction, Similarity, Targets};
    /// // Two classes compete, and many others do not.
    /// let weights = Mat::from_fn(1, 2000, |_, class| if class < 2 { 1.0 } else { -1.0 });
    /// let head = LinearHead::new(weights, None, Similarity::Inner)?;
    /// let (features, targets) = (mat![[50.0]], Targets::new(&[0]));
    /// let step = |head: &LinearHead<f64>| {
    ///     let mut weights = Mat::zeros(1, 2000);
    ///     let grads = HeadGrads { weights: weights.as_mut(), bias: None, features: None };
    ///     head.objective_and_grads(&CrossEntropy, features.as_ref(), &targets, Reduction::Mean, grads, Par::Seq)?;
    ///     Ok::<_, topk_loss_batch::BatchError>((weights[(0, 1)], weights[(0, 1999)]))
    /// };
    /// let (competitor, other) = step(&head.clone().with_filter(0.0)?)?;
    /// assert!((competitor - 25.0).abs() < 1e-9 && other > 0.0);
    /// assert_eq!(step(&head)?, (competitor, 0.0));
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// A tolerance that is not from 0 to below 1.
    pub fn with_filter(mut self, tolerance: F) -> Result<Self> {
        if !(tolerance >= F::zero() && tolerance < F::one()) {
            return Err(BatchError::Parameter { name: "tolerance", must: "from 0 to below 1" });
        }
        self.filter = tolerance;
        Ok(self)
    }

    /// The weights, one class per column.
    ///
    /// ```
    /// use faer::mat;
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.5, 0.0, 0.0]), Similarity::Inner)?;
    /// assert_eq!(head.weights()[(0, 2)], 2.0); // of feature 0 and class 2
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub fn weights(&self) -> MatRef<'_, F> {
        self.weights.as_ref()
    }

    /// The weights, to be trained: dim × num_classes. What an optimizer makes of them is checked in the next call, not here.
    ///
    /// ```
    /// use faer::mat;
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let mut head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.5, 0.0, 0.0]), Similarity::Inner)?;
    /// head.weights_mut()[(0, 2)] -= 0.5;
    /// assert_eq!(head.weights()[(0, 2)], 1.5);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub fn weights_mut(&mut self) -> MatMut<'_, F> {
        self.weights.as_mut()
    }

    /// The bias of every class, one number a class; `None` of a head without bias.
    ///
    /// ```
    /// use faer::mat;
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.5, 0.0, 0.0]), Similarity::Inner)?;
    /// assert_eq!(head.bias(), Some(&[0.5, 0.0, 0.0][..]));
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub fn bias(&self) -> Option<&[F]> {
        self.bias.as_deref()
    }

    /// The bias, to be trained; `None` of a head without bias.
    ///
    /// ```
    /// use faer::mat;
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let mut head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.5, 0.0, 0.0]), Similarity::Inner)?;
    /// head.bias_mut().into_iter().flatten().for_each(|bias| *bias -= 0.5);
    /// assert_eq!(head.bias(), Some(&[0.0, -0.5, -0.5][..]));
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub fn bias_mut(&mut self) -> Option<&mut [F]> {
        self.bias.as_deref_mut()
    }

    /// How weights and features are compared.
    ///
    /// ```
    /// use faer::mat;
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.5, 0.0, 0.0]), Similarity::Inner)?;
    /// assert_eq!(head.similarity(), Similarity::Inner);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub const fn similarity(&self) -> Similarity {
        self.similarity
    }

    /// The number of features.
    ///
    /// ```
    /// use faer::mat;
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.5, 0.0, 0.0]), Similarity::Inner)?;
    /// assert_eq!(head.dim(), 2);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub fn dim(&self) -> usize {
        self.weights.nrows()
    }

    /// The number of classes.
    ///
    /// ```
    /// use faer::mat;
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.5, 0.0, 0.0]), Similarity::Inner)?;
    /// assert_eq!(head.num_classes(), 3);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    #[must_use]
    pub fn num_classes(&self) -> usize {
        self.weights.ncols()
    }

    fn check_features(&self, features: MatRef<'_, F>) -> Result<()> {
        check::not_empty("example", features.ncols())?;
        check::shape("features", (self.dim(), features.ncols()), features.shape())
    }

    fn check_parameters(&self) -> Result<()> {
        matrix::parameter("weights", self.weights())?;
        self.bias().map_or(Ok(()), |bias| matrix::parameter("bias", ColRef::from_slice(bias).as_dyn_stride().as_mat()))
    }
}
