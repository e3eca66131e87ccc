"""Two operators of torch, ``topk_loss::losses`` and ``topk_loss::order_statistics``, with their gradients.

The gradient is computed with the value and kept until the backward pass, which multiplies it by what comes for every loss: it costs the memory
of the scores while the graph lives, and one pass over it. To compute it again in the backward pass would cost that pass the value once more.
"""

from typing import Optional, Tuple

import torch
from torch import Tensor

from . import cuda, library


def _losses(
    scores: Tensor,
    labels: Tensor,
    description: str,
    reduction: str,
    ignored: Optional[int],
    step: Tensor,
    first_example: int,
    noise: Optional[Tensor],
    with_grads: bool,
) -> Tuple[Tensor, Tensor, Tensor]:
    """Losses, what each counts in the reduction, and the gradients, of no example unless ``with_grads``.

    Noise, if given, is examples × samples × classes, in place of a pathwise smoothing's draws.
    """
    if scores.is_cuda:
        return cuda.losses(scores, labels, description, reduction, ignored, step, first_example, noise, with_grads, _batch)
    _check_device(scores, labels, noise)
    values, grads, keep, of_batch = _batch(scores, step, first_example, with_grads, labels, ignored)
    coefficients = torch.empty_like(values)
    library.coefficients(description, of_batch, reduction, coefficients.data_ptr())
    if noise is None:
        library.values(description, of_batch)
    else:
        noise = noise.detach().to(values.dtype).contiguous()
        if noise.ndim != 3 or noise.shape[::2] != scores.shape:
            raise ValueError(f"noise is examples × samples × classes: not {tuple(noise.shape)} for scores {tuple(scores.shape)}")
        library.values(description, of_batch, noise.data_ptr(), noise.shape[1])
    del keep
    return values, coefficients, grads


losses_operator = torch.library.custom_op("topk_loss::losses", _losses, mutates_args=())


@losses_operator.register_fake
def _(scores, labels, description, reduction, ignored, step, first_example, noise, with_grads):
    values, grads = _empty(scores, with_grads)
    return values, torch.empty_like(values), grads


def _order_statistics(
    scores: Tensor,
    k: int,
    smoothing: str,
    epsilon: float,
    num_samples: int,
    seed: int,
    step: Tensor,
    first_example: int,
    noise: Optional[Tensor],
    with_grads: bool,
) -> Tuple[Tensor, Tensor]:
    """The smoothed k-th largest of every row, and the gradients."""
    _check_device(scores, noise)
    values, grads, keep, of_batch = _batch(scores, step, first_example, with_grads)
    if noise is not None:
        noise = noise.detach().to(values.dtype).contiguous()
        if noise.shape != (scores.shape[0], num_samples, scores.shape[1]):
            raise ValueError(f"noise is examples × samples × classes: not {tuple(noise.shape)} for scores {tuple(scores.shape)}")
    library.order_statistics(k, smoothing, epsilon, num_samples, seed % 2**64, of_batch, 0 if noise is None else noise.data_ptr())
    del keep
    return values, grads


order_statistics_operator = torch.library.custom_op("topk_loss::order_statistics", _order_statistics, mutates_args=())


@order_statistics_operator.register_fake
def _(scores, k, smoothing, epsilon, num_samples, seed, step, first_example, noise, with_grads):
    return _empty(scores, with_grads)


def _keep_grads(ctx, inputs, output):
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(*output[1:])
    ctx.save_for_backward(output[-1])


class _FirstDerivative(torch.autograd.Function):
    """What would be silently a constant in a second derivative, and is an error there."""

    @staticmethod
    def forward(ctx, grads, _):
        return grads.view_as(grads)

    @staticmethod
    def backward(ctx, _):
        raise NotImplementedError("topk-loss has first derivatives only")


def _backward(ctx, incoming, *_):
    """The kept gradients times what comes for every loss."""
    (grads,) = ctx.saved_tensors
    of_scores = None
    if incoming is not None:
        # In the wider of both floats, and rounded once.
        of_scores = (grads * incoming.unsqueeze(-1)).to(grads.dtype)
        if torch.is_grad_enabled():
            of_scores = _FirstDerivative.apply(of_scores, torch.zeros((), requires_grad=True))
    return of_scores, *[None] * (len(ctx.needs_input_grad) - 1)


for _operator in (losses_operator, order_statistics_operator):
    _operator.register_autograd(_backward, setup_context=_keep_grads)


def _eagerly(compute):
    """The operator without torch's dispatcher, which takes a tenth of a millisecond a call: as much as a batch of a hundred classes."""

    class Eager(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            outputs = compute(*inputs)
            _keep_grads(ctx, inputs, outputs)
            return outputs

        backward = staticmethod(_backward)

    return Eager.apply


_eager_losses, _eager_order_statistics = _eagerly(_losses), _eagerly(_order_statistics)


def losses(scores, *arguments):
    """The operator of this name: as such where torch traces it, and directly otherwise."""
    return (_eager_losses if _is_eager(scores) else losses_operator)(scores, *arguments)


def order_statistics(scores, *arguments):
    """The operator of this name: as such where torch traces it, and directly otherwise."""
    return (_eager_order_statistics if _is_eager(scores) else order_statistics_operator)(scores, *arguments)


def _is_eager(scores):
    return type(scores) is Tensor and not torch.compiler.is_compiling()


def _check_device(*tensors):
    for tensor in tensors:
        if tensor is not None and tensor.device.type != "cpu":
            raise NotImplementedError(
                f"this is computed on the CPU, not on {tensor.device}: scores.cpu() is differentiable, what goes with them moves along"
            )


def _computed(scores):
    """The float that is computed in."""
    return torch.float64 if scores.dtype == torch.float64 else torch.float32


def _check_scores(scores):
    if scores.ndim != 2:
        raise ValueError(f"scores are rows, batch × classes: not {tuple(scores.shape)}")
    if str(scores.dtype).removeprefix("torch.") not in library.FLOATS:
        raise TypeError(f"scores are float16, bfloat16, float32 or float64: not {scores.dtype}")


def _empty(scores, with_grads):
    _check_scores(scores)
    values = scores.new_empty(scores.shape[0], dtype=_computed(scores))
    return values, scores.new_empty(scores.shape if with_grads else (0, scores.shape[1]))


def _batch(scores, step, first_example, with_grads, labels=None, ignored=None):
    """The outputs, what must live as long as the batch, and the batch."""
    _check_scores(scores)
    if labels is not None and (labels.dtype != torch.int64 or labels.shape != scores.shape[:1]):
        raise ValueError(f"labels are int64, one a row of scores: not {labels.dtype} {tuple(labels.shape)} for {tuple(scores.shape)}")
    if not scores.numel():
        raise ValueError(f"scores are of at least one example and one class: not {tuple(scores.shape)}")
    rows = scores.detach()
    # Rows are read where they are; columns, and rows that overlap, are copied.
    if rows.stride(1) != 1 and rows.shape[1] > 1 or rows.stride(0) < rows.shape[1] and rows.shape[0] > 1:
        rows = rows.contiguous()
    labels = None if labels is None else labels.contiguous()
    values, grads = _empty(scores, with_grads)
    of_batch = library.batch(
        shape=rows.shape,
        dtype=str(rows.dtype).removeprefix("torch."),
        scores=rows.data_ptr(),
        scores_stride=max(rows.stride(0), rows.shape[1]),
        labels=0 if labels is None else labels.data_ptr(),
        ignored=ignored,
        step=int(step),
        first_example=first_example,
        threads=torch.get_num_threads(),
        values=values.data_ptr(),
        grads=grads.data_ptr() if with_grads else 0,
    )
    return values, grads, (rows, labels), of_batch

