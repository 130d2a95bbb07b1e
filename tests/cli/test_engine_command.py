"""`workstation engine`: a line for each thing that runs, an end by Ctrl-C, and a sentence where it cannot start."""

import re
import signal
from pathlib import Path

import pytest

from tests.cli.histories import refusal
from tests.cli.services import lines_until, process_of

UNREACHABLE = '[venues.nova]\nexchange = "binance"\nurl = "http://127.0.0.1:1/nova"\n'


@pytest.mark.slow
def test_it_says_what_runs_answers_other_commands_and_ends_by_ctrl_c(home: Path) -> None:
    (home / "workstation.toml").write_text(UNREACHABLE)
    with process_of(home, ["engine", "--port", "0"]) as process:
        told = lines_until(process, "Ctrl-C ends it")
        assert re.search(r"^API +http://127\.0\.0\.1:\d+\ndocs +http\S+/docs\ntoken +\S+/api_token\n", told)
        assert "venue      nova (binance): connecting\n" in told
        assert f"recorder   {home / 'history'}\nledger     {home / 'ledger.db'}\nsession    none; " in told
        with process_of(home, ["engine"]) as second:
            _, err = second.communicate(timeout=60)
        assert second.returncode == 1 and "workstation: ledger " in err and "stop that process first" in err
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, "Traceback" in err) == (0, False)
        assert out == "engine: stopped; sessions that were running go on at the next start\n"


def test_without_venues_it_says_how_to_name_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, "engine")
    assert "no venues; add a table such as [venues.binance]" in said and "`workstation demo`" in said


def test_another_machines_address_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "workstation.toml").write_text(UNREACHABLE)
    assert "expected an address of this machine alone" in refusal(capsys, "engine", "--host", "0.0.0.0")
