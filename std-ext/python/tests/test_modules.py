"""Modules and operators of torch."""

import copy
import inspect
import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import topk_loss
from topk_loss import descriptions
from topk_loss.operators import _check_device, losses_operator, order_statistics_operator

BATCH, CLASSES = 6, 20

#: One of every module, none at a kink for the scores below.
MODULES = {
    "CrossEntropy": {},
    "Focal": {"gamma": 1.5},
    "Ldam": {"margins": list(np.linspace(0.1, 0.5, CLASSES))},
    "TopKHinge": {"k": 3, "epsilon": 0.7},
    "TopKHinges": {"shares": [0.5, 0.5], "epsilon": 0.7},
    "TopKSvm": {"k": 3},
    "SmoothTopKSvm": {"k": 3},
    "PolyhedralHinge": {"k": 3},
    "TopKMarginCrossEntropy": {"k": 3, "margins": 0.5},
    "TopKCrossEntropy": {"k": 3, "law": "gumbel"},
}


def example(dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(BATCH, CLASSES, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    return scores, torch.randint(CLASSES, (BATCH,), generator=generator)


def module(name, **options):
    return getattr(topk_loss, name)(**MODULES[name], **options)


def test_every_loss_has_a_module():
    functions = [name for name, _ in inspect.getmembers(descriptions, inspect.isfunction) if not name.startswith("_")]
    assert sorted(functions) == sorted(module(name).describe.__name__ for name in MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_gradcheck(name):
    scores, labels = example()
    for reduction in ("mean", "none"):
        assert torch.autograd.gradcheck(lambda scores: module(name, reduction=reduction)(scores, labels), scores)


@pytest.mark.parametrize("smoothing", ["pathwise", "conditional"])
def test_draws_have_the_gradients_of_their_own_noise(smoothing):
    scores, labels = example()
    loss = topk_loss.TopKHinge(3, smoothing=smoothing, num_samples=4)
    value = loss(scores, labels, step=5)
    value.backward()
    same, grads = topk_loss.values_and_grads(loss.description, scores.detach().numpy(), labels.numpy(), step=5)
    assert value.item() == pytest.approx(same.mean(), rel=1e-15)
    np.testing.assert_allclose(scores.grad.numpy(), grads / BATCH, rtol=1e-15)
    if smoothing == "pathwise":  # Each draw is linear around its scores.
        assert torch.autograd.gradcheck(lambda scores: loss(scores, labels, step=5), scores)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_opcheck(name, dtype):
    scores, labels = example(dtype)
    loss = module(name)
    torch.library.opcheck(losses_operator, (scores, labels, loss.description, "mean", -100, loss.step, 0, None, True))


def test_opcheck_of_the_other_arguments():
    scores, labels = example()
    drawn, noise = topk_loss.TopKHinge(3, smoothing="pathwise"), torch.randn(BATCH, 4, CLASSES, dtype=torch.float64)
    torch.library.opcheck(losses_operator, (scores, labels, drawn.description, "none", None, drawn.step, 7, noise, True))
    torch.library.opcheck(losses_operator, (scores.detach(), labels, drawn.description, "sum", None, drawn.step, 0, None, False))
    for smoothing in ("none", "exact", "pathwise", "conditional"):
        torch.library.opcheck(order_statistics_operator, (scores, 3, smoothing, 0.5, 4, 9, drawn.step, 0, None, True))
    torch.library.opcheck(order_statistics_operator, (scores, 3, "pathwise", 0.5, 4, 9, drawn.step, 0, noise, True))


def test_compiled_without_a_break():
    for loss in (module("TopKHinge"), topk_loss.TopKHinge(3, smoothing="pathwise"), topk_loss.BalNoisedTopK(3, 0.5)):
        compiled = torch.compile(loss, fullgraph=True)
        for _ in range(3):
            scores, labels = example()
            step = loss.step.clone()
            compiled(scores, labels).backward()
            again, _ = example()
            loss(again, labels, step=step).backward()
            torch.testing.assert_close(scores.grad, again.grad, rtol=1e-14, atol=0)
        assert loss.step == (3 if loss.draws else 0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_is_that_of_torch(dtype, reduction):
    scores, labels = example(dtype)
    labels[2] = -100
    ours = topk_loss.CrossEntropy(reduction=reduction)(scores, labels)
    theirs = F.cross_entropy(scores, labels, reduction=reduction)
    torch.testing.assert_close(ours, theirs)
    incoming = torch.rand_like(theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, scores, incoming)[0] for loss in (ours, theirs)))


def test_class_weights_count_as_those_of_torch():
    scores, labels = example()
    weights, labels[2] = torch.rand(CLASSES, dtype=torch.float64) + 0.5, -100
    loss = topk_loss.CrossEntropy(class_weights=weights, reduction="weighted_mean")
    torch.testing.assert_close(loss(scores, labels), F.cross_entropy(scores, labels, weights))
    adjusted = topk_loss.CrossEntropy(adjustments=weights)
    torch.testing.assert_close(adjusted(scores, labels), F.cross_entropy(scores + weights, labels))


@pytest.mark.parametrize("dtype, bound", [(torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
def test_half_precision(dtype, bound):
    scores, labels = example(dtype)
    value = topk_loss.CrossEntropy()(scores, labels)
    value.backward()
    wide = scores.detach().double().requires_grad_()
    expected = F.cross_entropy(wide, labels)
    expected.backward()
    assert value.dtype == torch.float32 and scores.grad.dtype == dtype
    torch.testing.assert_close(value.double(), expected, rtol=1e-6, atol=0)
    torch.testing.assert_close(scores.grad.double(), wide.grad, rtol=0, atol=bound)


def test_a_mean_over_a_large_batch_does_not_underflow_in_half_precision():
    scores = torch.zeros(1, 4, dtype=torch.float16, requires_grad=True)
    loss = topk_loss.CrossEntropy()(scores, torch.tensor([0]))
    (loss / 1e6 * 2.0**16).backward()
    torch.testing.assert_close(scores.grad[0, 0].item(), -0.75 / 1e6 * 2.0**16, rtol=1e-3, atol=0)


@pytest.mark.parametrize("layout", ["rows", "columns", "expanded", "reversed"])
def test_layouts(layout):
    scores, labels = example()
    memory = torch.full((BATCH, CLASSES + 5), torch.nan, dtype=torch.float64)
    memory[:, 2 : CLASSES + 2] = scores.detach()
    view = {
        "rows": memory[:, 2 : CLASSES + 2],
        "columns": scores.detach().T.contiguous().T,
        "expanded": scores.detach()[:1].expand(BATCH, CLASSES),
        "reversed": scores.detach().flip(0),
    }[layout].requires_grad_()
    loss = module("TopKHinge", reduction="none")
    expected = view.detach().contiguous().requires_grad_()
    torch.testing.assert_close(loss(view, labels), loss(expected, labels), rtol=0, atol=0)
    grads = [torch.autograd.grad(loss(of, labels).sum(), of)[0] for of in (view, expected)]
    torch.testing.assert_close(*grads, rtol=0, atol=0)


def test_rows_are_not_copied():
    memory = torch.randn(64, 30_000)
    loss, labels = topk_loss.TopKHinge(3, smoothing="none"), torch.zeros(64, dtype=torch.int64)
    with torch.profiler.profile(profile_memory=True) as profile, torch.no_grad():
        loss(memory[:, 1:-1], labels)
    allocated = sum(max(event.self_cpu_memory_usage, 0) for event in profile.key_averages())
    assert 0 < allocated < 64 * 1000


def test_a_run_goes_on_where_it_was_saved():
    scores, labels = example()
    loss = topk_loss.TopKHinge(3, smoothing="pathwise", seed=4)
    first = [loss(scores, labels).item() for _ in range(3)]
    assert len(set(first)) == 3 and loss(scores, labels, step=1).item() == first[1]
    file = io.BytesIO()
    torch.save(loss.state_dict(), file)
    file.seek(0)
    resumed = topk_loss.TopKHinge(3, smoothing="pathwise", seed=4)
    resumed.load_state_dict(torch.load(file))
    assert resumed(scores, labels).item() == loss(scores, labels).item()
    assert not topk_loss.TopKHinge(3).state_dict()


def test_modules_are_copied_and_pickled():
    scores, labels = example()
    loss = topk_loss.TopKHinge(3, margins=torch.rand(CLASSES), smoothing="pathwise")
    file = io.BytesIO()
    torch.save(loss, file)
    file.seek(0)
    for other in (copy.deepcopy(loss), torch.load(file, weights_only=False)):
        assert other(scores, labels, step=0) == loss(scores, labels, step=0)


def test_exported():
    scores, labels = example()
    loss = module("TopKHinge")
    program = torch.export.export(loss, (scores.detach(), labels))
    torch.testing.assert_close(program.module()(scores.detach(), labels), loss(scores, labels), rtol=0, atol=0)


def test_threads_do_not_change_a_bit():
    scores, labels = example(torch.float32)
    loss, before = topk_loss.TopKHinge(3, smoothing="pathwise"), torch.get_num_threads()
    values = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        values.append(loss(scores, labels, step=0))
    torch.set_num_threads(before)
    assert values[0] == values[1]


def test_second_derivatives_are_refused():
    scores, labels = example()
    (grads,) = torch.autograd.grad(module("CrossEntropy")(scores, labels), scores, create_graph=True)
    with pytest.raises(NotImplementedError, match="first derivatives only"):
        (grads.square().sum() + scores.sum()).backward()


def test_what_is_only_computed_on_the_cpu_says_so():
    scores, _ = example()
    with pytest.raises(NotImplementedError, match=r"CPU, not on cuda:0: scores.cpu\(\) is differentiable"):
        _check_device(OnADevice(scores.detach()))


class OnADevice:
    """All that is looked at of a tensor on a device that is not there."""

    def __init__(self, tensor):
        self.tensor, self.device = tensor, torch.device("cuda:0")


def test_faults():
    scores, labels = example()
    loss = module("TopKHinge")
    for wrong, match in [(labels[:1], "one a row"), (labels[:, None], "one a row"), (labels.double(), "int64"), (labels + CLASSES, "label")]:
        with pytest.raises(ValueError, match=match):
            loss(scores, wrong)
    with pytest.raises(ValueError, match="rows"):
        loss(scores[0], labels[0])
    with pytest.raises(TypeError, match="float"):
        loss(scores.detach().long(), labels)
    with pytest.raises(ValueError, match="there is no example whose label is not ignored"):
        loss(scores, torch.full_like(labels, -100))
    with pytest.raises(ValueError, match="reduction"):
        module("TopKHinge", reduction="max")(scores, labels)
    with pytest.raises(ValueError, match="at least one example"):
        loss(scores[:0], labels[:0])
    assert module("TopKHinge", reduction="sum")(scores, torch.full_like(labels, -100)) == 0
    assert loss(scores, labels.int()) == loss(scores, labels)
