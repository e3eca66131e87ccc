"""Their contestants: each takes scores [batch, classes] and labels and returns the mean loss and its gradient."""

import time

import torch
import torch.nn.functional as F
from pytopk import BalNoisedTopK

from .compiled import cross_entropy
from .smooth_svm import smooth_svm

K = 5
EPSILON = 1.0
LONG, REPEATED = 0.5, 0.05  # the rule of timing.rs


def differentiated(loss):
    """By torch's automatic differentiation."""

    def contestant(scores, labels):
        scores = scores.detach().requires_grad_()
        value = loss(scores, labels)
        return value.detach(), torch.autograd.grad(value, scores)[0]

    return contestant


def hinge(scores, labels):
    top = scores.topk(K + 1).values[:, K]
    return (1 + top - scores.gather(1, labels[:, None])[:, 0]).clamp_min(0).mean()


def tuned_pathwise(scores, labels, draws=5):
    """pytopk's loss as fast as torch's functions allow: one draw at a time, in place, the gradient scattered from its few entries.

    `topk` is faster here than `kthvalue`, which pytopk uses: 1.9 against 10 ns a score at 1000 classes.
    """
    noised = torch.empty_like(scores)
    values = scores.new_empty(scores.shape[0], draws)
    indices = labels.new_empty(scores.shape[0], draws)
    for draw in range(draws):
        torch.add(scores, noised.normal_(), alpha=EPSILON, out=noised)
        top = noised.topk(K + 1)
        values[:, draw], indices[:, draw] = top.values[:, K], top.indices[:, K]
    losses = (1 + values.mean(1) - scores.gather(1, labels[:, None])[:, 0]).clamp_min_(0)
    share = (losses > 0).to(scores.dtype)[:, None] / scores.shape[0]
    grad = torch.zeros_like(scores)
    grad.scatter_add_(1, indices, (share / draws).expand(-1, draws))
    grad.scatter_add_(1, labels[:, None], -share)
    return losses.mean(), grad


def randn(scores, _labels):
    """One normal number a score, for scale."""
    noise = torch.randn(scores.shape)
    return noise[0, 0], noise


def linear_cross_entropy(weights, features, labels):
    """A linear head below the cross-entropy, with the gradients of weights and features."""
    weights, features = weights.detach().requires_grad_(), features.detach().requires_grad_()
    value = F.cross_entropy(F.linear(features, weights), labels)
    return value.detach(), torch.autograd.grad(value, (weights, features))


CONTESTANTS = {
    "torch cross-entropy": differentiated(F.cross_entropy),
    "optax cross-entropy": cross_entropy,
    "torch hinge": differentiated(hinge),
    "pytopk-1": differentiated(BalNoisedTopK(k=K, epsilon=EPSILON, n_sample=1)),
    "pytopk-5": differentiated(BalNoisedTopK(k=K, epsilon=EPSILON, n_sample=5)),
    "pytopk-50": differentiated(BalNoisedTopK(k=K, epsilon=EPSILON, n_sample=50)),
    "tuned pathwise-5": tuned_pathwise,
    "torch smooth-svm-5": differentiated(lambda scores, labels: smooth_svm(scores, labels, 5)),
    "torch smooth-svm-50": differentiated(lambda scores, labels: smooth_svm(scores, labels, 50)),
    "torch randn": randn,
    "torch head cross-entropy": linear_cross_entropy,
}


def timed(contestant, inputs, threads):
    """Nanoseconds of one call: a long first call counts, a short one warms up."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    contestant(*inputs)
    first = time.perf_counter() - start
    if first >= LONG:
        return first * 1e9
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < REPEATED:
        contestant(*inputs)
        calls += 1
    return (time.perf_counter() - start) * 1e9 / calls
