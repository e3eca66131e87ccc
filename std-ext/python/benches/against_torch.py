"""A step on one thread of the CPU, forward and backward: the noised hinge against pytopk's, the exact one against torch's cross-entropy.

Contestants take turns, so that whatever else the machine does meets them all. Printed are medians, and the median of the ratios of neighbours.
Run by `python benches/against_torch.py`; prints Markdown.
"""

import platform
import statistics
import time

import pytopk
import torch
import torch.nn.functional as F

import topk_loss

BATCH, K, EPSILON = 256, 5, 1.0
#: Rounds for so many classes.
ROUNDS = {100: 200, 1000: 60, 10_000: 15}
#: Ours, the peer, and the most or the least that their ratio was to be.
PAIRS = {
    "noised, B = 5": (
        lambda: topk_loss.BalNoisedTopK(K, EPSILON),
        lambda: pytopk.BalNoisedTopK(K, EPSILON),
        {100: "≥ 3 ×", 1000: "≥ 12 ×", 10_000: "≥ 20 ×"},
    ),
    "exact": (lambda: topk_loss.TopKHinge(K, epsilon=EPSILON), lambda: F.cross_entropy, {10_000: "≤ 2 ×"}),
    "cross-entropy": (topk_loss.CrossEntropy, lambda: F.cross_entropy, {}),
}


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def seconds(criterion, scores, labels):
    scores.grad = None
    start = time.perf_counter()
    criterion(scores, labels).backward()
    return time.perf_counter() - start


def compare(ours, theirs, scores, labels, rounds):
    """Milliseconds of both, and theirs over ours."""
    for criterion in (ours, theirs):
        seconds(criterion, scores, labels)
    times = [(seconds(ours, scores, labels), seconds(theirs, scores, labels)) for _ in range(rounds)]
    a, b = (1000 * statistics.median(of) for of in zip(*times))
    return a, b, statistics.median(b / a for a, b in times)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"{processor()}, one thread, torch {torch.__version__}, batch {BATCH}, K = {K}, ε = {EPSILON}, scores of float32\n")
    print("| loss | L | spread | ms | peer's ms | peer / ours | ours / peer | bar |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (ours, theirs, bars) in PAIRS.items():
        for classes, rounds in ROUNDS.items():
            for spread in (1, 3, 10):
                scores = (spread * torch.randn(BATCH, classes)).requires_grad_()
                labels = torch.randint(classes, (BATCH,))
                a, b, ratio = compare(ours(), theirs(), scores, labels, rounds)
                print(f"| {name} | {classes} | {spread} | {a:.2f} | {b:.2f} | {ratio:.2f} | {1 / ratio:.2f} | {bars.get(classes, '')} |", flush=True)


if __name__ == "__main__":
    main()
