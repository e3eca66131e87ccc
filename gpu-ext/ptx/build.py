"""Compiles every ../cuda/*.cu to PTX by NVRTC, which needs neither a GPU nor a C++ compiler, only one wheel:

    python -m venv VENV && VENV/bin/pip install nvidia-cuda-nvrtc-cu12==12.4.127
    VENV/bin/python gpu-ext/ptx/build.py            # writes gpu-ext/ptx/*.ptx
    VENV/bin/python gpu-ext/ptx/build.py --check    # compares instead; exit status 1 if one differs

The version decides what drivers accept the result: 12.4 makes PTX 8.4, which R550 (2024) and later take.
"""
import ctypes
import importlib.util
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
SOURCES = HERE.parent / "cuda"
OPTIONS = ["--gpu-architecture=compute_80", "--std=c++17", f"--include-path={SOURCES}", "--device-as-default-execution-space"]


def library():
    package = importlib.util.find_spec("nvidia.cuda_nvrtc")
    folder = pathlib.Path(list(package.submodule_search_locations)[0]) / "lib"
    return ctypes.CDLL(str(folder / "libnvrtc.so.12"))


def compile_ptx(nvrtc, source):
    program = ctypes.c_void_p()
    options = (ctypes.c_char_p * len(OPTIONS))(*[o.encode() for o in OPTIONS])
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.read_bytes(), source.name.encode(), 0, None, None)
    failed = nvrtc.nvrtcCompileProgram(program, len(OPTIONS), options)
    log = text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
    if failed or log.strip():
        print(f"{source.name}:\n{log}", file=sys.stderr)
    if failed:
        sys.exit(1)
    return text(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program)


def text(size_of, get, program):
    size = ctypes.c_size_t()
    size_of(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    get(program, buffer)
    return buffer.value.decode()


def main():
    nvrtc, check, differing = library(), "--check" in sys.argv, []
    for source in sorted(SOURCES.glob("*.cu")):
        target = HERE / f"{source.stem}.ptx"
        ptx = compile_ptx(nvrtc, source)
        if not check:
            target.write_text(ptx)
        elif not target.exists() or target.read_text() != ptx:
            differing.append(target.name)
    if differing:
        sys.exit(f"not what the sources give: {', '.join(differing)}")


main()
