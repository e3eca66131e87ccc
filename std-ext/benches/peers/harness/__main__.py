"""Times both sides in turns and writes the tables."""

import argparse
import json
import os
import tempfile
from pathlib import Path

from . import checks, machine, measure, memory, ours, problems, report, theirs, variance

BATCH = 256
LEAD = 10.0  # ten ε
SCALING = (1_000, 10_000, 100_000, 1_000_000)
LOGITS = 2_560_000
PYTOPK = (100, 1_000)  # where its five draws of spread scores are worth the wait


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of every contestant")
    parser.add_argument("--classes", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 24, 100, 1_000, 10_000, 100_000], help="classes of the spread scores")
    parser.add_argument("--spreads", type=float, nargs="+", default=[0.1, 1, 3, 10, 30], help="of the scores, in ε")
    parser.add_argument("--no-scaling", action="store_true", help="skip our own scaling, and its scores of up to a million classes")
    parser.add_argument("--no-head", action="store_true", help="skip the linear heads")
    parser.add_argument("--output", type=Path, default=ours.HERE, help="the folder for results.md and results.json")
    return parser.parse_args()


def progress(line):
    print(line, flush=True)


class Run:
    """The measurements of one run, as they come."""

    def __init__(self, folder, rounds):
        self.folder, self.rounds = folder, rounds
        load = os.getloadavg()[0]
        self.binary = ours.build()
        self.results = {name: {} for name in ("titles", "times", "logits", "memory", "variance")}
        losses = [name for name in ours.CONTESTANTS if name != "sum"]
        self.results |= {"facts": machine.facts(rounds, load), "losses": losses, "agreement": []}

    def measure(self, problem, title, our_names, their_names, threads):
        self.results["titles"][problem.name] = title
        self.results["logits"][problem.name] = problem.logits
        times = measure.rounds(self.binary, problem, our_names, their_names, threads, self.rounds, progress)
        self.results["times"][problem.name] = times
        progress(f"{problem.name}: memory")
        # XLA's memory cannot be told from its compiler's.
        figures = {name: memory.of_theirs(problem, name) for name in their_names if "optax" not in name}
        figures |= {name: memory.of_ours(self.binary, problem, name) for name in our_names}
        self.results["memory"][problem.name] = figures

    def agree(self, problem):
        with ours.Process(self.binary, problem) as process:
            told = checks.agree(process, problem)
        self.results["agreement"] += [f"L = {problem.inputs[0].shape[1]:,}: {line}" for line in told]

    def both_sides(self, classes):
        problem = problems.scores_problem(self.folder, str(classes), classes, BATCH)
        self.agree(problem)
        progress(f"{problem.name}: variance")
        self.results["variance"][problem.name] = variance.compare(self.binary, self.folder, problem)
        peers = [name for name in theirs.CONTESTANTS if "head" not in name]
        self.measure(problem, f"Batch {BATCH}, L = {classes:,}, scores N(0, 1)", list(ours.CONTESTANTS), peers, (1, 2))

    def converged(self, classes):
        problem = problems.scores_problem(self.folder, f"converged {classes}", classes, BATCH, LEAD)
        title = f"Converged scores: batch {BATCH}, L = {classes:,}, the label ahead by 10 ε in 95 % of the rows"
        self.measure(problem, title, ["sum", "cross-entropy", "hinge", "exact-5"], ["torch cross-entropy", "torch hinge"], (1, 2))

    def one_row(self, classes):
        problem = problems.scores_problem(self.folder, f"row {classes}", classes, 1)
        shared = [name for name in ours.CONTESTANTS if "svm" not in name]
        self.measure(problem, f"One row of {classes:,} classes", shared, ["torch cross-entropy", "pytopk-5"], (1, 2))

    def spread(self, classes, spread):
        """By time alone."""
        batch = min(BATCH, max(1, LOGITS // 10 // classes))
        problem = problems.scores_problem(self.folder, f"spread {classes} {spread:g}", classes, batch, spread=spread)
        our_names = ["cross-entropy", "hinge", "pathwise-5", "conditional", *ours.of_guesses(classes)]
        their_names = ["torch cross-entropy", "optax cross-entropy", "tuned pathwise-5"]
        their_names += ["pytopk-5"] if classes in PYTOPK else []
        times = measure.rounds(self.binary, problem, our_names, their_names, (1,), self.rounds, progress)
        self.results["times"][problem.name] = times

    def scaling(self, classes):
        batch = max(1, round(LOGITS / classes))
        problem = problems.scores_problem(self.folder, f"scaling {classes}", classes, batch)
        self.measure(problem, "", list(ours.CONTESTANTS), [], (1,))
        self.results["titles"]["scaling"] = f"some {LOGITS:,} logits a batch, one thread"

    def heads(self):
        problem = problems.head_problem(self.folder, 100_000)
        title = f"Linear heads: batch {BATCH}, d = 512, L = 100,000; gradients of weights and features"
        self.measure(problem, title, list(ours.HEADS), ["torch head cross-entropy"], (1, 2))

    def save(self, output):
        """What there is so far."""
        text = report.markdown(self.results)
        (output / "results.md").write_text(text)
        (output / "results.json").write_text(json.dumps(self.results, ensure_ascii=False) + "\n")
        return text


def main():
    chosen = arguments()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), chosen.rounds)
        steps = [(run.both_sides, classes) for classes in chosen.classes]
        steps += [(run.converged, classes) for classes in chosen.classes]
        steps += [(run.spread, classes, spread) for classes in chosen.sizes for spread in chosen.spreads]
        steps += [] if chosen.no_scaling else [(run.one_row, SCALING[-1])] + [(run.scaling, classes) for classes in SCALING]
        steps += [] if chosen.no_head else [(run.heads,)]
        for step, *classes in steps:
            step(*classes)
            text = run.save(chosen.output)
    print(text)


if __name__ == "__main__":
    main()
