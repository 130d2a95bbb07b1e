"""Files that are whole or not there: written under a temporary name, synced, renamed, by one writer per folder."""

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from workstation.errors import OperatorError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TEMPORARY = ".tmp-"
"""Prefix of unfinished files: no reader opens them, and the folder's next writer deletes them."""
LOCK_NAME = ".lock"


class HistoryCorrupt(OperatorError):
    """A stored file is missing, cut short or not what its name says: restore it, or import its source again."""


def temporary_path(target: Path) -> Path:
    """A fresh name in the folder of `target`, so that renaming never crosses file systems."""
    return target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}-{target.name}")


def sync_file(path: Path) -> None:
    """Returns when the content of `path` is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Returns when the names in `folder` are on the disk; Windows does that by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Creates `folder` and its parents so that they survive a loss of power."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in reversed(missing):
        sync_folder(path.parent)


def rename_durably(temporary: Path, target: Path) -> None:
    """Puts a synced file in the place of `target`, in one step."""
    temporary.replace(target)
    sync_folder(target.parent)


def write_durably(target: Path, content: bytes) -> None:
    """`target` has its old content or `content`, whatever happens."""
    make_folder(target.parent)
    temporary = temporary_path(target)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rename_durably(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> int:
    """Deletes what killed writers left below `folder`; the caller holds the folder's lock. Returns how many."""
    leftovers = list(folder.rglob(f"{TEMPORARY}*"))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


class RecorderRunning(OperatorError):
    """Another process records into this history."""


def owner_lock(folder: Path) -> BinaryIO:
    """The open file that makes this process the only recorder of `folder` until it is closed, or the process ends.

    Raises RecorderRunning, naming the owner.
    """
    make_folder(folder)
    owner_path = folder / "recorder.pid"
    file = (folder / LOCK_NAME).open("ab")
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        owner = owner_path.read_text("utf-8").strip() if owner_path.exists() else "that has not yet given its number"
        raise RecorderRunning(
            f"history {folder.parent}: process {owner} already records into it: stop that process first, or record "
            "into another folder"
        ) from error
    with suppress(OSError):  # on a full disk the owner has no name, and owns all the same
        write_durably(owner_path, f"{os.getpid()}\n".encode())
    return file


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Waits until no other process writes in `folder`; the lock dies with its process."""
    make_folder(folder)
    with (folder / LOCK_NAME).open("ab") as file:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file releases the lock
