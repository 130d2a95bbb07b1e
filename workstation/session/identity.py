"""Which code makes a run: hashes and versions for its manifest."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

import workstation
from workstation.kernels.compiled import kernel_hash

PACKAGE = Path(workstation.__file__).parent
FOLDING = ("errors.py", "model/**/*.py", "trading/**/*.py", "ledger/**/*.py", "session/**/*.py")
LIBRARIES = ("numpy", "numba", "msgspec", "sqlalchemy", "pyarrow")


@cache
def code_hash() -> str:
    """SHA-256 over every source file of the package, 64 hex digits."""
    return _hash_of(PACKAGE.rglob("*.py"))


@cache
def fold_hash() -> str:
    """The same over the rooms that a fold passes through: facts decoded by these files alone give the same state."""
    return _hash_of(source for room in FOLDING for source in PACKAGE.glob(room))


@cache
def kernels() -> str:
    return kernel_hash()


@cache
def versions() -> dict[str, str]:
    return {"workstation": workstation.__version__} | {name: metadata.version(name) for name in LIBRARIES}


def take_note() -> None:
    """Hashes the code while its files are those that this process runs: an update may replace them under it."""
    for known in (code_hash, fold_hash, kernels, versions):
        known()


def _hash_of(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for source in sorted(sources):
        digest.update(f"{source.relative_to(PACKAGE).as_posix()}\0".encode() + source.read_bytes() + b"\0")
    return digest.hexdigest()
