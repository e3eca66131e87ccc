"""The bars of the issue, held against what was measured."""

from statistics import median


class Measured:
    """What a run found; `None` for what it did not measure."""

    def __init__(self, results, middle=median):
        self.results, self.middle = results, middle

    def ns(self, problem, contestant, threads=1):
        times = self.results["times"].get(problem, {}).get(contestant, {}).get(str(threads))
        return self.middle(times) if times else None

    def ratio(self, problem, numerator, denominator):
        numerator, denominator = self.ns(problem, numerator), self.ns(problem, denominator)
        return numerator / denominator if numerator and denominator else None

    def speedups(self, problem):
        """Of our contestants by a second thread."""
        times = self.results["times"].get(problem, {})
        return {name: self.ns(problem, name) / self.ns(problem, name, 2) for name in times if self.ns(problem, name, 2)}

    def along(self, prefix):
        """For each contestant ns a logit, by the number that follows the prefix in the problem's name."""
        problems = [name for name in self.results["times"] if name.startswith(prefix)]
        names = self.results["times"][problems[0]] if problems else []
        return {name: {float(problem.removeprefix(prefix)): self.ns(problem, name) for problem in problems} for name in names}

    def memory(self, problem, contestant):
        return self.results["memory"].get(problem, {}).get(contestant)


# What is compared, its numerator and denominator, the bound's direction, the bar, the stretch; on which problems.
RATIOS = [
    ("calibrated hinge / torch cross-entropy", "hinge", "torch cross-entropy", "≤", 0.5, None, ("1000", "10000")),
    ("pytopk / pathwise, B = 5", "pytopk-5", "pathwise-5", "≥", 12, 25, ("1000", "10000")),
    ("tuned torch / pathwise, B = 5", "tuned pathwise-5", "pathwise-5", "≥", 4, None, ("1000", "10000")),
    ("pytopk, B = 5 / conditional, 1 draw", "pytopk-5", "conditional", "≥", 20, 40, ("1000", "10000")),
    ("pytopk, B = 5 / exact", "pytopk-5", "exact-5", "≥", 10, None, ("1000",)),
    ("pytopk, B = 5 / exact", "pytopk-5", "exact-5", "≥", 25, None, ("10000",)),
    ("exact / torch cross-entropy", "exact-5", "torch cross-entropy", "≤", 3, 1, ("10000",)),
    ("exact, K = 50 / K = 1", "exact-50", "exact-1", "≤", 1.5, 1.1, ("1000", "10000")),
    ("smooth top-K SVM, the paper's / ours, K = 5", "torch smooth-svm-5", "smooth-svm-5", "≥", 10, None, ("1000", "10000")),
    ("smooth top-K SVM, the paper's / ours, K = 50", "torch smooth-svm-50", "smooth-svm-50", "≥", 30, None, ("1000", "10000")),
    ("converged scores: exact / plain pass", "exact-5", "sum", "≤", 1.5, 1.1, ("converged 1000", "converged 10000")),
    ("linear head, torch cross-entropy / fused pathwise", "torch head cross-entropy", "head-fused", "≥", 2, 2.7, ("head",)),
]
MEMORY = 64 * 1024
TWO_THREADS = 1.8
SCALING = 1.3
HEAD_MEMORY = 0.02


def verdict(value, bound, bar, stretch=None):
    if value is None:
        return "not measured"
    within = {"≤": lambda limit: value <= limit, "≥": lambda limit: value >= limit}[bound]
    if not within(bar):
        return "**missed**"
    return "met, stretch too" if stretch is not None and within(stretch) else "met"


def judge(results):
    """Rows of bar, problem, limit, measured, the same by the lowest times, verdict; of many contestants the worst counts."""
    measured, lowest = Measured(results), Measured(results, min)
    rows = []

    def add(what, problem, value, bound, bar, stretch=None, shown="{:.2f}", by_lowest=None):
        limit = f"{bound} {bar:,}" + (f" ({stretch:,})" if stretch is not None else "")
        figures = ["–" if figure is None else shown.format(figure) for figure in (value, by_lowest)]
        rows.append((what, problem, limit, *figures, verdict(value, bound, bar, stretch)))

    for what, numerator, denominator, bound, bar, stretch, names in RATIOS:
        for problem in names:
            values = [times.ratio(problem, numerator, denominator) for times in (measured, lowest)]
            add(what, problem, values[0], bound, bar, stretch, by_lowest=values[1])
    for problem, totals in results["variance"].items():
        ratio = totals["conditional"] / totals["pytopk-50"]
        add("gradient variance, conditional, 1 draw / pytopk, B = 50", problem, ratio, "≤", 1)
    for problem, figures in results["memory"].items():
        figures = {name: figure for name, figure in figures.items() if name in results["losses"]}
        if figures:
            worst = max(figures, key=figures.get)
            add(f"extra bytes, worst: {worst}", problem, figures[worst], "≤", MEMORY, shown="{:,}")
    speedups = {name: speedup for name, speedup in measured.speedups("10000").items() if name in results["losses"]}
    if speedups:
        worst = min(speedups, key=speedups.get)
        add(f"two threads / one, worst: {worst}", "10000", speedups[worst], "≥", TWO_THREADS)
    spreads = {name: max(ns.values()) / min(ns.values()) for name, ns in measured.along("scaling ").items() if name in results["losses"]}
    if spreads:
        worst = max(spreads, key=spreads.get)
        add(f"ns per logit, slowest L / fastest, worst: {worst}", "10³ to 10⁶", spreads[worst], "≤", SCALING)
    head = measured.memory("head", "head-fused")
    share = None if head is None else head / (4 * results["logits"]["head"])
    add("extra memory, fused head / its scores", "head", share, "≤", HEAD_MEMORY, shown="{:.4f}")
    return rows
