"""What both sides work on: arrays that are written once, so that both read the same bytes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

SEED = 20220717


@dataclass
class Problem:
    """Arrays in a folder; theirs as tensors, ours by `line`, which tells our process to read them."""

    name: str
    folder: Path
    line: str
    inputs: tuple
    logits: int


def written(folder, labels, **arrays):
    folder.mkdir(parents=True, exist_ok=True)
    labels.astype("<u8").tofile(folder / "labels")
    for name, array in arrays.items():
        array.astype("<f4").tofile(folder / name)


def scores_problem(folder, name, classes, batch, lead=None, spread=1.0):
    """Scores spread·N(0, 1), the label drawn at random; with a lead, the label is that far ahead of all others in 95 % of the rows."""
    random = np.random.default_rng([SEED, classes])
    scores = np.float32(spread) * random.standard_normal((batch, classes), dtype=np.float32)
    labels = random.integers(classes, size=batch)
    if lead is not None:
        converged = random.permutation(batch) < round(0.95 * batch)
        scores[converged, labels[converged]] = scores[converged].max(1) + lead
    return given_scores(folder, name, scores, labels)


def given_scores(folder, name, scores, labels):
    batch, classes = scores.shape
    folder = folder / name.replace(" ", "-")
    written(folder, labels, scores=scores)
    inputs = (torch.from_numpy(scores), torch.from_numpy(labels))
    return Problem(name, folder, f"scores {folder} {classes}", inputs, batch * classes)


def head_problem(folder, classes, batch=256, dim=512):
    random = np.random.default_rng([SEED, classes, dim])
    weights = random.standard_normal((classes, dim), dtype=np.float32) / np.float32(dim**0.5)
    features = random.standard_normal((batch, dim), dtype=np.float32)
    labels = random.integers(classes, size=batch)
    folder = folder / "head"
    written(folder, labels, weights=weights, features=features)
    inputs = tuple(torch.from_numpy(array) for array in (weights, features, labels))
    return Problem("head", folder, f"head {folder} {classes} {dim}", inputs, batch * classes)


def from_line(line):
    """The tensors of a problem that another process has written."""
    kind, folder, *sizes = line.split(" ")
    folder, sizes = Path(folder), [int(size) for size in sizes]
    labels = torch.from_numpy(np.fromfile(folder / "labels", "<i8"))
    read = lambda name: torch.from_numpy(np.fromfile(folder / name, "<f4").reshape(-1, sizes[-1]))
    return (read("scores"), labels) if kind == "scores" else (read("weights"), read("features"), labels)
