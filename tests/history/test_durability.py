"""A writer killed at any moment leaves what was there, and the next one tidies up."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.history.series import BTC, DAY_START_NS, QUOTES, a_source, an_instrument, quotes_at, segment_files
from workstation.history import durable, segment_writing
from workstation.history.durable import HistoryCorrupt, write_durably
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from tests.history.series import DAY_START_NS, QUOTES, a_source, quotes_at
from workstation.history import durable
from workstation.history.store import HistoryStore

calls = 0

def counted(function):
    def call(*arguments):
        global calls
        calls += 1
        if calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call

os.fsync, os.replace = counted(os.fsync), counted(os.replace)
store = HistoryStore(Path(sys.argv[1]))
store.write(QUOTES, quotes_at(DAY_START_NS + 86_400_000_000_000 + np.arange(1000)), a_source("second"))
"""


MOMENTS = ("new folder", "file", "rename", "its folder", "manifest", "its rename", "the folder again")
"""A write of one partition touches the disk in these steps; the writer is killed just before one of them."""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_writer_leaves_readers_what_was_there(tmp_path: Path, moment: str) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at(DAY_START_NS + np.arange(1_000)), a_source("first"))
    number = MOMENTS.index(moment) + 1
    killed = subprocess.run([sys.executable, "-c", WRITER, str(tmp_path), str(number)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    expected = 2_000 if moment == MOMENTS[-1] else 1_000
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == expected
    store.write(QUOTES, quotes_at(DAY_START_NS + 86_400_000_000_000 + np.arange(1_000)), a_source("second"))
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 2_000
    if expected == 1_000:  # else the source was known, and nothing was to be written or tidied up
        assert not list(tmp_path.rglob(f"{durable.TEMPORARY}*"))


def test_a_failed_write_leaves_the_old_content_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "manifest.json"
    write_durably(target, b"old")

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        write_durably(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_a_disk_that_gives_back_something_else_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = HistoryStore(tmp_path)
    read = segment_writing.pq.ParquetFile.read
    monkeypatch.setattr(segment_writing.pq.ParquetFile, "read", lambda file: read(file).slice(1))
    with pytest.raises(HistoryCorrupt, match="read back as something else"):
        store.write(QUOTES, quotes_at([DAY_START_NS, DAY_START_NS + 1]), a_source())
    assert segment_files(store, QUOTES) == []
    assert store.datasets() == []


def test_a_file_without_a_place_in_the_manifest_is_not_read(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.write(QUOTES, quotes_at([DAY_START_NS]), a_source())
    (path,) = segment_files(store, QUOTES)
    (path.parent / "stray.parquet").write_bytes(path.read_bytes())
    (path.parent / f"{durable.TEMPORARY}half").write_bytes(b"PAR1")
    assert len(store.rows(BTC, HistoryKind.QUOTES, 0)) == 1
    store.write(QUOTES, quotes_at([DAY_START_NS + 1]), a_source("next"))
    assert not (path.parent / f"{durable.TEMPORARY}half").exists()


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tests.history.series import DAY_START_NS, QUOTES, a_source, quotes_at
from workstation.history.store import HistoryStore
for n in range(10):
    name = f"{sys.argv[2]}-{n}"
    table = quotes_at([DAY_START_NS + 100 * int(sys.argv[2]) + n])
    HistoryStore(Path(sys.argv[1])).write(QUOTES, table, a_source(name))
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(n)], cwd=ROOT) for n in (1, 2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(HistoryStore(tmp_path).rows(BTC, HistoryKind.QUOTES, 0)) == 20


def test_what_a_killed_writer_of_rules_left_goes_with_the_next_rules(tmp_path: Path) -> None:
    store = HistoryStore(tmp_path)
    store.put_instrument(an_instrument())
    (folder,) = (tmp_path / "instruments").iterdir()
    left = durable.temporary_path(folder / "ETH%2FUSDT.json")
    left.write_text("half")
    store.put_instrument(an_instrument())
    assert not left.exists() and store.instrument(BTC) == an_instrument()
