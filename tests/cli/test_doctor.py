"""`workstation doctor`: a line for each thing, exit code 1 if one fails, and what to do about it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.engines import running
from tests.cli.histories import BTC, run
from tests.server.desk import Desk
from workstation.history.store import HistoryStore


def verdicts(capsys: pytest.CaptureFixture[str], code: int, *options: object) -> dict[str, tuple[str, str]]:
    """What a doctor that exits with `code` says of each subject, the last of several."""
    assert run("doctor", "--json", *options) == code
    found = json.loads(capsys.readouterr().out)
    return {one["subject"]: (one["verdict"], f"{one['found']}; {one['remedy']}") for one in found}


def test_a_fresh_home_is_well(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = verdicts(capsys, 0)
    assert {verdict for verdict, _ in found.values()} <= {"ok", "warn"}
    assert "`workstation engine` starts one" in found["engine"][1] and "no " in found["ledger"][1]
    assert run("doctor") == 0
    assert capsys.readouterr().out.splitlines()[0].startswith("python        ok    3.")


def test_a_broken_setting_fails_with_its_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "workstation.toml").write_text("[api]\nport = 0\n")
    verdict, said = verdicts(capsys, 1)["settings"]
    assert verdict == "fail" and "workstation.toml:2: api.port = 0" in said


def test_a_changed_fact_fails_the_ledger(home: Path, history: HistoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", "ma-cross", "--venue", "nova", "--symbol", BTC, "--interval", "1h", "--session", "x") == 0
    capsys.readouterr()
    assert "the chain of x, " in verdicts(capsys, 0)["ledger"][1]
    with closing(sqlite3.connect(home / "ledger.db")) as connection:
        connection.execute("DROP TRIGGER IF EXISTS journal_is_append_only")
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE journal SET sequence = sequence + 1 WHERE position = 4")
        connection.commit()
    verdict, said = verdicts(capsys, 1)["ledger"]
    assert verdict == "fail" and "position 4" in said and "restore" in said


def test_an_engine_that_runs_is_asked_how_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk()
    desk.problems = ("feed nova: broken: refused",)
    with running(desk, home):
        assert run("doctor") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("engine", "clock"))]
    assert lines[0].startswith("engine        ok    up at http://127.0.0.1:") and "nova live" in lines[0]
    assert lines[1] == "engine        warn  feed nova: broken: refused; see its log"
    assert lines[2].startswith("clock         ok ")


def test_an_unwritable_home_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "file").write_text("")
    monkeypatch.setenv("WORKSTATION_HOME", str(home / "file"))
    verdict, said = verdicts(capsys, 1)["home"]
    assert verdict == "fail" and "set WORKSTATION_HOME" in said


def test_venues_that_cannot_be_reached_fail_only_when_they_are_asked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "workstation.toml").write_text('[venues.nova]\nexchange = "binance"\nurl = "http://127.0.0.1:1/nova"\n')
    assert verdicts(capsys, 0)["venues"][0] == "ok"
    verdict, said = verdicts(capsys, 1, "--venues")["nova"]
    assert verdict == "fail" and "start the simulated exchange" in said
