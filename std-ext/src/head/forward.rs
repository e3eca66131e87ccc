//! The scores of a linear head.

use faer::prelude::*;
use faer::{Accum, unzip, zip};

use super::cosine::Columns;
use super::features::Features;
use super::product::product;
use super::{LinearHead, Similarity};
use crate::{BatchReal, Result, Targets, Threads, check};

impl<F: BatchReal> LinearHead<F> {
    /// The scores of every class for every example, S = WᵀX + b or the [cosines](Similarity::Cosine); overwrites `scores`.
    ///
    /// **Shapes.** `features` dim × batch, `scores` num_classes × batch.
    ///
    /// **Cost.** One product; with the cosine, a copy of the features and one number a class are allocated.
    ///
    /// **NaN.** NaN and infinities in features or parameters are errors; a score is never NaN.
    ///
    /// ```
    /// use faer::{Mat, Par, mat};
    /// use topk_loss_batch::{LinearHead, Similarity};
    /// let head = LinearHead::new(mat![[1.0, 0.0, 2.0], [0.0, 1.0, 0.5]], Some(vec![0.0, 0.0, 1.0]), Similarity::Inner)?;
    /// let mut scores = Mat::zeros(3, 1);
    /// head.forward(mat![[1.0], [2.0]].as_ref(), scores.as_mut(), Par::Seq)?;
    /// assert_eq!(scores, mat![[1.0], [2.0], [4.0]]);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// No example, wrong shapes, NaN or infinite features or parameters: `scores` is then as before. Scores beyond the float's
    /// range: `scores` is then unspecified.
    pub fn forward(&self, features: MatRef<'_, F>, scores: MatMut<'_, F>, threads: impl Into<Threads>) -> Result<()> {
        self.check_features(features)?;
        self.forward_read(features, |_| true, scores, threads.into())
    }

    /// As [`forward`](Self::forward), but the features of ignored examples are not read: their scores are those of zero features.
    ///
    /// **Shapes.** `features` dim × batch, one label an example, `scores` num_classes × batch.
    ///
    /// **NaN.** That of an ignored example may be anywhere, it is not read; any other is an error.
    ///
    /// **Cost.** As [`forward`](Self::forward); where examples are ignored, a copy of the features is allocated.
    ///
    /// ```
    /// use faer::{Mat, Par, mat};
    /// use topk_loss_batch::{LinearHead, Similarity, Targets};
    /// const PADDING: usize = usize::MAX;
    /// let head = LinearHead::new(mat![[1.0, 0.5]], None, Similarity::Inner)?;
    /// let (features, mut scores) = (mat![[2.0, f64::NAN]], Mat::zeros(2, 2));
    /// let targets = Targets::new(&[0, PADDING]).ignoring(PADDING);
    /// head.forward_counted(features.as_ref(), &targets, scores.as_mut(), Par::Seq)?;
    /// assert_eq!(scores, mat![[2.0, 0.0], [1.0, 0.0]]);
    /// # Ok::<(), topk_loss_batch::BatchError>(())
    /// ```
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a number of labels other than that of the examples, a label that is no class.
    pub fn forward_counted(
        &self,
        features: MatRef<'_, F>,
        targets: &Targets<'_, F>,
        scores: MatMut<'_, F>,
        threads: impl Into<Threads>,
    ) -> Result<()> {
        self.check_features(features)?;
        check::labels(targets, self.num_classes(), features.ncols())?;
        self.forward_read(features, |example| targets.label(example).is_some(), scores, threads.into())
    }

    fn forward_read(
        &self,
        features: MatRef<'_, F>,
        is_read: impl Fn(usize) -> bool,
        scores: MatMut<'_, F>,
        threads: Threads,
    ) -> Result<()> {
        let features = Features::new(features, is_read)?;
        let features = features.get();
        check::shape("scores", (self.num_classes(), features.ncols()), scores.shape())?;
        self.check_parameters()?;
        let directions = self.directions(features);
        self.write_scores(0, directions.as_ref().map_or(features, Mat::as_ref), scores, threads)
    }

    /// What the weights are multiplied with in place of the features, if not these.
    pub(super) fn directions(&self, features: MatRef<'_, F>) -> Option<Mat<F>> {
        match self.similarity {
            Similarity::Inner => None,
            Similarity::Cosine => Some(Columns::new(features).directions()),
        }
    }

    /// The scores of as many classes as there are rows, from `first` on, by features or directions.
    pub(super) fn write_scores(&self, first: usize, features: MatRef<'_, F>, mut scores: MatMut<'_, F>, threads: Threads) -> Result<()> {
        let weights = self.weights().subcols(first, scores.nrows());
        match self.similarity {
            Similarity::Inner => match &self.bias {
                None => product("score", scores, Accum::Replace, weights.transpose(), features, threads),
                Some(bias) => {
                    let bias = ColRef::from_slice(&bias[first..first + weights.ncols()]);
                    scores.rb_mut().col_iter_mut().for_each(|mut column| column.copy_from(bias));
                    product("score", scores, Accum::Add, weights.transpose(), features, threads)
                }
            },
            Similarity::Cosine => {
                let classes = Columns::new(weights);
                product("score", scores.rb_mut(), Accum::Replace, classes.columns().transpose(), features, threads)?;
                for column in scores.col_iter_mut() {
                    zip!(column, ColRef::from_slice(classes.norms())).for_each(|unzip!(score, norm)| *score /= *norm);
                }
                Ok(())
            }
        }
    }
}
