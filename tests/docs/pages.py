"""A page as a reader follows it: its blocks of shell and Python in their order, in a folder and a home of their own.

A comment above a block says what is special about it:

    <!-- not run: REASON -->    one of REASONS
    <!-- goes on -->            a program that a reader leaves running in a terminal of its own
    <!-- exit code: 1 -->       it fails, and the page says so

A block ```output shows what the block before it prints; "..." in it is anything.
"""

import contextlib
import doctest
import io
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.running import until

ROOT = Path(__file__).resolve().parent.parent.parent
REASONS = (
    "needs the internet",
    "needs a browser",
    "needs a terminal",
    "needs another machine",
    "needs a venue with perpetuals",
    "changes the machine",
    "lasts",
)
FENCED = re.compile(r"(?:^<!-- (?P<mark>[^\n]+?) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.M | re.S)
PORTS = ("8400", "8790", "8791")
"""Those of the pages, each of which is another one here."""
READY = "Ctrl-C ends it"
PATIENCE_S = 300.0
"""Far above what anything here takes: the cores may be shared by many tests."""
LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    language: str
    body: str
    mark: str

    @property
    def is_run(self) -> bool:
        return self.language in ("sh", "python") and not self.mark.startswith("not run")

    @property
    def exit_code(self) -> int:
        return int(self.mark.partition("exit code: ")[2] or 0)


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    found = FENCED.finditer(text)
    return [Block(language=one["language"], body=one["body"], mark=one["mark"] or "") for one in found]


@dataclass
class Reader:
    """Does what the page says, in `folder`; what it printed last is in `printed`."""

    folder: Path
    ports: dict[str, str] = field(default_factory=lambda: {port: str(free_port()) for port in PORTS})
    printed: str = ""
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    def prepare(self) -> dict[str, str]:
        """The folder as a checkout, the command in it, and the environment of everything that is run."""
        commands = self.folder / "bin"
        commands.mkdir(parents=True)
        command = commands / "workstation"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m workstation "$@"\n')
        command.chmod(0o755)
        (commands / "python").symlink_to(sys.executable)
        (self.folder / "data").symlink_to(ROOT / "data")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKSTATION_")}
        caches = kept.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))  # compiled kernels are there
        return kept | {
            "PATH": f"{commands}:{kept['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": caches,
            "WORKSTATION_HOME": str(self.folder / "desk"),
            "WORKSTATION_API__PORT": self.ports["8790"],
            "COLUMNS": "200",
        }

    def read(self, block: Block) -> None:
        """Runs a block, or compares what the last one printed."""
        body = re.sub("|".join(self.ports), lambda port: self.ports[port[0]], block.body)
        if block.language == "output":
            assert doctest.OutputChecker().check_output(body, self.printed, LOOSE), f"printed:\n{self.printed}"
        elif not block.is_run:
            return
        elif block.language == "python":
            self._python(body)
        elif block.mark == "goes on":
            self._leave_running(body)
        else:
            self._shell(body, block.exit_code)

    def _python(self, body: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(body, "page", "exec"), self.names)
        self.printed = printed.getvalue()

    def _shell(self, body: str, exit_code: int) -> None:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", body], capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert ended.returncode == exit_code, f"{body}\n{ended.stdout}\n{ended.stderr}"
        self.printed = ended.stdout + (ended.stderr if exit_code else "")

    def _leave_running(self, body: str) -> None:
        said = self.folder / f"running-{len(self.running)}.log"
        with said.open("w") as out:
            process = subprocess.Popen(["bash", "-c", f"exec {body}"], stdout=out, stderr=out, text=True)
        self.running.append(process)
        until(lambda: READY in said.read_text() or process.poll() is not None, f"{READY!r} of {body}", PATIENCE_S)
        assert process.poll() is None, said.read_text()

    def end(self) -> None:
        """Ends every program that was left running, the last one first; each ends well."""
        codes = []
        for process in reversed(self.running):
            process.terminate()
            try:
                codes.append(process.wait(30))
            finally:
                process.kill()
        assert set(codes) <= {0, -signal.SIGTERM}, codes


@contextlib.contextmanager
def reader(folder: Path, monkeypatch: Any) -> Iterator[Reader]:
    """Somebody in a folder of his own, whose programs end when he leaves."""
    one = Reader(folder)
    for name, value in one.prepare().items():
        monkeypatch.setenv(name, value)
    for name in [name for name in os.environ if name.startswith("WORKSTATION_")]:
        if name not in ("WORKSTATION_HOME", "WORKSTATION_API__PORT"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    try:
        yield one
    finally:
        one.end()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
