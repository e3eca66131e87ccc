"""Our contestants: the Rust process of main.rs, built and spoken to."""

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent

CONTESTANTS = {
    "sum": "plain pass over the scores",
    "cross-entropy": "cross-entropy",
    "hinge": "calibrated hinge",
    "pathwise-1": "pathwise, B = 1",
    "pathwise-5": "pathwise, B = 5",
    "pathwise-50": "pathwise, B = 50",
    "conditional": "conditional, 1 draw",
    "exact-1": "exact, K = 1",
    "exact-5": "exact, K = 5",
    "exact-50": "exact, K = 50",
    "top-k-cross-entropy": "top-K cross-entropy",
    "smooth-svm-5": "smooth top-K SVM, K = 5",
    "smooth-svm-50": "smooth top-K SVM, K = 50",
}

# How many guesses the rows of so many classes are compared with; beyond the middle, each K beside the one that it is the mirror of.
GUESSES = {10: (1, 5), 24: (16, 7), 100: (1, 5, 50, 80, 19)}
MORE_CLASSES = (1, 5, 50)


def of_guesses(classes):
    """Contestants by the number of guesses."""
    guesses = GUESSES.get(classes, MORE_CLASSES)
    exact = {f"exact-{k}": f"exact, K = {k}" for k in guesses}
    return exact | {f"top-k-cross-entropy-{k}": f"top-K cross-entropy, K = {k}" for k in guesses}


# Those of head.rs.
HEADS = {
    "head-stored": "linear head, pathwise, B = 5, scores stored",
    "head-fused": "linear head, pathwise, B = 5, fused",
    "head-fused-exact": "linear head, exact, fused",
    "head-fused-cross-entropy": "linear head, cross-entropy, fused",
}


def build():
    """The binary's path, after a release build."""
    command = ["cargo", "build", "--release", "--locked", "--bench", "peers", "--message-format=json-render-diagnostics"]
    built = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout
    artifacts = [json.loads(line) for line in built.splitlines()]
    return next(a["executable"] for a in artifacts if a.get("target", {}).get("name") == "peers" and a.get("executable"))


class Process:
    """Our process; a line in, a line out."""

    def __init__(self, binary, problem):
        self.process = subprocess.Popen([binary, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.ask(problem.line)

    def ask(self, *words):
        print(*words, file=self.process.stdin)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"our process ended with status {self.process.wait()} at: {' '.join(map(str, words))}")
        return answer.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
