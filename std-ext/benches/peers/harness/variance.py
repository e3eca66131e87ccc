"""Total variance of the gradient, the trace of its covariance, over independent draws on a few fixed rows."""

import numpy as np

from . import checks, ours, problems

ROWS = 4
REPLICATES = 256
OURS = ("conditional", "pathwise-5", "pathwise-50")
THEIRS = ("pytopk-5", "pytopk-50")


def compare(binary, folder, problem):
    """Mean over the rows, by contestant: a batch that repeats a row draws anew for every example."""
    scores, labels = (array.numpy() for array in problem.inputs)
    totals = {name: [] for name in (*OURS, *THEIRS)}
    for row in range(ROWS):
        repeated = np.repeat(scores[row : row + 1], REPLICATES, axis=0), np.repeat(labels[row : row + 1], REPLICATES)
        same = problems.given_scores(folder, "repeated", *repeated)
        with ours.Process(binary, same) as process:
            for name in OURS:
                totals[name].append(total(checks.gradient(process, same, name)[1]))
        for name in THEIRS:
            totals[name].append(total(checks.their_gradient(same, name)[1]))
    return {name: float(np.mean(values)) for name, values in totals.items()}


def total(grad):
    """Of the gradients of single examples, which are those of the mean times their number."""
    return (len(grad) * grad.astype(np.float64)).var(0, ddof=1).sum()
