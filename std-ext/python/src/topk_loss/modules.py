"""Losses as modules of torch: a description, a reduction, and for those that draw a step."""

from __future__ import annotations

import json

import torch
from torch import nn

from . import descriptions, library
from .operators import losses


class TopKLoss(nn.Module):
    """Any loss of a description: a dictionary of :mod:`topk_loss.descriptions`, or JSON.

    ``reduction`` is "mean", over the labels that count; "weighted_mean", in which a class-weighted loss's weights count as in torch; "sum" or
    "none". Labels ``ignore_index`` have loss and gradient 0.

    A loss that draws has a buffer ``step``, which every call counts on: the same seed and step draw the same, so that a run that is resumed
    from a ``state_dict`` goes on as it would have. ``step=`` replays a call; ``first_example=`` numbers the rows of a part of a batch.
    """

    def __init__(self, description, *, reduction="mean", ignore_index=-100):
        super().__init__()
        self.description = library.text(description)
        self.reduction = reduction
        self.ignore_index = ignore_index
        self.draws = library.draws(self.description)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64), persistent=self.draws)

    def forward(self, scores, labels, *, step=None, first_example=0, noise=None):
        """The loss of scores, batch × classes, and labels, one a row; float32 for scores of half precision.

        Refused are NaN and infinite scores, labels that are no class, k ≥ classes, an empty batch, a mean of ignored labels. Of CUDA tensors,
        which are not waited for, the first two make the row's loss NaN and its gradient 0, and the last gives NaN.
        """
        if labels.dtype != torch.int64 and not labels.dtype.is_floating_point and labels.dtype != torch.bool:
            labels = labels.to(torch.int64)
        with_grads = scores.requires_grad and torch.is_grad_enabled()
        of_step = self.step if step is None else torch.as_tensor(step, dtype=torch.int64)
        values, coefficients, _ = losses(
            scores, labels, self.description, self.reduction, self.ignore_index, of_step, first_example, noise, with_grads
        )
        if self.draws and step is None:
            self.step += 1
        return values if self.reduction == "none" else torch.dot(values, coefficients)

    def extra_repr(self):
        return f"{json.loads(self.description)['loss']}, reduction={self.reduction!r}"


class _Described(TopKLoss):
    """A loss of a description's arguments."""

    describe = None

    def __init__(self, *arguments, reduction="mean", ignore_index=-100, **options):
        super().__init__(type(self).describe(*arguments, **options), reduction=reduction, ignore_index=ignore_index)


class CrossEntropy(_Described):
    __doc__ = descriptions.cross_entropy.__doc__
    describe = staticmethod(descriptions.cross_entropy)


class Focal(_Described):
    __doc__ = descriptions.focal.__doc__
    describe = staticmethod(descriptions.focal)


class Ldam(_Described):
    __doc__ = descriptions.ldam.__doc__
    describe = staticmethod(descriptions.ldam)


class TopKHinge(_Described):
    __doc__ = descriptions.top_k_hinge.__doc__
    describe = staticmethod(descriptions.top_k_hinge)


class TopKHinges(_Described):
    __doc__ = descriptions.top_k_hinges.__doc__
    describe = staticmethod(descriptions.top_k_hinges)


class TopKSvm(_Described):
    __doc__ = descriptions.top_k_svm.__doc__
    describe = staticmethod(descriptions.top_k_svm)


class SmoothTopKSvm(_Described):
    __doc__ = descriptions.smooth_top_k_svm.__doc__
    describe = staticmethod(descriptions.smooth_top_k_svm)


class PolyhedralHinge(_Described):
    __doc__ = descriptions.polyhedral_hinge.__doc__
    describe = staticmethod(descriptions.polyhedral_hinge)


class TopKMarginCrossEntropy(_Described):
    __doc__ = descriptions.top_k_margin_cross_entropy.__doc__
    describe = staticmethod(descriptions.top_k_margin_cross_entropy)


class TopKCrossEntropy(_Described):
    __doc__ = descriptions.top_k_cross_entropy.__doc__
    describe = staticmethod(descriptions.top_k_cross_entropy)
