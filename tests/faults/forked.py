"""Processes forked from one that has imported everything: a start costs what the program does, not what Python loads.

All tests that fork share this server, so all say beforehand what it imports.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

PRELOADED = [
    "tests.faults.recorder_process",
    "tests.faults.desk_process",
    "tests.faults.paper_process",
    "tests.faults.warmed",
    *("pydantic.v1", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.websockets_sansio_impl"),
]
"""The last line: what others import only once a server is made."""


def forking() -> ForkServerContext:
    """Where these processes come from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def fork(target: Callable[..., None], *arguments: Any, log: Path) -> tuple[ForkServerProcess, Connection]:
    """A process that runs `target(*arguments, told)` and writes to `log`; it ends when this one does, however."""
    context = forking()
    told, tells = context.Pipe()
    process = context.Process(target=_logged, args=(target, arguments, tells, log), daemon=True)
    process.start()
    tells.close()
    return process, told


def _logged(target: Callable[..., None], arguments: tuple[Any, ...], told: Connection, log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, sys.stdout.fileno())
    os.dup2(file, sys.stderr.fileno())
    threading.Thread(target=_end_with, args=(told,), daemon=True).start()
    target(*arguments, told)


def _end_with(told: Connection) -> None:
    """The other end says nothing; it closes when the test's process is gone."""
    told.poll(None)
    os._exit(3)
