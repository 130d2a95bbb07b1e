"""`workstation demo`: venues, engine and sessions under one supervisor; nothing is left, and the runs verify."""

import os
import re
import shlex
import signal
import socket
from pathlib import Path

import pytest

from tests.cli.histories import refusal
from tests.cli.services import all_gone, lines_until, process_of
from workstation.cli.demo_replay import called_as
from workstation.cli.demonstration import lasting
from workstation.cli.strategy_options import command_line_of
from workstation.ledger.journal import read_runs

STARTED = "meanwhile"


def pids_in(printed: str) -> list[int]:
    """Of venues, engine and dashboard."""
    pids = [int(pid) for pid in re.findall(r"process (\d+)", printed)]
    assert len(pids) == 3
    return pids


@pytest.mark.slow
def test_it_shows_the_market_verifies_both_runs_and_goes_on_after_a_kill(home: Path) -> None:
    with process_of(home, ["demo"]) as process:
        pids = pids_in(lines_until(process, STARTED))
        process.kill()
        assert all_gone(pids)
    with process_of(home, ["demo", "--for", "9"]) as process:
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, err
    assert all_gone(pids_in(out))
    assert out.count("goes on from its journal") == 2
    assert re.search(r"\n  \d s: [\d,]+ rows, .*net edge", out)
    assert re.search(r"\n[\d,]+ rows received, 0 dropped, 0 rejected; ", out)
    assert out.count("all the same\n") == 2
    assert {run.run_id for run in read_runs(home / "demo" / "live" / "ledger.db")} == {
        f"{session}-1.{run}" for session in ("spread-reversion", "ma-cross") for run in (1, 2)
    }
    assert [path.name for path in home.iterdir()] == ["demo"]


@pytest.mark.slow
def test_a_second_demo_is_refused_and_ctrl_c_ends_the_first(home: Path) -> None:
    with process_of(home, ["demo", "--for", "600"]) as process:
        printed = lines_until(process, STARTED)
        pids = pids_in(printed)
        hint = shlex.split(printed.splitlines()[-1].partition("terminal: ")[2])
        name, _, value = hint[0].partition("=")
        assert (name, Path(hint[1]).name) == ("WORKSTATION_HOME", "workstation")
        with process_of(Path(value), [*hint[2:], "--count", "1"]) as other:
            shown, err = other.communicate(timeout=60)
        assert (other.returncode, err, shown.count("net edge")) == (0, "", 9)
        with process_of(home, ["demo"]) as second:
            _, err = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"demo: another one runs in {home / 'demo' / 'live'} (process {process.pid} " in err
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, "Traceback" in err, out.count("all the same\n")) == (0, False, 2)
        assert all_gone(pids)


@pytest.mark.slow
def test_a_death_ends_the_demo_and_is_told(home: Path) -> None:
    with process_of(home, ["demo", "--for", "600"]) as process:
        printed = lines_until(process, STARTED)
        venues, engine, dashboard = pids_in(printed)
        os.kill(engine, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "workstation: engine: ended by itself (by signal SIGKILL); it said: " in err
        assert all_gone([venues, engine, dashboard])


def test_without_a_terminal_it_says_how_long_it_lasts(capsys: pytest.CaptureFixture[str]) -> None:
    assert (lasting(None, is_watched=True), lasting(7.0, is_watched=False)) == (None, 7.0)
    assert capsys.readouterr().err == ""
    assert lasting(None, is_watched=False) == 20.0
    assert capsys.readouterr().err == "no terminal: ends after 20 s; --for N for longer\n"


def test_a_printed_command_names_the_program_that_another_terminal_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, others = tmp_path / "our env" / "workstation", tmp_path / "others" / "workstation"
    python = str(ours.with_name("python"))
    monkeypatch.setenv("PATH", str(others.parent))
    assert called_as(python) == "workstation"  # not installed beside Python: nothing better is known
    for program in (ours, others):
        program.parent.mkdir()
        program.touch(0o755)
    assert command_line_of("demo", program=called_as(python)) == f"'{ours}' demo"
    monkeypatch.setenv("PATH", str(ours.parent))
    assert called_as(python) == "workstation"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert called_as(python) == str(ours)


@pytest.mark.parametrize("option", ["--port", "--venue-port", "--dashboard-port"])
def test_a_port_in_use_is_a_sentence(home: Path, capsys: pytest.CaptureFixture[str], option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(capsys, "demo", option, port)
    assert said == f"{option} {port}: cannot be used (Address already in use): give another, or none for a free one\n"
