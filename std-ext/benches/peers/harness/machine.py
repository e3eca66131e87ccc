"""What the numbers depend on."""

import datetime
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

from . import ours


def facts(rounds, load):
    """Lines that stand above the tables; `load` is the load average before the run."""
    processor = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())[1]
    said = lambda *command: subprocess.run(command, cwd=ours.HERE, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    quiet = load < 0.5
    noise = "quiet" if quiet else "**not quiet**: other work ran beside, so ratios of contestants that take turns say more than times"
    commit, rustc = said("git", "rev-parse", "--short", "HEAD"), said("rustc", "--version")
    packages = [f"{name} {version(name)}" for name in ("torch", "pytopk", "optax", "jax", "numpy")]
    return [
        f"{processor}, {os.cpu_count()} cores, torch uses {torch.backends.cpu.get_cpu_capability()}",
        f"`std-ext/benches/peers/run`, {rounds} rounds, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, commit {commit}",
        f"{', '.join(packages)}, Python {platform.python_version()}, {rustc}",
        f"the machine was {noise} (load average {load:.1f} before the run)",
    ]
