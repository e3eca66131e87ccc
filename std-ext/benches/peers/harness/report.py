"""The tables, as Markdown."""

from statistics import median

from . import bars, ours

PEERS = {
    "torch cross-entropy": "torch: cross-entropy",
    "optax cross-entropy": "optax under XLA: cross-entropy",
    "torch hinge": "torch: calibrated hinge by `topk`",
    "pytopk-1": "pytopk: noised balanced, B = 1",
    "pytopk-5": "pytopk: noised balanced, B = 5",
    "pytopk-50": "pytopk: noised balanced, B = 50",
    "tuned pathwise-5": "torch, tuned by hand: the same, B = 5",
    "torch smooth-svm-5": "torch: smooth top-K SVM by its paper, K = 5",
    "torch smooth-svm-50": "torch: smooth top-K SVM by its paper, K = 50",
    "torch randn": "torch: `randn`, one number a score",
    "torch head cross-entropy": "torch: linear head, cross-entropy",
}
BY_GUESSES = {name: title for classes in (*ours.GUESSES, None) for name, title in ours.of_guesses(classes).items()}
TITLES = PEERS | {name: f"ours: {title}" for name, title in (ours.CONTESTANTS | BY_GUESSES | ours.HEADS).items()}


def table(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value):
    return "–" if value is None else f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def size(count):
    if count is None:
        return "–"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.3g} {unit}" if count < 100 else f"{count:.0f} {unit}"
        count /= 1024


def spread(times):
    return "–" if times is None else f"{number(median(times))} ({number(min(times))} … {number(max(times))})"


def contestants(results, problem):
    """Both sides on one problem."""
    measured = bars.Measured(results)
    rows = []
    for name, times in results["times"][problem].items():
        ratios = [measured.ratio(problem, name, other) for other in ("torch cross-entropy", "sum")]
        speedup = measured.speedups(problem).get(name)
        figures = [spread(times["1"]), spread(times.get("2")), number(speedup), *map(number, ratios)]
        rows.append([TITLES[name], *figures, size(measured.memory(problem, name))])
    header = ["", "1 thread", "2 threads", "1 / 2", "× torch cross-entropy", "× plain pass", "extra memory"]
    return table(header, rows)


def scaling(results):
    measured = bars.Measured(results)
    rows, by_name = [], measured.along("scaling ")
    sizes = [int(classes) for classes in next(iter(by_name.values()))]
    for name, by_size in by_name.items():
        times = by_size.values()
        memory = measured.memory(f"scaling {sizes[-1]}", name)
        rows.append([TITLES[name], *map(number, times), number(max(times) / min(times)), size(memory)])
    return table(["", *[f"L = {classes:,}" for classes in sizes], "slowest / fastest", f"extra memory at L = {sizes[-1]:,}"], rows)


def spreads(results, classes):
    """All contestants by how far the scores are spread, one thread."""
    by_name = bars.Measured(results).along(f"spread {classes} ")
    rows = [[TITLES[name], *map(number, by.values()), number(max(by.values()) / min(by.values()))] for name, by in by_name.items()]
    return table([f"L = {classes:,}", *map("{:g}".format, next(iter(by_name.values()))), "slowest / fastest"], rows)


def variance(results):
    problems = results["variance"]
    names = next(iter(problems.values()))
    rows = [[TITLES[name], *[f"{problems[problem][name]:.3g}" for problem in problems]] for name in names]
    return table(["", *[f"L = {int(problem):,}" for problem in problems]], rows)


def markdown(results):
    sections = ["# Ours and the Python peers", *[f"- {fact}" for fact in results["facts"]]]
    text = "\n".join([sections[0], "", *sections[1:]])
    text += "\n\nValue and gradient in `f32`, nanoseconds a logit, median (lowest … highest) of the rounds;\nK = 5 and ε = 1 unless said.\n"
    text += "Extra memory is with one thread, beside inputs and outputs.\n"
    for problem in results["times"]:
        if not problem.startswith(("scaling ", "spread ")):
            text += f"\n## {results['titles'][problem]}\n\n{contestants(results, problem)}\n"
    if any(problem.startswith("scaling ") for problem in results["times"]):
        text += f"\n## Ours by the number of classes, {results['titles']['scaling']}\n\n{scaling(results)}\n"
    classes_of_spreads = list(dict.fromkeys(problem.split()[1] for problem in results["times"] if problem.startswith("spread ")))
    if classes_of_spreads:
        text += "\n## By the spread of the scores, in ε, the label drawn at random, one thread\n"
        text += "".join(f"\n{spreads(results, int(classes))}\n" for classes in classes_of_spreads)
    if results["variance"]:
        text += f"\n## Total variance of a row's gradient\n\n{variance(results)}\n"
    text += "\n## The bars\n\nStretch in brackets. Ratios of medians decide; of many contestants the worst is named.\n\n"
    text += table(["", "on", "bar", "measured", "by lowest times", ""], bars.judge(results)) + "\n"
    return text + "\n## Agreement, before the timing\n\n" + "\n".join(f"- {line}" for line in results["agreement"]) + "\n"
