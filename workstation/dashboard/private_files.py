"""Files that their owner alone may read: written whole under mode 0600, refused where others could read them."""

import os
from pathlib import Path

from workstation.errors import AccessRefused
from workstation.history.durable import make_folder, rename_durably, temporary_path

OWNER_ONLY = 0o600
OF_OTHERS = 0o077


def write_private(target: Path, content: bytes) -> None:
    """`target` has its old content or `content`, whatever happens, and at no moment a reader besides its owner."""
    make_folder(target.parent)
    temporary = temporary_path(target)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rename_durably({temporary: target})
    finally:
        temporary.unlink(missing_ok=True)


def read_private(file: Path) -> bytes:
    """Its content. Raises FileNotFoundError, and AccessRefused where others can read or write it, or we cannot."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o777
            content = opened.read()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AccessRefused(f"{file}: cannot be read: {error.strerror}; run as the user who owns it") from error
    if os.name == "posix" and mode & OF_OTHERS:
        raise AccessRefused(f"{file}: mode {mode:o} lets others at it; expected 600: chmod 600 {file}")
    return content
