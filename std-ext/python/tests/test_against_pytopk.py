"""The drop-ins against the official package, and what it gets wrong."""

import inspect
import json
import os

import numpy as np
import pytest
import torch

import topk_loss
from topk_loss.pytopk import BalNoisedTopK, ImbalNoisedTopK, NoisedTopK

pytopk = pytest.importorskip("pytopk")
from pytopk.functional import bal_noised_topk_loss, imbal_noised_topk_loss  # noqa: E402
from pytopk.noised_topk import _noised_topk  # noqa: E402

COUNTS = [500, 300, 200, 100, 60, 40, 20, 10, 5, 2]


def example(dtype, batch=16, classes=10, samples=5, spread=1.0):
    scores = (spread * torch.randn(batch, classes, dtype=dtype)).requires_grad_()
    return scores, torch.randint(classes, (batch,)), torch.randn(batch, classes, samples, dtype=dtype)


def grad_of(value, scores):
    return torch.autograd.grad(value, scores)[0]


#: What float32 may differ by: sums of 5 draws in another order, and margins that pytopk rounds.
CLOSE = {torch.float32: dict(rtol=2e-6, atol=2e-6), torch.float64: dict(rtol=1e-13, atol=1e-13)}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(11)


@pytest.mark.parametrize("ours", [BalNoisedTopK, ImbalNoisedTopK, NoisedTopK])
def test_names_arguments_and_defaults(ours):
    theirs = getattr(pytopk, ours.__name__)
    of_theirs = list(inspect.signature(theirs).parameters.values())
    of_ours = [p for p in inspect.signature(ours).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    assert [(p.name, p.default) for p in of_ours] == [(p.name, p.default) for p in of_theirs]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k, epsilon, spread", [(1, 1.0, 1.0), (3, 0.2, 1.0), (5, 1.0, 5.0), (8, 0.01, 0.1), (3, 0.0, 1.0)])
def test_balanced_by_the_same_noise(dtype, k, epsilon, spread):
    scores, labels, Z = example(dtype, spread=spread)
    theirs = bal_noised_topk_loss(scores, labels, k, epsilon, _noised_topk, Z)
    ours = BalNoisedTopK(k, epsilon)(scores, labels, Z=Z)
    torch.testing.assert_close(ours, theirs, **CLOSE[dtype])
    # pytopk's gradients are those of float32 whatever the scores.
    torch.testing.assert_close(grad_of(ours, scores), grad_of(theirs, scores), **CLOSE[torch.float32])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k, epsilon, max_m, scale", [(1, 0.1, 0.3, 50), (3, 0.01, 0.2, 60), (5, 0.1, 0.3, 1)])
def test_imbalanced_by_the_same_noise(dtype, k, epsilon, max_m, scale):
    scores, labels, Z = example(dtype, spread=0.3)
    official = pytopk.ImbalNoisedTopK(k, epsilon, max_m, COUNTS, scale)
    drop_in = ImbalNoisedTopK(k, epsilon, max_m, COUNTS, scale)
    torch.testing.assert_close(drop_in.m_list, official.m_list, rtol=1e-6, atol=0)
    drop_in.load_state_dict(official.state_dict())  # The same state, and from here on the same margins to the last bit.
    theirs = imbal_noised_topk_loss(scores, labels, k, official.m_list, epsilon, _noised_topk, Z, scale)
    ours = drop_in(scores, labels, Z=Z)
    close = {name: bound * scale for name, bound in CLOSE[dtype].items()}
    torch.testing.assert_close(ours, theirs, **close)
    torch.testing.assert_close(grad_of(ours, scores), grad_of(theirs, scores), rtol=2e-6, atol=2e-6 * scale)


@pytest.mark.parametrize("dim", [-1, 0, 1])
def test_order_statistics_by_the_same_noise(dim):
    x = torch.randn(6, 7, 8, dtype=torch.float64, requires_grad=True)
    Z = torch.randn(6, 7, 8, 5, dtype=torch.float64)
    theirs = _noised_topk(x, Z, 3, 0.5, dim, -1 if dim < 0 else 0)
    ours = NoisedTopK(3, 0.5, dim=dim)(x, Z)
    torch.testing.assert_close(ours, theirs, **CLOSE[torch.float64])
    incoming = torch.randn_like(theirs)
    torch.testing.assert_close(*(torch.autograd.grad(y, x, incoming)[0] for y in (ours, theirs)), **CLOSE[torch.float32])


def test_a_state_of_pytopk_loads():
    official = pytopk.ImbalNoisedTopK(2, 0.1, 0.5, COUNTS)
    drop_in = ImbalNoisedTopK(2, 0.1, 0.3, COUNTS)
    drop_in.load_state_dict(official.state_dict())
    margins = json.loads(drop_in.description)["loss"]["top_k_hinge"]["margins"]["per_class"]
    assert np.asarray(margins, np.float32).tolist() == official.m_list.tolist()


def test_draws_have_the_law_of_pytopks():
    """Means over many draws; both have the same distribution, so that the difference is below five standard errors."""
    scores, labels, _ = example(torch.float32, batch=64)
    ours, theirs = BalNoisedTopK(3, 1.0, n_sample=1), pytopk.BalNoisedTopK(3, 1.0, n_sample=1)
    of = lambda loss: torch.stack([loss(scores.detach(), labels) for _ in range(400)])
    a, b = of(ours), of(theirs)
    assert (a.mean() - b.mean()).abs() < 5 * ((a.var() + b.var()) / 400).sqrt()
    assert 0.5 < a.var() / b.var() < 2


def test_torchs_seed_makes_a_run_repeatable():
    scores, labels, _ = example(torch.float32)
    runs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        loss = BalNoisedTopK(2, 1.0)
        runs.append([loss(scores, labels).item() for _ in range(2)])
    assert runs[0] == runs[1] != runs[2] and runs[0][0] != runs[0][1]


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_reductions(reduction):
    scores, labels, Z = example(torch.float64)
    each = BalNoisedTopK(3, 0.5, reduction="none")(scores, labels, Z=Z)
    reduced = BalNoisedTopK(3, 0.5, reduction=reduction)(scores, labels, Z=Z)
    assert each.shape == (16,)
    torch.testing.assert_close(reduced, {"none": each, "sum": each.sum(), "mean": each.mean()}[reduction])


# What pytopk gets wrong.


def test_one_label_is_not_broadcast_over_a_batch():
    scores, labels, Z = example(torch.float32)
    assert bal_noised_topk_loss(scores, labels[:1], 3, 0.5, _noised_topk, Z).isfinite()
    with pytest.raises(ValueError, match="one a row"):
        BalNoisedTopK(3, 0.5)(scores, labels[:1])


def test_nan_is_an_error():
    scores, labels, Z = example(torch.float32)
    scores.data[4, 2] = torch.nan
    bal_noised_topk_loss(scores, labels, 3, 0.5, _noised_topk, Z)
    with pytest.raises(topk_loss.TopKLossError, match="example 4: scores is NaN or infinite at position 2"):
        BalNoisedTopK(3, 0.5)(scores, labels)
    with pytest.raises(topk_loss.TopKLossError, match="example 4"):
        NoisedTopK(3)(scores)


def test_a_large_offset_does_not_drown_the_noise():
    scores, labels, Z = example(torch.float32)
    Z, offset = Z / 100, 1e6
    # Scores that the offset does not round, as it rounds the noise.
    scores = (scores.detach() * 16).round() / 16
    right = BalNoisedTopK(3, 0.5)(scores, labels, Z=Z)
    ours = BalNoisedTopK(3, 0.5)(scores + offset, labels, Z=Z)
    theirs = bal_noised_topk_loss(scores + offset, labels, 3, 0.5, _noised_topk, Z)
    torch.testing.assert_close(ours, right, rtol=1e-6, atol=0)
    assert (theirs - right).abs() > 100 * (ours - right).abs() + 1e-4


def test_a_class_without_examples_has_a_margin():
    counts = [*COUNTS[:-1], 0]
    scores, labels, _ = example(torch.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        theirs = pytopk.ImbalNoisedTopK(3, 0.1, 0.3, counts)
    assert theirs.m_list[-1].isnan() and (theirs.m_list[:-1] == 0).all()
    ours = ImbalNoisedTopK(3, 0.1, 0.3, counts)
    assert ours(scores, labels).isfinite() and ours.m_list[-1] == np.float32(0.3) and ours.m_list[-2] == np.float32(0.3)


def test_gradients_of_float64_are_of_float64():
    scores, labels, Z = example(torch.float64, samples=3)
    loss = BalNoisedTopK(3, 0.5, n_sample=3, reduction="none")
    theirs = lambda scores: _noised_topk(scores, Z, 4, 0.5, -1, -1)
    # Thirds: exact to the last digits here, those of float32 there.
    of_ours = grad_of(3 * NoisedTopK(4, 0.5, n_sample=3)(scores, Z).sum(), scores)
    assert (of_ours - of_ours.round()).abs().max() < 1e-15
    of_theirs = grad_of(3 * theirs(scores).sum(), scores)
    assert (of_theirs - of_theirs.round()).abs().max() > 1e-9
    assert torch.autograd.gradcheck(lambda scores: loss(scores, labels, Z=Z), scores)


@pytest.mark.skipif("TOPK_VECTORS" not in os.environ, reason="TOPK_VECTORS names no file of reference vectors")
@pytest.mark.parametrize("section", ["noised_bal", "noised_imbal"])
def test_reference_vectors(section):
    with open(os.environ["TOPK_VECTORS"]) as file:
        cases = json.load(file)[section]
    assert cases
    for case in cases:
        scores = torch.tensor(case["scores"], dtype=torch.float64, requires_grad=True)
        labels, Z = torch.tensor(case["labels"]), torch.tensor(case["Z"], dtype=torch.float64)
        # No noise is no smoothing.
        noised = case["eps"] > 0
        options = dict(smoothing="pathwise", epsilon=case["eps"], num_samples=case["B"]) if noised else dict(smoothing="none")
        loss = topk_loss.TopKHinge(case["K"], case.get("margins", 1.0), case.get("scale", 1.0), **options)
        value = loss(scores, labels, noise=Z.transpose(1, 2) if noised else None)
        # The reference rounds as large as its scores are: some are around 1e6.
        rounding = 1e-12 + 4 * torch.finfo(torch.float64).eps * scores.abs().max().item()
        torch.testing.assert_close(value.item(), float(case["loss"]), rtol=1e-12, atol=rounding)
        if not case["tie_at_rank"]:
            torch.testing.assert_close(grad_of(value, scores), torch.tensor(case["grad"], dtype=torch.float64), rtol=1e-12, atol=1e-12)
