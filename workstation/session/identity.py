"""Which code makes a run: hashes and versions for its manifest."""

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

import workstation
from workstation.kernels.compiled import kernel_hash

LIBRARIES = ("numpy", "numba", "msgspec", "sqlalchemy", "pyarrow")


@cache
def code_hash() -> str:
    """SHA-256 over every source file of the package, 64 hex digits."""
    package = Path(workstation.__file__).parent
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(f"{source.relative_to(package).as_posix()}\0".encode() + source.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def kernels() -> str:
    return kernel_hash()


@cache
def versions() -> dict[str, str]:
    return {"workstation": workstation.__version__} | {name: metadata.version(name) for name in LIBRARIES}
