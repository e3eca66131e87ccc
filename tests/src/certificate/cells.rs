//! Where a loss of sorted scores is linear: the cells between its cuts.

use std::collections::BTreeSet;

use num_rational::BigRational;
use num_traits::Zero;
use topk_loss::{Error, Result};

use super::rational::{Row, eliminate};

/// A hyperplane of sorted scores: Σ normalᵢ s₍ᵢ₎ = offset, in units of the loss's margin.
///
/// ```
/// use topk_loss_laws::certificate::Cut;
/// // The best score leads the second by the margin.
/// let cut = Cut { normal: vec![1, -1, 0], offset: 1 };
/// assert_eq!((cut.side(&[3.0, 0.5, 0.0], 2.0), cut.side(&[1.0, 0.5, 0.0], 2.0)), (0.5, -1.5));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Its normal, an entry a rank. They sum to zero: a common offset of the scores moves nothing.
    pub normal: Vec<i64>,
    /// Its offset.
    pub offset: i64,
}

impl Cut {
    /// On which side sorted scores are: Σ normalᵢ s₍ᵢ₎ − offset, for a loss of this margin. See [`Cut`] for
    /// an example.
    #[must_use]
    pub fn side(&self, sorted: &[f64], margin: f64) -> f64 {
        let sum: f64 = self.normal.iter().zip(sorted).map(|(&entry, score)| entry as f64 * score).sum();
        sum - self.offset as f64 * margin
    }
}

/// The cells into which cuts divide sorted scores, s₍₁₎ ≥ s₍₂₎ ≥ …; inside each the loss of every label is linear.
///
/// Cuts that the loss does not need do no harm; whether one is missing, the law [`is_linear_in_cells`](crate::laws::is_linear_in_cells)
/// tests. The constructors below are for the hinges of this library.
///
/// ```
/// use topk_loss_laws::certificate::{Cells, Cut};
/// // One guess among three classes: a label at the top has no loss from a lead of the margin on.
/// let cells = Cells::new(3, vec![Cut { normal: vec![1, -1, 0], offset: 1 }])?;
/// assert_eq!(cells, Cells::of_kth(3, 1)?);
/// # Ok::<(), topk_loss::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    num_classes: usize,
    cuts: Vec<Cut>,
}

impl Cells {
    /// The cells between these cuts, for a loss of your own. See [`Cells`] for an example.
    ///
    /// **Cost.** One pass over the cuts.
    ///
    /// # Errors
    /// A normal that has not an entry a class or whose entries do not sum to zero.
    pub fn new(num_classes: usize, cuts: Vec<Cut>) -> Result<Self> {
        for Cut { normal, .. } in &cuts {
            if normal.len() != num_classes {
                return Err(Error::Length { what: "normal", expected: num_classes, actual: normal.len() });
            }
            if normal.iter().try_fold(0_i64, |sum, &entry| sum.checked_add(entry)) != Some(0) {
                return Err(Error::Parameter { name: "normal", must: "entries that sum to zero" });
            }
        }
        Ok(Self { num_classes, cuts })
    }

    /// Where a label leads s₍K+1₎ by the margin: the calibrated hinge, and the hinge of the K-th other.
    ///
    /// **Cost.** O(K L) numbers.
    ///
    /// ```
    /// use topk_loss_laws::certificate::Cells;
    /// assert_eq!(Cells::of_kth(4, 2)?.cuts().len(), 2); // one for each rank of a label that may lead
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// K = 0, K ≥ L.
    pub fn of_kth(num_classes: usize, k: usize) -> Result<Self> {
        Self::of_leads(num_classes, k, |_| vec![vec![k]])
    }

    /// Where a label leads any of the K largest others by the margin: the mean of hinges.
    ///
    /// **Cost.** O(K² L) numbers.
    ///
    /// ```
    /// use topk_loss_laws::certificate::Cells;
    /// assert_eq!(Cells::of_each(4, 2)?.cuts().len(), 3); // the best label leads the second or the third, the second the third
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// K = 0, K ≥ L.
    pub fn of_each(num_classes: usize, k: usize) -> Result<Self> {
        Self::of_leads(num_classes, k, |label| (label + 1..=k).map(|other| vec![other]).collect())
    }

    /// Where a label leads the mean of the K largest others by the margin: the hinge of the mean.
    ///
    /// **Cost.** O(K L) numbers.
    ///
    /// ```
    /// use topk_loss_laws::certificate::Cells;
    /// assert_eq!(Cells::of_mean(4, 2)?.cuts()[0].normal, [2, -1, -1, 0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// K = 0, K ≥ L.
    pub fn of_mean(num_classes: usize, k: usize) -> Result<Self> {
        Self::of_leads(num_classes, k, |label| vec![(0..=k).filter(|&other| other != label).collect()])
    }

    /// Where a label leads the mean of the K largest others by the margin, and its own score, without the margin, competes: where it gives
    /// way to the K-th other, and where what is left is no loss. For the hinge of the mean with the label.
    ///
    /// **Cost.** O(K L) numbers.
    ///
    /// ```
    /// use topk_loss_laws::certificate::Cells;
    /// assert_eq!(Cells::of_mean_with_label(4, 2)?.cuts().len(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// K = 0, K ≥ L.
    pub fn of_mean_with_label(num_classes: usize, k: usize) -> Result<Self> {
        Self::of_leads(num_classes, k, |label| {
            let others = (0..k).filter(|&other| other != label).collect();
            if label + 1 < k { vec![vec![k], others] } else { vec![vec![k]] }
        })
    }

    /// Where another number of classes shares the polyhedral hinge.
    ///
    /// The mean 1 + (s₍₁₎ + … + s₍ⱼ₎ − K)/j rises from j to j + 1 as long as Σ_{i≤j} (s₍ᵢ₎ − s₍ⱼ₊₁₎) < K, a sum that grows with j; and it
    /// is above s₍₁₎ as long as Σ_{i≤j} (s₍₁₎ − s₍ᵢ₎) < j − K.
    ///
    /// **Cost.** O(L²) numbers.
    ///
    /// ```
    /// use topk_loss_laws::certificate::Cells;
    /// assert_eq!(Cells::of_sharing(4, 2)?.cuts().len(), 3);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    ///
    /// # Errors
    /// K = 0, K ≥ L.
    pub fn of_sharing(num_classes: usize, k: usize) -> Result<Self> {
        check_k(k, num_classes)?;
        let next = (k + 1..num_classes).map(|j| {
            let normal = (0..num_classes).map(|rank| if rank < j { 1 } else { -(j as i64) * i64::from(rank == j) });
            Cut { normal: normal.collect(), offset: k as i64 }
        });
        let largest = (k + 1..=num_classes).map(|j| {
            let normal = (0..num_classes).map(|rank| j as i64 * i64::from(rank == 0) - i64::from(rank < j));
            Cut { normal: normal.collect(), offset: (j - k) as i64 }
        });
        Self::new(num_classes, next.chain(largest).collect())
    }

    /// Where a label among the K largest leads the mean of some other classes by the margin.
    fn of_leads(num_classes: usize, k: usize, others: impl Fn(usize) -> Vec<Vec<usize>>) -> Result<Self> {
        check_k(k, num_classes)?;
        let cuts = (0..k).flat_map(|label| others(label).into_iter().map(move |others| (label, others))).map(|(label, others)| {
            let mut normal = vec![0; num_classes];
            others.iter().for_each(|&other| normal[other] = -1);
            normal[label] = others.len() as i64;
            Cut { normal, offset: others.len() as i64 }
        });
        Self::new(num_classes, cuts.collect())
    }

    /// The number of classes L.
    ///
    /// ```
    /// use topk_loss_laws::certificate::Cells;
    /// assert_eq!(Cells::of_kth(4, 2)?.num_classes(), 4);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn num_classes(&self) -> usize {
        self.num_classes
    }

    /// The cuts that the cells are made by.
    ///
    /// ```
    /// use topk_loss_laws::certificate::Cells;
    /// assert_eq!(Cells::of_kth(3, 1)?.cuts()[0].normal, [1, -1, 0]);
    /// # Ok::<(), topk_loss::Error>(())
    /// ```
    #[must_use]
    pub fn cuts(&self) -> &[Cut] {
        &self.cuts
    }

    /// The corners of the cells, as sorted scores that end with 0.
    ///
    /// In terms of the gaps s₍ᵢ₎ − s₍ᵢ₊₁₎ ≥ 0 a corner is where some gaps are open and as many independent cuts meet.
    pub(super) fn corners(&self) -> Vec<Vec<BigRational>> {
        let num_gaps = self.num_classes.saturating_sub(1);
        let by_gaps: Vec<Row> = self.cuts.iter().map(by_gaps).collect();
        let mut corners = BTreeSet::new();
        for opened in 0..1_u32 << num_gaps {
            let open: Vec<usize> = (0..num_gaps).filter(|gap| opened >> gap & 1 == 1).collect();
            let of_open = |row: &Row| open.iter().chain([&num_gaps]).map(|&i| row[i].clone()).collect();
            let rows: Vec<Row> = by_gaps.iter().map(of_open).collect();
            let inside = meetings(&rows, &[], open.len()).into_iter().filter(|sizes| sizes.iter().all(|size| *size > BigRational::zero()));
            corners.extend(inside.map(|sizes| {
                let mut scores = vec![BigRational::zero(); self.num_classes];
                for (&gap, size) in open.iter().zip(sizes) {
                    scores[..=gap].iter_mut().for_each(|score| *score += &size);
                }
                scores
            }));
        }
        corners.into_iter().collect()
    }
}

pub(super) fn check_k(k: usize, num_classes: usize) -> Result<()> {
    if k == 0 || k >= num_classes { Err(Error::K { k, max: num_classes.saturating_sub(1) }) } else { Ok(()) }
}

/// Σ normalᵢ s₍ᵢ₎ is the sum of (normal₁ + … + normalᵢ) times the i-th gap; the offset comes last.
fn by_gaps(cut: &Cut) -> Row {
    let sums = cut.normal.iter().scan(BigRational::zero(), |sum, &entry| {
        *sum += BigRational::from_integer(entry.into());
        Some(sum.clone())
    });
    sums.take(cut.normal.len().saturating_sub(1)).chain([BigRational::from_integer(cut.offset.into())]).collect()
}

/// An equation that is solved for the unknown of this column.
type Solved = (usize, Row);

/// Where as many independent rows as there are unknowns meet, each a linear equation, the `known` ones among them.
fn meetings(rows: &[Row], known: &[Solved], unknowns: usize) -> Vec<Row> {
    if known.len() == unknowns {
        let mut known: Vec<&Solved> = known.iter().collect();
        known.sort_by_key(|(column, _)| column);
        return vec![known.into_iter().map(|(_, row)| row[unknowns].clone()).collect()];
    }
    let with = |i: usize| with_one_more(known, &rows[i]).map_or(vec![], |known| meetings(&rows[i + 1..], &known, unknowns));
    (0..rows.len()).flat_map(with).collect()
}

/// Gauss and Jordan's step; nothing if the row depends on the known ones.
fn with_one_more(known: &[Solved], row: &Row) -> Option<Vec<Solved>> {
    let mut row = row.clone();
    known.iter().for_each(|(column, by)| eliminate(&mut row, by, *column));
    let column = row[..row.len() - 1].iter().position(|entry| !entry.is_zero())?;
    let factor = row[column].recip();
    row.iter_mut().for_each(|entry| *entry *= &factor);
    let mut known = known.to_vec();
    known.iter_mut().for_each(|(_, other)| eliminate(other, &row, column));
    known.push((column, row));
    Some(known)
}
