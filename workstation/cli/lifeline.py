"""A child process that ends when its parent does: however the parent ends, the pipe between them closes."""

import contextlib
import os
import signal
import sys
import threading
import time

PATIENCE_S = 20.0
"""For an orderly end, before there is none."""


def end_with_stdin() -> None:
    """From now on this process is told to end (SIGTERM) when its standard input closes."""
    threading.Thread(target=_watch, name="lifeline", daemon=True).start()


def _watch() -> None:
    with contextlib.suppress(OSError, ValueError):  # closed is closed
        while os.read(sys.stdin.fileno(), 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_S)
    os._exit(1)
