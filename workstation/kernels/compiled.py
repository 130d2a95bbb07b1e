"""The one decorator of every compiled function, and the folder of its machine code.

numba looks for changes in the file of a cached function only: an edited callee in another file leaves its callers with
the old formula (measured). So the cache lies in a folder named after everything that shapes the machine code: the
sources of kernels and windows, the unit conversions, numba's version and the processor. `NUMBA_CACHE_DIR` overrides the
folder; `NUMBA_DISABLE_JIT` turns the compiler off.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba.core.registry import cpu_target
from platformdirs import user_cache_dir

P = ParamSpec("P")
R = TypeVar("R")

PACKAGE = Path(__file__).resolve().parent.parent
COMPILED_ROOMS = ("kernels", "windows")
COMPILED_FILES = ("model/units.py",)

numba_config: Any = numba.config  # numba fills this module at run time, so its types know no setting


def kernel_hash(package: Path = PACKAGE) -> str:
    """Names the build of all kernels in `package`, 64 hex digits; run manifests keep it."""
    digest = hashlib.sha256()
    for part in (numba.__version__, processor_name()):
        digest.update(part.encode() + b"\0")
    for source in _sources(package):
        content = source.read_bytes()
        digest.update(f"{source.relative_to(package).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def processor_name() -> str:
    """The processor for which numba generates code: platform, name ("znver3") and instruction sets."""
    return " ".join(cpu_target.target_context.codegen().magic_tuple())


def cache_folder(package: Path = PACKAGE) -> Path:
    """Where machine code of exactly these sources is kept."""
    return Path(user_cache_dir("workstation")) / "numba" / kernel_hash(package)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compiles `function` at its first call for each combination of argument types; division by zero gives inf or NaN.

    No fastmath and no implicit contraction: step and batch must agree bit for bit. Inlined into compiled callers, which
    keeps a step's scalars in registers (simple average: 2 ns a value against 14, measured). A kernel makes no array: so
    nothing counts references to those that it was given, at each inlined call of the hot loops (numba's issues 2345 and
    2350; an update of a window took twice as long, measured).
    """
    return _compiled(function, nogil=False)


def compiled_aside(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`, of a batch that takes a millisecond or more: other threads of Python run meanwhile."""
    return _compiled(function, nogil=True)


def _compiled(function: Callable[P, R], *, nogil: bool) -> Callable[P, R]:
    njit: Any = numba.njit  # its types do not know _nrt
    made = njit(cache=True, error_model="numpy", forceinline=True, _nrt=False, nogil=nogil)(function)
    return cast("Callable[P, R]", made)


def _sources(package: Path) -> Iterator[Path]:
    for room in COMPILED_ROOMS:
        yield from sorted((package / room).rglob("*.py"))
    for name in COMPILED_FILES:
        if (package / name).is_file():
            yield package / name


def use_own_cache_folder() -> None:
    """Points numba to `cache_folder()`, unless the operator has chosen one; done once, at the end of this import."""
    # numba reads the setting when a function is decorated, hence at this import, before any kernel's
    if not os.environ.get("NUMBA_CACHE_DIR"):
        numba_config.CACHE_DIR = str(cache_folder())


use_own_cache_folder()
