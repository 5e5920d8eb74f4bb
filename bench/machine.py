"""What a run ran on, in one paragraph."""

import ctypes
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

PACKAGES = (
    "numpy", "faiss-cpu", "sqlite-vec", "pysqlite3", "duckdb", "pgserver", "psycopg", "usearch", "hnswlib",
)  # fmt: skip
#: The BLAS that comes with each, and the function that names the kernel it chose.
KERNELS = {
    "numpy": ("numpy.libs/libscipy_openblas*", "scipy_openblas_get_corename64_"),
    "faiss": ("faiss_cpu.libs/libopenblas*", "openblas_get_corename"),
}


def machine() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    used = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    kernels = ", ".join(f"{name} {_kernel(name)}" for name in KERNELS)
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f} at the start; "
        f"Linux {platform.release()}, Python {platform.python_version()}; {used}. OpenBLAS kernels: {kernels}."
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _kernel(name: str) -> str:
    pattern, function = KERNELS[name]
    spec = find_spec(name)
    for library in Path(spec.origin or "").parent.parent.glob(pattern) if spec else ():
        named = getattr(ctypes.CDLL(str(library)), function, None)
        if named is not None:
            named.restype = ctypes.c_char_p
            return str(named().decode())
    return "unknown"
