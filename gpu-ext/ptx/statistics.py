"""What the assembler makes of ../ptx/*.ptx, as a table: registers, spills and machine instructions of every kernel. Needs no GPU:

    VENV/bin/pip install nvidia-cuda-nvcc==13.0.88 nvidia-cuda-nvdisasm
    VENV/bin/python gpu-ext/ptx/statistics.py sm_80 sm_90
"""
import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
TOOLS = pathlib.Path(list(importlib.util.find_spec("nvidia.cu13").submodule_search_locations)[0]) / "bin"


def assemble(ptx, architecture, cubin):
    told = subprocess.run([TOOLS / "ptxas", "-v", f"-arch={architecture}", ptx, "-o", cubin], capture_output=True, text=True, check=True).stderr
    kernels, entry = {}, None
    for line in told.splitlines():
        if match := re.search(r"Compiling entry function '(\w+)'", line):
            entry = kernels.setdefault(match[1], {})
        elif (match := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line)) and "spills" not in entry:
            entry["spills"] = int(match[2]) + int(match[3])
        elif match := re.search(r"Used (\d+) registers", line):
            entry["registers"] = int(match[1])
    return kernels


def instructions(cubin):
    counts, section = {}, None
    for line in subprocess.run([TOOLS / "nvdisasm", "-c", cubin], capture_output=True, text=True, check=True).stdout.splitlines():
        if match := re.match(r"\s*\.section\s+\.text\.(\w+)", line):
            section = match[1]
        elif section and re.search(r"/\*[0-9a-f]{4,}\*/", line) and "NOP" not in line:
            counts[section] = counts.get(section, 0) + 1
    return counts


def main():
    print("| kernel | " + " | ".join(f"{a}: registers | spills, bytes | instructions" for a in sys.argv[1:]) + " |")
    print("|---" + "|---|---|---" * len(sys.argv[1:]) + "|")
    for ptx in sorted(HERE.glob("*.ptx")):
        columns = []
        with tempfile.TemporaryDirectory() as folder:
            for architecture in sys.argv[1:]:
                cubin = pathlib.Path(folder) / "cubin"
                kernels = assemble(ptx, architecture, cubin)
                columns.append((kernels, instructions(cubin)))
        for kernel in sorted(columns[0][0]):
            cells = [f"{k[kernel]['registers']} | {k[kernel]['spills']} | {i.get(kernel, '?')}" for k, i in columns]
            print(f"| {kernel} | " + " | ".join(cells) + " |", flush=True)


main()
