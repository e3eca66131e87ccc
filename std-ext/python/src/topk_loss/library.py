"""The C library: losses by handle, batches by address. Knows neither NumPy nor torch."""

from __future__ import annotations

import functools
import json
import os

from ._native import ffi, lib

#: Which of the library's floats a scores' dtype is, by its name in NumPy and torch.
FLOATS = {"float32": lib.TOPK_FLOAT_F32, "float64": lib.TOPK_FLOAT_F64, "float16": lib.TOPK_FLOAT_F16, "bfloat16": lib.TOPK_FLOAT_BF16}

SMOOTHINGS = {
    "none": lib.TOPK_SMOOTHING_NONE,
    "exact": lib.TOPK_SMOOTHING_EXACT,
    "pathwise": lib.TOPK_SMOOTHING_PATHWISE,
    "conditional": lib.TOPK_SMOOTHING_CONDITIONAL,
}

#: The losses of "none" are not summed.
REDUCTIONS = {
    "none": lib.TOPK_REDUCTION_SUM,
    "sum": lib.TOPK_REDUCTION_SUM,
    "mean": lib.TOPK_REDUCTION_MEAN,
    "weighted_mean": lib.TOPK_REDUCTION_WEIGHTED_MEAN,
}

_NO_EXAMPLE = 2 ** (8 * ffi.sizeof("size_t")) - 1


class TopKLossError(ValueError):
    """What the library refuses: ``status`` is its number in ``topk_loss.h``, ``example`` the row at fault, or None."""

    def __init__(self, message: str, status: int, example: int | None = None):
        super().__init__(message)
        self.status = status
        self.example = example

    def __reduce__(self):
        return type(self), (str(self), self.status, self.example)


def _checked(call, *arguments):
    error = ffi.new("TopkError *")
    if call(*arguments, error):
        example = None if error.example == _NO_EXAMPLE else error.example
        raise TopKLossError(ffi.string(error.message).decode(), error.status, example)


@functools.lru_cache(maxsize=256)
def loss_of(description: str):
    """The loss of a JSON description; the same object for the same text."""
    place = ffi.new("TopkBatchLoss **")
    _checked(lib.topk_batch_loss_from_json, description.encode(), place)
    # The function alone would not keep the library loaded until the interpreter has freed the last loss.
    return ffi.gc(place[0], lambda loss, lib=lib: lib.topk_batch_loss_free(loss))


@functools.lru_cache(maxsize=64)
def _cuda_loss_of(description: str, device: int, scores_float: int, num_classes: int):
    """The loss made ready for a device; freed when the device has done all work."""
    place = ffi.new("TopkCudaLoss **")
    _checked(lib.topk_cuda_loss_new, loss_of(description), device, scores_float, num_classes, place)
    return ffi.gc(place[0], lambda loss, lib=lib: lib.topk_cuda_loss_free(loss))


def batch(
    *, shape, dtype, scores, scores_stride, values, labels=0, ignored=None, step=0, first_example=0, threads=0, grads=0, grads_stride=0
):
    """A batch of addresses; a stride counts numbers."""
    return ffi.new(
        "TopkBatch *",
        {
            "num_examples": shape[0],
            "num_classes": shape[1],
            "scores": ffi.cast("void *", scores),
            "scores_stride": scores_stride,
            "scores_float": FLOATS[dtype],
            "labels": ffi.cast("int64_t *", labels),
            "ignores": ignored is not None,
            "ignored_label": ignored or 0,
            "step": step % 2**64,
            "first_example": first_example,
            "threads": threads,
            "values": ffi.cast("void *", values),
            "grads": ffi.cast("void *", grads),
            "grads_stride": grads_stride,
        },
    )


def values(description: str, of_batch, noise: int = 0, num_samples: int = 0) -> None:
    """Fills a batch's losses and gradients; by noise at an address, if there is some."""
    loss = loss_of(description)
    if noise:
        _checked(lib.topk_values_of_noise, loss, of_batch, ffi.cast("void *", noise), num_samples)
    else:
        _checked(lib.topk_values, loss, of_batch)


def values_on_device(description: str, device: int, of_batch, codes: int, stream: int) -> None:
    """Enqueues a batch of addresses of a CUDA device on a stream of it; codes are one word an example, 0 where nothing is wrong."""
    loss = _cuda_loss_of(description, device, of_batch.scores_float, of_batch.num_classes)
    _checked(lib.topk_cuda_values, loss, of_batch, ffi.cast("uint64_t *", codes), ffi.cast("void *", stream))


def check_reduction(reduction: str) -> None:
    """That there is such a reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is one of {', '.join(REDUCTIONS)}: not {reduction!r}")


def coefficients(description: str, of_batch, reduction: str, into: int) -> None:
    """Fills what the losses are multiplied by before they are summed."""
    check_reduction(reduction)
    _checked(lib.topk_coefficients, loss_of(description), of_batch, REDUCTIONS[reduction], ffi.cast("void *", into))


def order_statistics(k: int, smoothing: str, epsilon: float, num_samples: int, seed: int, of_batch, noise: int = 0) -> None:
    """Fills a batch's smoothed order statistics and their gradients."""
    settings = {"k": k, "smoothing": SMOOTHINGS[smoothing], "num_samples": num_samples, "seed": seed, "epsilon": epsilon}
    statistic = ffi.new("TopkOrderStatistic *", settings)
    _checked(lib.topk_order_statistics, statistic, of_batch, ffi.cast("void *", noise))


def ldam_margins(counts, max_margin: float) -> list[float]:
    """Margins that grow as classes get rarer, max_margin · (n_rarest / n)^¼; a class without examples gets ``max_margin``."""
    return _of_counts(lib.topk_ldam_margins, counts, max_margin)


def log_priors(counts, temperature: float = 1.0) -> list[float]:
    """Adjustments for the frequencies of the classes, temperature · ln(n / Σ n)."""
    return _of_counts(lib.topk_log_priors, counts, temperature)


def _of_counts(call, counts, parameter):
    counts = [int(count) for count in counts]
    numbers = ffi.new("double[]", len(counts))
    _checked(call, ffi.new("size_t[]", counts), len(counts), parameter, numbers)
    return list(numbers)


def all_threads() -> int:
    """As many threads as this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def draws(description: str) -> bool:
    """Whether the loss of a description draws."""
    return any(smoothing in description for smoothing in ("pathwise", "conditional"))


def text(description) -> str:
    """A description as the library reads it, checked."""
    if not isinstance(description, str):
        # Numbers of NumPy and torch are written as Python's.
        description = json.dumps(description, allow_nan=False, default=lambda number: number.item())
    loss_of(description)
    return description
