"""Losses of CUDA tensors: launched on torch's stream, and not waited for.

So what is wrong with one row is found on the device: its loss is NaN and its gradient 0. What is wrong with a loss or a shape is an error.
"""

import torch

from . import library


def losses(scores, labels, description, reduction, ignored, step, first_example, noise, with_grads, batch):
    """As the operator's, on the device of the scores; ``batch`` makes the outputs and the batch."""
    if noise is not None:
        raise NotImplementedError("noise is given on the CPU: scores.cpu() is differentiable")
    if labels.device != scores.device:
        raise ValueError(f"labels are on {labels.device}, scores on {scores.device}")
    # To read a step from the device is to wait for it: only for a loss that draws.
    step = step if library.draws(description) else 0
    # The library makes the device's context the thread's, from which torch tells the current device.
    with torch.cuda.device(scores.device):
        values, grads, keep, of_batch = batch(scores, step, first_example, with_grads, labels, ignored)
        codes = torch.empty_like(labels, memory_format=torch.contiguous_format)
        stream = torch.cuda.current_stream().cuda_stream
        library.values_on_device(description, scores.device.index, of_batch, codes.data_ptr(), stream)
    # Freed on the stream that they were made on: after the launch.
    del keep, codes
    return values, _coefficients(values, labels, reduction, ignored), grads


def _coefficients(values, labels, reduction, ignored):
    """What each loss counts; NaN in a mean of none."""
    library.check_reduction(reduction)
    counts = torch.ones_like(values) if ignored is None else (labels != ignored).to(values.dtype)
    return counts / counts.sum() if reduction in ("mean", "weighted_mean") else counts
