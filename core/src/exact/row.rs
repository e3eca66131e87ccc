//! The exact form of a whole row: from its scores to the gradient.

use core::fmt;

use super::bounds::Bounds;
use super::chernoff::greatest_mean;
use super::contest::{Contest, Few, Label};
use super::division::{Division, FEW};
use super::mean::Mean;
use super::precision::{is_double, most_terms};
use super::problem::Problem;
use super::profile::{MOST_BINS, Profile};
use super::solution::{self, Form, Solution, Sought};
use super::summary::Summary;
use crate::lanes::LANES;
use crate::noise::Reflected;
use crate::{Error, Noise, Real, Result, check, pieces};

/// The scores of the classes that compete: all of a row, or those around a label.
#[derive(Debug, Clone, Copy)]
pub struct Competitors<'s, F> {
    pub scores: &'s [F],
    pub label: Option<usize>,
}

impl<'s, F: Real> Competitors<'s, F> {
    /// The row's pieces, each around the label if it is there.
    #[inline(always)]
    fn pieces(self) -> impl Iterator<Item = [&'s [F]; 2]> {
        let len = pieces::len(self.scores.len());
        let pieces = (0..).step_by(len).zip(self.scores.chunks(len));
        pieces.map(move |(first, piece)| match self.label.and_then(|label| label.checked_sub(first)).filter(|&own| own < piece.len()) {
            Some(own) => [piece.get(..own).unwrap_or_default(), piece.get(own + 1..).unwrap_or_default()],
            None => [piece, &[]],
        })
    }

    /// The classes in units of the noise about the center.
    #[inline(always)]
    pub fn units<N>(self, problem: &Problem<N, F>) -> impl Iterator<Item = F> {
        let units = problem.units();
        self.pieces().flatten().flatten().map(move |&score| units.of(score))
    }

    #[inline(always)]
    fn profile<N: Noise<F>>(self, problem: Problem<N, F>) -> Profile<N, F> {
        let mut profile = Profile::new(problem);
        for piece in self.pieces() {
            for scores in piece {
                profile.add_finite(scores);
            }
        }
        profile
    }

    /// Adds `weight` times the gradient to the entries of the whole row's.
    #[inline(always)]
    fn add_grad<N: Noise<F>>(self, solution: &Solution<'_, N, F>, weight: F, grad: &mut [F]) {
        match self.label.and_then(|label| Some((grad.split_at_mut_checked(label)?, self.scores.split_at_checked(label)?))) {
            Some(((grad, [_, grad_after @ ..]), (scores, [_, scores_after @ ..]))) => {
                let next = solution.add_finite_grad(scores, 0, weight, grad);
                solution.add_finite_grad(scores_after, next, weight, grad_after);
            }
            _ => {
                solution.add_finite_grad(self.scores, 0, weight, grad);
            }
        }
    }
}

/// A value with a bound on the error of the gradient.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<F> {
    /// Relative to the center, where it is that of order statistics.
    pub value: F,
    /// On the L1 error of the gradient.
    pub error_bound: F,
}

/// Where a gradient is added, and what it is multiplied by.
pub type Output<'g, F> = Option<(F, &'g mut [F])>;

/// What is asked of a row.
#[derive(Clone, Copy)]
pub enum Question<'a, F> {
    /// The sum of a run of smoothed order statistics relative to the problem's center; the gradient is added if it is wanted, given that.
    Smooth { wants_grad: &'a dyn Fn(F) -> bool, is_plain: bool },
    /// What a label loses against the others, and the others' gradient by s/ε.
    Lose(Label<F>),
}

impl<F> fmt::Debug for Question<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smooth { .. } => "Smooth",
            Self::Lose(_) => "Lose",
        })
    }
}

/// All that an exact form needs: one value, so that whoever compiles it takes one argument.
pub struct Task<'a, N, F, Q = Question<'a, F>> {
    /// Whose law it is compiled for.
    pub problem: Problem<N, F>,
    /// All of whose scores are finite.
    pub(crate) row: Competitors<'a, F>,
    pub(crate) question: Q,
    pub(crate) output: Output<'a, F>,
    pub(crate) scratch: &'a mut [F],
}

impl<N, F, Q: fmt::Debug> fmt::Debug for Task<'_, N, F, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("question", &self.question).finish_non_exhaustive()
    }
}

impl<'a, N: Noise<F>, F: Real, Q> Task<'a, N, F, Q> {
    /// The same under another law, or the same by another type.
    #[inline(always)]
    #[must_use]
    pub fn under<M>(self, law: M) -> Task<'a, M, F, Q> {
        let Self { problem, row, question, output, scratch } = self;
        Task { problem: problem.under(law), row, question, output, scratch }
    }

    #[inline(always)]
    fn asking<P>(self, question: P) -> Task<'a, N, F, P> {
        let Self { problem, row, output, scratch, .. } = self;
        Task { problem, row, question, output, scratch }
    }

    /// The same under the law that it is about.
    #[inline(always)]
    fn oriented(self) -> Task<'a, Reflected<N>, F, Q> {
        let law = self.problem.law;
        let is_reflected = self.problem.is_mirrored() && !law.is_symmetric();
        self.under(Reflected { law, is_reflected })
    }
}

impl<'a, N: Noise<F>, F: Real> Task<'a, N, F> {
    /// The same where it is about a label: for who is asked for nothing else, and so compiles half as much.
    ///
    /// # Errors
    /// It is not.
    pub fn contest(self) -> core::result::Result<Task<'a, N, F, Label<F>>, Self> {
        match self.question {
            Question::Lose(label) => Ok(self.asking(label)),
            Question::Smooth { .. } => Err(self),
        }
    }

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

impl<'a, N, F> From<Task<'a, N, F, Label<F>>> for Task<'a, N, F> {
    fn from(contest: Task<'a, N, F, Label<F>>) -> Self {
        let Task { problem, row, question, output, scratch } = contest;
        Self { problem, row, question: Question::Lose(question), output, scratch }
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

/// More candidates than this the shards of a row do not tell each other: their window is up to two bins of a census lower, where of a crowd that
/// reaches it more classes are candidates.
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
    let division = if problem.is_small() { Division::of_few(problem) } else { row.profile(problem).division(scratch)? };
    let tolerance = problem.precision.tolerance * F::from_usize(problem.run.len());
    solve::<FAST, _, _, _>(row, &division, Mean::new, tolerance, (output, wants_grad), is_plain, scratch)
}

/// What a label loses against the others of a row, all scores being finite, and the others' gradient by s/ε.
#[inline(always)]
fn lose<const FAST: bool, N: Noise<F>, F: Real>(task: Task<'_, N, F, Label<F>>) -> Result<Outcome<F>> {
    let Task { problem, row, question: label, output, scratch } = task;
    problem.precision.check()?;
    let of_few = match Few::new(&problem, row, scratch)? {
        Some(mut few) => Contest::of_few(&problem, &mut few, label),
        None => None,
    };
    let (contest, division) = match of_few {
        Some(contest) => (contest, contest.division_of_few(row)),
        None => {
            let profile = row.profile(problem);
            let mut bounds = Bounds::new(&profile, scratch)?;
            let contest = Contest::new(&profile, &mut bounds, label)?;
            (contest, contest.division(&profile, &mut bounds))
        }
    };
    if contest.is_decided() {
        return Ok(Outcome { value: F::zero(), error_bound: F::zero() });
    }
    solve::<FAST, _, _, _>(row, &division, |_, _| contest, problem.precision.tolerance, (output, &|_| true), false, scratch)
}

/// The fast form, and where that cannot be certified the plain one.
#[inline(always)]
fn solve<const FAST: bool, N: Noise<F>, F: Real, S: Sought<F>>(
    row: Competitors<'_, F>,
    division: &Division<N, F>,
    sought: impl Fn(&Division<N, F>, usize) -> S,
    tolerance: F,
    (output, wants_grad): (Output<'_, F>, &dyn Fn(F) -> bool),
    is_plain: bool,
    scratch: &mut [F],
) -> Result<Outcome<F>> {
    if FAST && !is_plain {
        let (num_classes, last) = (row.scores.len(), division.problem.run.last);
        let candidates = most_candidates(num_classes, last, S::IS_RARE, is_double::<F>());
        let (room, rest) = check::split(&mut *scratch, division.terms() * LANES + candidates)?;
        let mut summary = Summary::new(*division, room)?;
        let mut is_whole = true;
        for piece in row.pieces() {
            is_whole &= summary.add_finite(piece).is_ok();
        }
        if is_whole {
            let part = summary.part();
            let solution = Solution::new(&sought(division, part.candidates.len()), division, part, Form::Fast, rest)?;
            if solution.error_bound() <= tolerance {
                if let Some((weight, grad)) = output.filter(|_| wants_grad(solution.centered_value())) {
                    row.add_grad(&solution, weight, grad);
                }
                return Ok(Outcome { value: solution.centered_value(), error_bound: solution.error_bound() });
            }
        }
    }
    solve_plainly(row, &division.plain(), sought, tolerance, (output, wants_grad), scratch)
}

#[cold]
#[inline(never)]
fn solve_plainly<N: Noise<F>, F: Real, S: Sought<F>>(
    row: Competitors<'_, F>,
    division: &Division<N, F>,
    sought: impl Fn(&Division<N, F>, usize) -> S,
    tolerance: F,
    (output, wants_grad): (Output<'_, F>, &dyn Fn(F) -> bool),
    scratch: &mut [F],
) -> Result<Outcome<F>> {
    let (room, rest) = check::split(scratch, row.scores.len())?;
    let mut summary = Summary::new(*division, room)?;
    row.pieces().try_for_each(|piece| summary.add_candidates(piece))?;
    let part = summary.part();
    let solution = Solution::new(&sought(division, part.candidates.len()), division, part, Form::Plain, rest)?;
    if solution.error_bound() > tolerance {
        return Err(Error::Accuracy { what: "exact smoothing" });
    }
    if let Some((weight, grad)) = output.filter(|_| wants_grad(solution.centered_value())) {
        row.add_grad(&solution, weight, grad);
    }
    Ok(Outcome { value: solution.centered_value(), error_bound: solution.error_bound() })
}
