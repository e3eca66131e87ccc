"""Losses of NumPy arrays."""

from __future__ import annotations

import numpy as np

from . import library


def values(description, scores, labels, *, ignored=None, step=0, first_example=0, threads=None):
    """The loss of every row of ``scores``, a dictionary of :mod:`topk_loss.descriptions` or JSON being the loss.

    Rows are read where they are if their numbers follow one another, and copied otherwise. Losses are ``float64`` for such scores and
    ``float32`` for ``float32`` and ``float16``. ``ignored`` labels have loss 0. A loss that draws draws by its seed, ``step`` and the row's
    number, which counts from ``first_example``.

    >>> import numpy as np, topk_loss
    >>> topk_loss.values(topk_loss.top_k_hinge(1, smoothing="none"), np.array([[0.5, 0.0, 0.25], [2.0, 1.0, 0.0]]), [0, 2])
    array([0.75, 2.  ])
    """
    losses, _ = _compute(description, scores, labels, None, ignored, step, first_example, threads)
    return losses


def values_and_grads(description, scores, labels, *, grads=None, ignored=None, step=0, first_example=0, threads=None):
    """The loss of every row, as :func:`values`, and its gradient; written into ``grads`` where that is given.

    Gradients are shaped like the scores, of their float, neither weighted nor reduced; 0 where the label is ignored.

    >>> import numpy as np, topk_loss
    >>> losses, grads = topk_loss.values_and_grads(topk_loss.top_k_hinge(1, smoothing="none"), np.array([[0.5, 0.0, 0.25]]), [0])
    >>> grads
    array([[-1.,  0.,  1.]])
    """
    scores = np.asarray(scores)
    grads = np.empty(scores.shape, scores.dtype) if grads is None else grads
    return _compute(description, scores, labels, grads, ignored, step, first_example, threads)


def _compute(description, scores, labels, grads, ignored, step, first_example, threads):
    scores, labels = np.asarray(scores), np.asarray(labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise TypeError(f"scores are rows and labels one a row: not {scores.shape} and {labels.shape}")
    if scores.dtype.name not in library.FLOATS or not scores.dtype.isnative:
        raise TypeError(f"scores are float16, float32 or float64: not {scores.dtype}")
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels are integers: not {labels.dtype}")
    labels = np.ascontiguousarray(labels, np.int64)
    scores, scores_stride = _rows(scores)
    losses = np.empty(len(labels), np.float64 if scores.dtype == np.float64 else np.float32)
    grads_stride = 0
    if grads is not None:
        same, grads_stride = _rows(grads)
        if grads.shape != scores.shape or grads.dtype != scores.dtype or same is not grads or not grads.flags.writeable:
            raise TypeError("gradients are rows like the scores, of numbers that follow one another and can be written")
    of_batch = library.batch(
        shape=scores.shape,
        dtype=scores.dtype.name,
        scores=scores.ctypes.data,
        scores_stride=scores_stride,
        labels=labels.ctypes.data,
        ignored=ignored,
        step=step,
        first_example=first_example,
        threads=library.all_threads() if threads is None else threads,
        values=losses.ctypes.data,
        grads=0 if grads is None else grads.ctypes.data,
        grads_stride=grads_stride,
    )
    library.values(library.text(description), of_batch)
    return losses, grads


def _rows(matrix):
    """The matrix, copied only if its rows are no rows of memory, and their stride in numbers."""
    size = matrix.itemsize
    to_next, to_next_class = matrix.strides
    if (to_next_class != size and matrix.shape[1] > 1) or to_next % size or to_next < matrix.shape[1] * size and len(matrix) > 1:
        return np.ascontiguousarray(matrix), matrix.shape[1]
    return matrix, max(to_next // size, matrix.shape[1])
