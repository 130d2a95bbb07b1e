"""One process per ledger: an advisory lock on a file beside it, freed by the kernel when its holder dies."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from workstation.errors import LedgerInUse


def take_lock(path: Path) -> TextIO:
    """The open file `<path>.lock`, which holds the lock until it is closed. Raises LedgerInUse naming the holder."""
    file = path.with_name(f"{path.name}.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip() or "a process that has not yet given its name"
        file.close()
        raise LedgerInUse(f"ledger {path}: already open in {holder}; stop that process first") from error
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} on {os.uname().nodename}\n")
    file.flush()
    return file
