//! The exact form of a whole row: from its scores to the gradient.

use super::bounds::Bounds;
use super::chernoff::greatest_mean;
use super::competitors::Competitors;
use super::histogram::MOST_BINS;
use super::inclusion::{Few, Inclusion, Label};
use super::mean::Mean;
use super::partition::{FEW, Partition};
use super::precision::{is_double, most_terms};
use super::problem::Problem;
use super::solution::{self, Form, Functional, Solution};
use super::summary::Summary;
use super::task::{Outcome, Output, Question, Task};
use crate::lanes::LANES;
use crate::noise::Erased;
use crate::{Error, Noise, Real, Result, check};

impl<N: Noise<F>, F: Real> Task<'_, N, F> {
    /// The answer, inlined: it takes the instruction set of the caller.
    ///
    /// # Errors
    /// A tolerance that cannot be reached; scratch too short; a law that returns NaN.
    #[inline(always)]
    pub fn run(self) -> Result<Outcome<F>> {
        self.answer::<true>()
    }

    /// The same so fine that derivatives are as good: those of a rule converge behind the rule. A hundredth of its error is a few times
    /// theirs.
    pub fn for_derivatives(mut self) -> Self {
        self.problem.precision.quadrature *= F::from_f64(0.01);
        self
    }

    /// The answer by the plain form alone, as far as rounding lets it go: for a float that carries derivatives, whose quadrature
    /// converges later than the number's, and for which lanes gain nothing.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_plainly(mut self) -> Result<Outcome<F>> {
        self.problem.precision = self.problem.precision.strict();
        self.answer::<false>()
    }

    #[inline(always)]
    fn answer<const FAST: bool>(self) -> Result<Outcome<F>> {
        match self.question {
            Question::Lose(label) => lose::<FAST, _, _>(self.asking(label).oriented()),
            Question::Smooth { wants_grad, is_plain } => {
                let Task { problem, row, output, scratch, .. } = self.oriented();
                smooth::<FAST, _, _>(problem, row, output, wants_grad, is_plain, scratch)
            }
        }
    }
}

impl<N: Noise<F>, F: Real> Task<'_, N, F, Label<F>> {
    /// The answer, inlined: it takes the instruction set of the caller.
    ///
    /// # Errors
    /// As that of any task.
    #[inline(always)]
    pub fn run(self) -> Result<Outcome<F>> {
        lose::<true, _, _>(self.oriented())
    }
}

/// More candidates than this are left to the plain form: about four classes for each that is above the window's lower end on average.
const fn most_candidates(num_classes: usize, last_rank: usize, is_rare: bool, double: bool) -> usize {
    // −ln of the probability that may be left out: of the order statistic, or of a label's chance of e^−32.
    let limit = match (is_rare, double) {
        (false, false) => 14,
        (false, true) => 26,
        (true, false) => 48,
        (true, true) => 64,
    };
    let most = greatest_mean(last_rank, limit).saturating_mul(4).saturating_add(16);
    if most < num_classes { most } else { num_classes }
}

/// The scratch of a row whose deepest rank is the given one, as long as the fast form serves it.
const fn fast_scratch_len(num_classes: usize, last_rank: usize, is_rare: bool, double: bool) -> usize {
    let candidates = most_candidates(num_classes, last_rank, is_rare, double);
    let terms = if num_classes <= FEW { 0 } else { most_terms(double) };
    solution::fast_scratch_len(candidates, last_rank, terms).saturating_add(candidates).saturating_add(terms * LANES)
}

/// The scratch of any row whose deepest rank is the given one, for its order statistic or for a label's chance, which may be rare. A rank
/// deeper than the row is refused, and asks for no more than the deepest there is.
pub(crate) fn scratch_len<F: Real>(num_classes: usize, last_rank: usize, is_rare: bool) -> usize {
    let last_rank = last_rank.min(num_classes);
    let fast = fast_scratch_len(num_classes, last_rank, is_rare, is_double::<F>());
    let plain = solution::plain_scratch_len(num_classes, last_rank).saturating_add(num_classes);
    fast.max(plain).max(Bounds::<F>::len(MOST_BINS))
}

/// More candidates than this the shards of a row do not tell each other: their window is up to two bins of a census lower, where of a crowd
/// that reaches it more classes are candidates.
pub(crate) fn most_told<F: Real>(num_classes: usize, last_rank: usize) -> usize {
    let most = most_candidates(num_classes, last_rank.min(num_classes), false, is_double::<F>());
    most.saturating_mul(4).min(num_classes)
}

/// The scratch of a shard of any row whose deepest rank is the given one.
pub(crate) fn shard_scratch_len<F: Real>(num_classes: usize, last_rank: usize) -> usize {
    let (most, last_rank, terms) = (most_told::<F>(num_classes, last_rank), last_rank.min(num_classes), most_terms(is_double::<F>()));
    solution::fast_scratch_len(most, last_rank, terms).max(most.saturating_add(terms * LANES)).max(Bounds::<F>::len(MOST_BINS))
}

/// The sum of a run of smoothed order statistics of scores relative to the problem's center, all scores being finite; the gradient is
/// added if it is wanted, given that.
#[inline(always)]
fn smooth<const FAST: bool, N: Noise<F>, F: Real>(
    problem: Problem<N, F>,
    row: Competitors<'_, F>,
    output: Output<'_, F>,
    wants_grad: &dyn Fn(F) -> bool,
    is_plain: bool,
    scratch: &mut [F],
) -> Result<Outcome<F>> {
    problem.precision.check()?;
    let partition = if problem.is_small() { Partition::of_few(problem) } else { row.histogram(problem).partition(scratch)? };
    let tolerance = problem.precision.tolerance * F::from_usize(problem.run.len());
    solve::<FAST, _, _, _>(row, &partition, Mean::new, tolerance, (output, wants_grad), is_plain, scratch)
}

/// What a label loses against the others of a row, all scores being finite, and the others' gradient by s/ε.
#[inline(always)]
fn lose<const FAST: bool, N: Noise<F>, F: Real>(task: Task<'_, N, F, Label<F>>) -> Result<Outcome<F>> {
    let Task { problem, row, question: label, output, scratch } = task;
    problem.precision.check()?;
    let of_few = match Few::new(&problem, row, scratch)? {
        Some(mut few) => Inclusion::of_few(&problem, &mut few, label),
        None => None,
    };
    let (inclusion, partition) = match of_few {
        Some(inclusion) => (inclusion, inclusion.partition_of_few(row)),
        None => {
            let histogram = row.histogram(problem);
            let mut bounds = Bounds::new(&histogram, scratch)?;
            let inclusion = Inclusion::new(&histogram, &mut bounds, label)?;
            (inclusion, inclusion.partition(&histogram, &mut bounds))
        }
    };
    if inclusion.is_decided() {
        return Ok(Outcome { value: F::zero(), error_bound: F::zero() });
    }
    solve::<FAST, _, _, _>(row, &partition, |_, _| inclusion, problem.precision.tolerance, (output, &|_| true), false, scratch)
}

/// The fast form, and where that cannot be certified the plain one.
#[inline(always)]
fn solve<const FAST: bool, N: Noise<F>, F: Real, S: Functional<F>>(
    row: Competitors<'_, F>,
    partition: &Partition<N, F>,
    functional: impl Fn(&Partition<N, F>, usize) -> S,
    tolerance: F,
    (output, wants_grad): (Output<'_, F>, &dyn Fn(F) -> bool),
    is_plain: bool,
    scratch: &mut [F],
) -> Result<Outcome<F>> {
    if FAST && !is_plain {
        let (num_classes, last) = (row.scores.len(), partition.problem.run.last);
        let candidates = most_candidates(num_classes, last, S::IS_RARE, is_double::<F>());
        let (room, rest) = check::split(&mut *scratch, partition.terms() * LANES + candidates)?;
        let mut summary = Summary::new(*partition, room)?;
        let mut is_whole = true;
        for piece in row.pieces() {
            is_whole &= summary.add_finite(piece).is_ok();
        }
        if is_whole {
            let part = summary.part();
            // Where this leaves the float's range the plain form need not.
            if let Ok(solution) = Solution::new(&functional(partition, part.candidates.len()), partition, part, Form::Fast, rest)
                && solution.error_bound() <= tolerance
            {
                if let Some((weight, grad)) = output.filter(|_| wants_grad(solution.centered_value())) {
                    row.add_grad(&solution, weight, grad);
                }
                return Ok(Outcome { value: solution.centered_value(), error_bound: solution.error_bound() });
            }
        }
    }
    let law = Erased::new(&partition.problem.law);
    let functional = |candidates| functional(partition, candidates).erased(law);
    solve_plainly(row, &partition.plain().under(law), &functional, tolerance, (output, wants_grad), scratch)
}

/// The plain form, which is slow anyway: compiled once for all laws.
#[cold]
#[inline(never)]
fn solve_plainly<F: Real, S: Functional<F>>(
    row: Competitors<'_, F>,
    partition: &Partition<Erased<'_, F>, F>,
    functional: &dyn Fn(usize) -> S,
    tolerance: F,
    (output, wants_grad): (Output<'_, F>, &dyn Fn(F) -> bool),
    scratch: &mut [F],
) -> Result<Outcome<F>> {
    let (room, rest) = check::split(scratch, row.scores.len())?;
    let mut summary = Summary::new(*partition, room)?;
    row.pieces().try_for_each(|piece| summary.add_candidates(piece))?;
    let part = summary.part();
    let solution = Solution::new(&functional(part.candidates.len()), partition, part, Form::Plain, rest)?;
    if solution.error_bound() > tolerance {
        return Err(Error::Accuracy { what: "exact smoothing" });
    }
    if let Some((weight, grad)) = output.filter(|_| wants_grad(solution.centered_value())) {
        row.add_grad(&solution, weight, grad);
    }
    Ok(Outcome { value: solution.centered_value(), error_bound: solution.error_bound() })
}
