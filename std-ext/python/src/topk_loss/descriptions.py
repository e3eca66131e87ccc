"""Every loss as data: dictionaries that become JSON, for which the library has the last word.

A margin is a number, or a list of one a class. ``adjustments`` (logarithms of priors) and ``class_weights`` go around any loss.
"""

from __future__ import annotations


def cross_entropy(**around):
    """The cross-entropy, ln Σ exp(s_j) − s_y."""
    return _loss("cross_entropy", around)


def focal(gamma=2.0, **around):
    """The focal loss, −(1 − p_y)^γ ln p_y with p the softmax of the scores."""
    return _loss({"focal": {"gamma": gamma}}, around)


def ldam(margins, scale=30.0, **around):
    """The LDAM loss: the cross-entropy of ``scale`` · (s − m_y e_y), for margins m one a class, see :func:`topk_loss.ldam_margins`."""
    return _loss({"ldam": {"margins": _margins(margins), "scale": scale}}, around)


def top_k_hinge(k, margins=1.0, scale=1.0, smoothing="exact", epsilon=1.0, num_samples=5, seed=0, tolerance=None, **around):
    """The calibrated top-K hinge, scale · (m + top₍K+1₎(s) − s_y)₊, its order statistic smoothed by noise of scale ``epsilon``.

    ``smoothing`` is "exact" (no random number), "pathwise" (the paper's ``num_samples`` draws), "conditional" (fewer draws do) or "none".
    """
    hinge = {"k": k, "margins": _margins(margins), "scale": scale, "smoothing": _smoothing(smoothing, epsilon, num_samples, seed)}
    if tolerance is not None:
        hinge["tolerance"] = tolerance
    return _loss({"top_k_hinge": hinge}, around)


def top_k_hinges(shares, margins=1.0, scale=1.0, epsilon=None, **around):
    """The hinges of 1, 2, … guesses by their shares, smoothed exactly unless ``epsilon`` is None."""
    return _loss({"top_k_hinges": {"shares": _list(shares), "margins": _margins(margins), "scale": scale, "epsilon": epsilon}}, around)


def top_k_svm(k, form="mean_with_label", margins=1.0, scale=1.0, **around):
    """The hinges over the other classes: ``form`` "kth_other", "mean_inside", "mean_with_label" (α of Lapin et al.), "mean_outside" (β)."""
    return _loss({"top_k_svm": {"k": k, "form": form, "margins": _margins(margins), "scale": scale}}, around)


def smooth_top_k_svm(k, temperature=1.0, margin=1.0, **around):
    """The smooth top-K SVM of Berrada et al."""
    return _loss({"smooth_top_k_svm": {"k": k, "temperature": temperature, "margin": margin}}, around)


def polyhedral_hinge(k, margins=1.0, scale=1.0, **around):
    """The convex, calibrated top-K hinge."""
    return _loss({"polyhedral_hinge": {"k": k, "margins": _margins(margins), "scale": scale}}, around)


def top_k_margin_cross_entropy(k, margins=1.0, scale=1.0, **around):
    """The cross-entropy with a top-K margin: convex, calibrated, smooth."""
    return _loss({"top_k_margin_cross_entropy": {"k": k, "margins": _margins(margins), "scale": scale}}, around)


def top_k_cross_entropy(k=None, shares=None, law="normal", epsilon=1.0, **around):
    """−ln of the probability that the label is among the ``k`` largest noised scores, or a mixture by the ``shares`` of 1, 2, … guesses."""
    if (k is None) == (shares is None):
        raise TypeError("a top-K cross-entropy has either k or shares")
    guesses = {"k": k} if shares is None else {"mixture": _list(shares)}
    return _loss({"top_k_cross_entropy": {"guesses": guesses, "law": law, "epsilon": epsilon}}, around)


def _loss(loss, around):
    unknown = around.keys() - {"adjustments", "class_weights"}
    if unknown:
        raise TypeError(f"unknown options: {', '.join(sorted(unknown))}")
    return {"loss": loss, **{name: _list(numbers) for name, numbers in around.items() if numbers is not None}}


def _smoothing(smoothing, epsilon, num_samples, seed):
    if smoothing in (None, "none"):
        return "none"
    if smoothing == "exact":
        return {"exact": {"epsilon": epsilon}}
    seed %= 2**64
    return {smoothing: {"epsilon": epsilon, "num_samples": num_samples, "key": [seed >> 32, seed % 2**32]}}


def _margins(margins):
    margins = _list(margins) if hasattr(margins, "__len__") else margins
    return {"per_class": margins} if isinstance(margins, list) else {"uniform": margins}


def _list(numbers):
    return numbers.tolist() if hasattr(numbers, "tolist") else [float(number) for number in numbers]
