"""Opportunities that cannot be written: counted, said once, and in nobody's way."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.history.live import live_rows
from tests.history.series import an_instrument
from tests.history.test_pairs import an_opportunity
from workstation.history import log_file, unkept
from workstation.history.live_log import NoteKind, logs_in, read_log
from workstation.history.log_writer import LogWriter, WriterSettings
from workstation.history.opportunities import KeptOpportunity
from workstation.history.waiting import Waiting

PATIENT = WriterSettings(write_interval_s=0.005, retry_interval_s=1e6)
LONG = {"sold": ("nova", f"{'A' * 130}/USDT"), "bought": ("orion", f"{'B' * 130}/USDT")}


@pytest.fixture
def writer(tmp_path: Path) -> LogWriter:
    writer = LogWriter(tmp_path, settings=PATIENT)
    writer.declare(0, an_instrument())
    writer.sync()
    return writer


def kept_in(folder: Path) -> list[KeptOpportunity]:
    return [one for path in logs_in(folder) for one in read_log(path).opportunities]


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_file.LogFile, "_write", full)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"peak_bps": float("inf")}, "nova~orion:BTC/USDT: peak_bps inf: expected a finite number"),
        ({"left_bps": float("nan")}, "nova~orion:BTC/USDT: left_bps nan: expected a finite number"),
        (LONG, "over 200 characters together"),
        ({"bought": ("nova", "BTC/USDT")}, "both sides are the same instrument"),
    ],
)
def test_one_that_no_log_can_give_back_is_let_go_alone(
    writer: LogWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture, fields: dict[str, Any], why: str
) -> None:
    with caplog.at_level(logging.WARNING):
        for number, other in enumerate(({}, fields, fields, {"left_bps": None})):
            writer.keep(an_opportunity(number, **other))
        writer.close()
    assert kept_in(tmp_path) == [an_opportunity(0), an_opportunity(3, left_bps=None)]
    assert writer.state.opportunities_missed == 2 and writer.state.failure is None
    (said,) = caplog.messages
    assert said.startswith(f"live log {tmp_path}: opportunities are not recorded: ") and why in said


def test_a_disk_that_refuses_too_long_costs_the_oldest_and_they_are_counted(
    writer: LogWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unkept, "MOST_UNKEPT", 3)
    with monkeypatch.context() as patched:
        refuse(patched)
        for number in range(5):
            writer.keep(an_opportunity(number))
        writer.sync()
        assert writer.state.opportunities_missed == 2
    writer.close()
    assert kept_in(tmp_path) == [an_opportunity(number) for number in (2, 3, 4)]
    assert caplog.messages == [f"live log {tmp_path}: opportunities are not recorded: over 3 wait for the disk"]


def test_a_disk_that_takes_again_at_the_end_gets_what_waits_and_the_note_of_the_gap(
    writer: LogWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        refuse(patched)
        writer.append(live_rows(4))
        writer.keep(an_opportunity(1))
        writer.sync()
        assert writer.state.failure is not None
    writer.close()
    last = read_log(logs_in(tmp_path)[-1])
    assert [note.what for note in last.notes] == [NoteKind.GAP, NoteKind.STOPPED] and last.notes[0].rows == 4
    assert last.opportunities == (an_opportunity(1),)
    assert writer.state.failure is None and writer.state.opportunities_missed == 0


def test_what_waits_when_the_writer_ends_is_counted_and_so_is_what_comes_later(
    writer: LogWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(monkeypatch)
    writer.keep(an_opportunity(1))
    writer.keep(an_opportunity(2))
    writer.close()
    assert writer.state.opportunities_missed == 2
    assert writer.state.failure is not None and "No space left" in writer.state.failure
    assert caplog.messages == [
        f"live log {tmp_path}: opportunities are not recorded: 2 were not written when the writer ended"
    ]
    writer.keep(an_opportunity(3))
    writer.append(live_rows(5))
    assert (writer.state.opportunities_missed, writer.state.rows_missed) == (3, 5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_fell_is_left_nothing_more(writer: LogWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(log_file.LogFile, "keep", falls)
    writer.keep(an_opportunity(1))
    writer._thread.join()
    writer.keep(an_opportunity(2))
    assert writer.state.opportunities_missed == 2
    assert writer.state.failure is not None and "the writer ended" in writer.state.failure
    writer.close()


def test_nothing_is_left_for_who_has_ended() -> None:
    waiting: Waiting[str] = Waiting(72 * 10)
    assert waiting.say("a") and waiting.append(live_rows(2))
    assert [one for _, one in waiting.end().said] == ["a"]
    assert not waiting.say("b") and not waiting.append(live_rows(1))
    assert waiting.take().said == [] and waiting.since_s is None
