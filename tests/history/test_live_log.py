"""The log's format: what is before a damage stays readable, wherever and whatever the damage is."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.live import live_rows
from tests.history.series import BTC, an_instrument
from workstation.history.live_log import Declared, LogContents, Note, NoteKind, read_log
from workstation.history.log_file import LogFile

BLOCKS = [live_rows(3, 1), live_rows(1, 4), live_rows(40, 5), live_rows(2, 45)]
GAP = Note(what=NoteKind.GAP, at_ns=9, from_ns=5, to_ns=9, rows=4, why="full")


def write_log(folder: Path) -> tuple[Path, list[int]]:
    """A log of every kind of frame, and where each frame of rows ends."""
    log = LogFile(folder, 7, {0: an_instrument()}, [Note(what=NoteKind.STARTED, at_ns=1)])
    ends = []
    for number, block in enumerate(BLOCKS):
        log.append(block)
        ends.append(log.bytes)
        if number == 1:
            log.note(GAP)
            log.declare(Declared(number=1, instrument=an_instrument(BTC, tick_size="0.5")))
    log.close()
    return log.path, ends


@cache
def a_log() -> tuple[bytes, list[int]]:
    with TemporaryDirectory() as folder:
        path, ends = write_log(Path(folder))
        return path.read_bytes(), ends


def read_bytes(content: bytes) -> LogContents:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "7.log"
        path.write_bytes(content)
        return read_log(path)


def rows_before(offset: int, ends: list[int]) -> int:
    return sum(len(block) for block, end in zip(BLOCKS, ends, strict=True) if end <= offset)


def check_prefix(contents: LogContents, count: int) -> None:
    assert len(contents.rows) == count
    whole = b"".join(block.tobytes() for block in BLOCKS)
    assert contents.rows.tobytes() == whole[: count * contents.rows.itemsize]


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path, ends = write_log(tmp_path)
    contents = read_log(path)
    check_prefix(contents, 46)
    assert contents.damage is None and contents.valid_bytes == ends[-1] == path.stat().st_size
    assert [note.what for note in contents.notes] == [NoteKind.STARTED, NoteKind.GAP]
    assert contents.notes[1] == GAP
    assert contents.instruments[0] == an_instrument()
    assert str(contents.instruments[1].tick_size) == "0.5"


@settings(max_examples=150)
@given(st.data())
def test_a_changed_byte_ends_what_is_valid_at_its_frame(data: st.DataObject) -> None:
    content, ends = a_log()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= data.draw(st.integers(1, 255))
    contents = read_bytes(changed)
    assert contents.damage is not None
    assert contents.valid_bytes <= place
    check_prefix(contents, rows_before(place, ends))


@settings(max_examples=150)
@given(st.data())
def test_a_log_cut_anywhere_is_valid_up_to_its_last_whole_frame(data: st.DataObject) -> None:
    content, ends = a_log()
    place = data.draw(st.integers(0, len(content)))
    contents = read_bytes(content[:place])
    check_prefix(contents, rows_before(place, ends))
    assert contents.damage is None or contents.damage.is_torn
    assert (contents.damage is None) == (contents.valid_bytes == place and place > 0)


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind_behind_the_log_change_nothing(junk: bytes) -> None:
    content, ends = a_log()
    contents = read_bytes(content + junk)
    check_prefix(contents, 46)
    assert contents.valid_bytes == ends[-1]
    assert (contents.damage is None) == (not junk)


def test_a_frame_of_another_place_is_damage() -> None:
    """As a disk leaves it that lost one write of several: each frame's own bytes are whole."""
    content, ends = a_log()
    contents = read_bytes(content[: ends[0]] + content[ends[1] :])
    check_prefix(contents, 3)
    assert contents.damage is not None and "checksum" in contents.damage.reason


@pytest.mark.parametrize("content", [b"PAR1 is no log at all", bytes(64)])
def test_a_file_that_is_no_log_has_no_rows(content: bytes) -> None:
    contents = read_bytes(content)
    assert len(contents.rows) == 0 and contents.damage is not None and not contents.damage.is_torn
