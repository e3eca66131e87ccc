"""Losses for classifiers that may make K guesses, with their gradients: NumPy functions, and modules of torch where there is a torch.

>>> import numpy as np, topk_loss
>>> scores, labels = np.array([[0.5, 0.0, 0.25], [2.0, 1.0, 0.0]]), np.array([0, 2])
>>> losses, grads = topk_loss.values_and_grads(topk_loss.top_k_hinge(1, smoothing="none"), scores, labels)
>>> losses
array([0.75, 2.  ])

Descriptions are functions (:func:`top_k_hinge`, :func:`cross_entropy`, …), modules classes (:class:`TopKHinge`, :class:`CrossEntropy`, …) with the same
arguments. ``topk_loss.pytopk`` has what pytopk has.
"""

import importlib

from .arrays import values, values_and_grads
from .descriptions import (
    cross_entropy,
    focal,
    ldam,
    polyhedral_hinge,
    smooth_top_k_svm,
    top_k_cross_entropy,
    top_k_hinge,
    top_k_hinges,
    top_k_margin_cross_entropy,
    top_k_svm,
)
from .library import TopKLossError, ldam_margins, log_priors

#: Where what needs torch is: imported when it is asked for.
_OF_TORCH = {
    "modules": (
        "TopKLoss CrossEntropy Focal Ldam TopKHinge TopKHinges TopKSvm SmoothTopKSvm PolyhedralHinge TopKMarginCrossEntropy "
        "TopKCrossEntropy"
    ),
    "pytopk": "BalNoisedTopK ImbalNoisedTopK NoisedTopK",
}

__all__ = [
    *["TopKLossError", "ldam_margins", "log_priors", "values", "values_and_grads", "cross_entropy", "focal", "ldam", "polyhedral_hinge"],
    *["smooth_top_k_svm", "top_k_cross_entropy", "top_k_hinge", "top_k_hinges", "top_k_margin_cross_entropy", "top_k_svm"],
]


def __getattr__(name):
    for module, names in _OF_TORCH.items():
        if name in names.split():
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
