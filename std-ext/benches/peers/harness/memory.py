"""Peak memory beside inputs and outputs.

Theirs: a fresh process for each contestant, the kernel's high-water mark of resident memory during one call, after a small call that
loads what a first call loads, less what was resident before and the bytes of the gradients. Where the peak comes before the gradients
exist, that is a lower bound, in their favour. Ours: see memory.rs, a fresh process too.
"""

import re
import subprocess
import sys
from pathlib import Path

import torch

from . import ours, problems, theirs


def of_ours(binary, problem, contestant, threads=1):
    with ours.Process(binary, problem) as process:
        return int(process.ask("memory", contestant, threads))


def of_theirs(problem, contestant):
    command = [sys.executable, "-B", "-m", "harness.memory", contestant, problem.line]
    return int(subprocess.run(command, cwd=ours.HERE, check=True, stdout=subprocess.PIPE, text=True).stdout)


def resident(field):
    return 1024 * int(re.search(rf"{field}:\s*(\d+)", Path("/proc/self/status").read_text())[1])


def small(*inputs):
    """Two examples of 100 classes."""
    *weights, examples, labels = inputs
    examples = examples[:2] if weights else examples[:2, :100]
    return *[rows[:100] for rows in weights], examples, labels[:2] % 100


def main(name, line):
    torch.set_num_threads(1)
    contestant, inputs = theirs.CONTESTANTS[name], problems.from_line(line)
    contestant(*small(*inputs))
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark back
    _, grads = contestant(*inputs)
    outputs = sum(grad.nbytes for grad in (grads if isinstance(grads, tuple) else [grads]))
    print(max(0, resident("VmHWM") - before - outputs))


if __name__ == "__main__":
    main(*sys.argv[1:])
