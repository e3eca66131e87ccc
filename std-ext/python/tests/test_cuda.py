"""Tensors on a GPU, where there is one. Elsewhere on the driver for a processor that ``gpu-ext/shim/build`` makes, for which tensors of the CPU are
those of a device: ``LD_LIBRARY_PATH=$(gpu-ext/shim/build) python -m pytest std-ext/python``. Skipped without either."""

import contextlib
import ctypes
import types

import pytest
import torch

import topk_loss
from topk_loss import cuda, library, operators

BATCH, CLASSES = 6, 40

LOSSES = {
    "hard": topk_loss.top_k_hinge(3, smoothing="none"),
    "pathwise": topk_loss.top_k_hinge(3, smoothing="pathwise", epsilon=0.7, seed=3),
    "margins": topk_loss.top_k_hinge(3, smoothing="none", margins=[0.01 * label for label in range(CLASSES)]),
    "exact": topk_loss.top_k_hinge(3, epsilon=0.7),
    "cross_entropy": topk_loss.cross_entropy(),
    "polyhedral_hinge": topk_loss.polyhedral_hinge(3),
    "top_k_margin_cross_entropy": topk_loss.top_k_margin_cross_entropy(3),
    "top_k_cross_entropy": topk_loss.top_k_cross_entropy(3, law="gumbel"),
}


def driver_of_a_processor():
    try:
        driver = ctypes.CDLL("libcuda.so")
    except OSError:
        return None
    name = ctypes.create_string_buffer(64)
    driver.cuDeviceGetName(name, 64, 0)
    return driver if name.value == b"the processor" else None


@pytest.fixture
def on_device(monkeypatch):
    """What the operator computes of tensors on a device, on the CPU again."""
    if torch.cuda.is_available():
        return lambda scores, labels, *rest: [of.cpu() for of in operators._losses(scores.cuda(), labels.cuda(), *rest)]
    driver = driver_of_a_processor()
    if driver is None:
        pytest.skip("neither a GPU nor the driver for a processor")
    launch = library.values_on_device

    def launch_and_wait(description, _, *rest):
        # At once: the memory is not torch's for a stream, which frees it after the launch.
        launch(description, 0, *rest)
        driver.cuCtxSynchronize()

    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: types.SimpleNamespace(cuda_stream=0))
    monkeypatch.setattr(library, "values_on_device", launch_and_wait)
    return lambda *arguments: cuda.losses(*arguments, operators._batch)


def example(dtype):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(BATCH, CLASSES + 3, generator=generator, dtype=torch.float64).to(dtype)
    labels = torch.randint(CLASSES, (BATCH,), generator=generator)
    labels[2] = -100
    # Rows with gaps between them.
    return scores[:, :CLASSES], labels


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", LOSSES)
def test_the_device_has_the_numbers_of_the_cpu(on_device, name, dtype):
    scores, labels = example(dtype)
    for reduction in ("mean", "sum"):
        arguments = (scores, labels, library.text(LOSSES[name]), reduction, -100, torch.tensor(5), 0, None, True)
        values, coefficients, grads = on_device(*arguments)
        expected_values, expected_coefficients, expected_grads = operators._losses(*arguments)
        exactly = name in ("hard", "pathwise", "margins")
        tolerance = 0 if exactly else 1e-5
        # A half of a float that differs in its last bit may be the next one.
        of_grads = tolerance if exactly else max(tolerance, 2 * torch.finfo(dtype).eps)
        torch.testing.assert_close(values, expected_values, rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(grads, expected_grads, rtol=of_grads, atol=tolerance)
        torch.testing.assert_close(coefficients, expected_coefficients)


def test_a_bad_row_is_nan_and_the_others_are_not(on_device):
    scores, labels = example(torch.float32)
    labels[1] = CLASSES
    scores[4, 7] = float("nan")
    description = library.text(LOSSES["exact"])
    values, _, grads = on_device(scores, labels, description, "mean", -100, torch.tensor(0), 0, None, True)
    assert values.isnan().tolist() == [False, True, False, False, True, False]
    assert grads[[1, 2, 4]].eq(0).all() and grads[[0, 3, 5]].abs().sum(1).gt(0).all()


def test_what_is_refused(on_device):
    scores, labels = example(torch.float32)

    def refused(error, match, description=LOSSES["hard"], reduction="mean", first_example=0, noise=None):
        with pytest.raises(error, match=match):
            on_device(scores, labels, library.text(description), reduction, -100, torch.tensor(0), first_example, noise, False)

    refused(topk_loss.TopKLossError, "kernels are compiled for", topk_loss.focal(2.0))
    refused(topk_loss.TopKLossError, "class weights on a device", topk_loss.cross_entropy(class_weights=[1.0] * CLASSES))
    refused(topk_loss.TopKLossError, "k = 40", topk_loss.top_k_hinge(CLASSES, smoothing="none"))
    refused(topk_loss.TopKLossError, "first_example must be 0", first_example=1)
    refused(ValueError, "reduction", reduction="max")
    refused(NotImplementedError, "noise", noise=torch.zeros(BATCH, 1, CLASSES))


def test_without_a_device_there_is_an_error():
    scores, labels = example(torch.float32)
    _, _, _keep, of_batch = operators._batch(scores, 0, 0, False, labels, -100)
    with pytest.raises(topk_loss.TopKLossError, match="no NVIDIA driver|no CUDA device 1000") as refused:
        library.values_on_device(library.text(LOSSES["hard"]), 1000, of_batch, 0, 0)
    assert refused.value.status == 301
