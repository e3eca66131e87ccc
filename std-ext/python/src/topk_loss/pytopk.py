"""What ``pytopk`` has, by the same names, arguments and defaults: ``from topk_loss.pytopk import BalNoisedTopK``.

Noise comes from a seed and a step, see :class:`topk_loss.TopKLoss`. The seed is drawn from torch's generator when the module is made, so that
``torch.manual_seed`` before makes a run repeatable; ``seed=`` sets it. ``Z=`` gives noise as pytopk's functions take it, batch × classes × samples.
Beside pytopk's, ``reduction`` and ``ignore_index`` as in :class:`topk_loss.TopKLoss`.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from . import descriptions, library
from .modules import TopKLoss
from .operators import order_statistics


class _Noised(TopKLoss):
    """What both noised losses share: the pathwise hinge, and a step that is not saved."""

    def __init__(self, k, epsilon, n_sample, margins, scale, seed, reduction, ignore_index):
        # pytopk takes ε = 0 for no noise.
        smoothing = "pathwise" if epsilon else "none"
        self._options = dict(k=k, scale=scale, smoothing=smoothing, epsilon=epsilon, num_samples=n_sample, seed=_seed(seed))
        super().__init__(self._describe(margins), reduction=reduction, ignore_index=ignore_index)
        # pytopk's state has no step.
        self.register_buffer("step", torch.zeros((), dtype=torch.int64), persistent=False)
        self.k, self.epsilon, self.n_sample = k, epsilon, n_sample

    def _describe(self, margins):
        return descriptions.top_k_hinge(margins=margins, **self._options)

    def forward(self, s, y, Z=None, **options):
        """The loss of scores and labels; see :meth:`topk_loss.TopKLoss.forward` for the options."""
        return super().forward(s, y, noise=Z.transpose(1, 2) if Z is not None and self.epsilon else None, **options)


class BalNoisedTopK(_Noised):
    """The balanced noised top-k loss of Garcin et al., ICML 2022."""

    def __init__(self, k, epsilon, n_sample=5, *, seed=None, reduction="mean", ignore_index=-100):
        super().__init__(k, epsilon, n_sample, 1.0, 1.0, seed, reduction, ignore_index)


class ImbalNoisedTopK(_Noised):
    """The imbalanced noised top-k loss of the same paper, for cosine scores; a class without examples has margin ``max_m``."""

    def __init__(
        self, k, epsilon, max_m, cls_num_list, scale=50, n_sample=5, *, seed=None, reduction="mean", ignore_index=-100
    ):
        m_list = np.asarray(library.ldam_margins(cls_num_list, max_m), np.float32)
        super().__init__(k, epsilon, n_sample, m_list, scale, seed, reduction, ignore_index)
        self.register_buffer("m_list", torch.from_numpy(m_list))
        self.scale = scale

    def _load_from_state_dict(self, *arguments):
        super()._load_from_state_dict(*arguments)
        self.description = library.text(self._describe(self.m_list.tolist()))


class NoisedTopK(nn.Module):
    """The k-th largest along a dimension, smoothed by noise of scale ``epsilon``: pathwise by ``n_sample`` draws, or ``smoothing="exact"``."""

    def __init__(self, k, epsilon=1.0, n_sample=5, dim=-1, *, smoothing="pathwise", seed=None):
        super().__init__()
        self.k, self.epsilon, self.n_sample, self.dim = k, epsilon, n_sample, dim
        self.smoothing = smoothing if epsilon else "none"
        self.seed = _seed(seed)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64), persistent=False)

    def forward(self, x, Z=None, *, step=None):
        """The smoothed k-th largest of ``x`` along the dimension; ``Z`` is noise in place of draws, ``step`` replays a call."""
        moved = x.movedim(self.dim, -1)
        rows = moved.reshape(-1, moved.shape[-1])
        if not self.epsilon:
            Z = None
        if Z is not None:
            dim = self.dim if self.dim >= 0 else self.dim - 1
            Z = Z.movedim(dim, -2).reshape(*rows.shape, self.n_sample).transpose(1, 2)
        with_grads = x.requires_grad and torch.is_grad_enabled()
        of_step = self.step if step is None else torch.as_tensor(step, dtype=torch.int64)
        seed = self.seed - 2**64 if self.seed >= 2**63 else self.seed
        values, _ = order_statistics(
            rows, self.k, self.smoothing, float(self.epsilon), self.n_sample, seed, of_step, 0, Z, with_grads
        )
        if step is None:
            self.step += 1
        return values.reshape(moved.shape[:-1]).to(x.dtype)


def _seed(seed):
    return int(torch.randint(2**63 - 1, ())) if seed is None else int(seed)
