"""Files that are whole or not there: written under a temporary name, synced, renamed, by one writer per folder."""

import os
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import msgspec

from workstation.errors import OperatorError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TEMPORARY = ".tmp-"
"""Prefix of unfinished files: no reader opens them, and the folder's next writer deletes them."""
LOCK_NAME = ".lock"
OWNED_NAME = ".owned"
"""Locked by the one recorder too: others look at this one whether there is a recorder, and are in nobody's way."""
SYNCS_AT_A_TIME = 8
"""Of many files: while the disk brings one to safety it takes in the next ones."""


class HistoryCorrupt(OperatorError):
    """A stored file is missing, cut short or not what its name says: restore it, or import its source again."""


class Versioned(Protocol):
    """What a small JSON file holds: a msgspec.Struct that says in which version it was written."""

    @property
    def version(self) -> int: ...


Kept = TypeVar("Kept", bound=Versioned)


def read_versioned(path: Path, form: type[Kept], version: int, advice: str = "") -> Kept | None:
    """What the file holds; None where there is none. Raises HistoryCorrupt, naming the file, with the advice."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=form)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise HistoryCorrupt(f"{path}: {error}{f': {advice}' if advice else ''}") from error
    if kept.version != version:
        raise HistoryCorrupt(
            f"{path}: version {kept.version}: this package reads version {version}: open it with the version that "
            "wrote it"
        )
    return kept


def json_file(value: Versioned) -> bytes:
    """The content of such a file: JSON that a person can read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


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


def sync_all(paths: Iterable[Path]) -> None:
    """Returns when files and folders are on the disk, each path once. Raises OSError where one of them is not."""
    wanted = list(dict.fromkeys(paths))
    if len(wanted) <= 1:
        list(map(_sync, wanted))
        return
    with ThreadPoolExecutor(SYNCS_AT_A_TIME, thread_name_prefix="sync") as pool:
        list(pool.map(_sync, wanted))


def make_folder(folder: Path) -> None:
    """Creates `folder` and its parents so that they survive a loss of power."""
    make_folders([folder])


def make_folders(folders: Iterable[Path]) -> None:
    """As make_folder, of many folders at once."""
    sync_all(parent for folder in folders for parent in new_folder(folder))


def new_folder(folder: Path) -> list[Path]:
    """Creates `folder`; returns what is yet to be synced for it to survive a loss of power: nothing where it was."""
    missing = [] if folder.is_dir() else [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [path.parent for path in missing]


def rename_durably(renames: Mapping[Path, Path]) -> None:
    """Puts each synced file (temporary → target) in its place in one step; returns when all names are on the disk."""
    for temporary, target in renames.items():
        temporary.replace(target)
    sync_all(target.parent for target in renames.values())


def write_durably(target: Path, content: bytes) -> None:
    """`target` has its old content or `content`, whatever happens."""
    write_all_durably({target: content})


def write_all_durably(contents: Mapping[Path, bytes]) -> None:
    """Each file has its old content or its new one, whatever happens; all have the new one when this returns."""
    make_folders(target.parent for target in contents)
    renames = {temporary_path(target): target for target in contents}
    try:
        for temporary, target in renames.items():
            temporary.write_bytes(contents[target])
        sync_all(renames)
        rename_durably(renames)
    finally:
        for temporary in renames:
            temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    if path.is_dir():
        sync_folder(path)
    else:
        sync_file(path)


def remove_leftovers(folder: Path) -> int:
    """Deletes what killed writers left below `folder`; the caller holds the folder's lock. Returns how many."""
    leftovers = list(folder.rglob(f"{TEMPORARY}*"))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


class RecorderRunning(OperatorError):
    """Another process records into this history."""


class Ownership:
    """That this process alone records into a history, until it is closed or the process ends."""

    def __init__(self, *files: BinaryIO) -> None:
        self._files = files

    def close(self) -> None:
        for file in self._files:
            file.close()


def take_ownership(folder: Path) -> Ownership:
    """Makes this process the only recorder of `folder`. Raises RecorderRunning, naming the owner."""
    make_folder(folder)
    owner_path = folder / "recorder.pid"
    file = (folder / LOCK_NAME).open("ab")
    try:
        _lock(file, waits=False)
    except OSError as error:
        file.close()
        owner = owner_path.read_text("utf-8").strip() if owner_path.exists() else "that has not yet given its number"
        raise RecorderRunning(
            f"history {folder.parent}: process {owner} already records into it: stop that process first, or record "
            "into another folder"
        ) from error
    shown = (folder / OWNED_NAME).open("ab")
    _lock(shown, waits=True)  # for no longer than somebody takes to look
    with suppress(OSError):  # on a full disk the owner has no name, and owns all the same
        write_durably(owner_path, f"{os.getpid()}\n".encode())
    return Ownership(file, shown)


def is_owned(folder: Path) -> bool:
    """Whether a process that lives records into `folder`."""
    try:
        with (folder / OWNED_NAME).open("rb") as file:
            _lock(file, waits=False, shared=True)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _lock(file: BinaryIO, *, waits: bool, shared: bool = False) -> None:
    """Until the file is closed. Raises OSError where another has it and this one does not wait."""
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if waits else msvcrt.LK_NBLCK, 1)
    else:
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(file, how if waits else how | fcntl.LOCK_NB)


@contextmanager
def alone(folder: Path, lock_name: str) -> Iterator[bool]:
    """Whether nobody else is in a block of this lock; never waits. The lock dies with its process."""
    make_folder(folder)
    with (folder / lock_name).open("ab") as file:
        try:
            _lock(file, waits=False)
        except OSError:
            yield False
        else:
            yield True


@contextmanager
def one_writer(folder: Path, lock_name: str = LOCK_NAME) -> Iterator[None]:
    """Waits until no other process writes in `folder`; the lock dies with its process."""
    make_folder(folder)
    with (folder / lock_name).open("ab") as file:
        _lock(file, waits=True)
        yield  # closing the file releases the lock
