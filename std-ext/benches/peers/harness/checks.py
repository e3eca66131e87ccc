"""Before anything is timed: both sides compute the same losses and gradients of the same scores."""

import math

import numpy as np

from . import theirs
from .ours import CONTESTANTS as OURS

# The same formula, hence the same numbers up to the rounding of f32.
SAME = [
    ("cross-entropy", "torch cross-entropy"),
    ("cross-entropy", "optax cross-entropy"),
    ("hinge", "torch hinge"),
    ("smooth-svm-5", "torch smooth-svm-5"),
    ("smooth-svm-50", "torch smooth-svm-50"),
]
RELATIVE = 1e-3
# Other draws of the same expectation, and how many. A draw's mean over 256 rows has a standard deviation of about 0.012; K + 1 in place of
# K moves it by 0.1.
DRAWN = {"pathwise-5": 5, "pathwise-50": 50, "conditional": 1, "exact-5": math.inf, "tuned pathwise-5": 5}
PEER, PEER_DRAWS = "pytopk-5", 5
DEVIATION = 0.012
SIGMAS = 5
# Gradients are others in every draw, their L1 norms nearly the same; the conditional one's varies by 4 % in a batch.
NORM = 0.15


def gradient(process, problem, contestant):
    """Our objective and gradient."""
    file = problem.folder / "gradient"
    objective = float(process.ask("gradient", contestant, file))
    return objective, np.fromfile(file, "<f4").reshape(problem.inputs[0].shape)


def their_gradient(problem, contestant):
    value, grad = theirs.CONTESTANTS[contestant](*problem.inputs)
    return value.item(), grad.numpy()


def agree(process, problem):
    """Raises where the sides differ; tells what was compared."""
    told = []
    for contestant, peer in SAME:
        value, grad = gradient(process, problem, contestant)
        peer_value, peer_grad = their_gradient(problem, peer)
        by_value = abs(value - peer_value) / abs(value)
        by_grad = np.abs(grad - peer_grad).max() / np.abs(grad).max()
        require(by_value < RELATIVE and by_grad < RELATIVE, f"{contestant} and {peer}: {by_value}, {by_grad}")
        told.append(f"{contestant} and {peer}: values within {by_value:.0e}, gradients within {by_grad:.0e} of the largest entry")
    expected, peer_grad = their_gradient(problem, PEER)
    for contestant, draws in DRAWN.items():
        ours = contestant in OURS
        value, grad = gradient(process, problem, contestant) if ours else their_gradient(problem, contestant)
        norms = np.abs(grad).sum(), np.abs(peer_grad).sum()
        tolerance = SIGMAS * DEVIATION * math.sqrt(1 / draws + 1 / PEER_DRAWS)
        require(abs(value - expected) < tolerance, f"{contestant} has {value}, {PEER} {expected}")
        require(abs(norms[0] / norms[1] - 1) < NORM, f"{contestant}: gradients of L1 norms {norms}")
        told.append(f"{contestant} and {PEER}: {value:.4f} and {expected:.4f}")
    return told


def require(holds, message):
    if not holds:
        raise AssertionError(message)
