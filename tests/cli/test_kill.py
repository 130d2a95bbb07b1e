"""`workstation kill`: the flag is written whatever is dead; what answers is asked to cancel."""

import asyncio
import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.engines import running
from tests.cli.histories import refusal, run
from tests.cli.services import ROOT, environment
from tests.server.desk import DECLARED, Desk
from workstation.client.declaration import SessionDeclaration
from workstation.engine.kill_flag import Kill, KillFlag
from workstation.model.ids import SessionId


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    desk = Desk()
    asyncio.run(desk.start_session(SessionDeclaration.model_validate(DECLARED), "x"))
    desk.acts.clear()
    with running(desk, home):
        yield desk


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_with_nothing_alive_the_flag_is_written_and_lifted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("kill", "--reason", "odd") == 0
    assert out(capsys).startswith(
        "kill switch: on for every session; no engine was asked to cancel what waits (no engi"
    )
    (kill,) = KillFlag(home).kills()
    assert (kill.session, kill.by, kill.reason, kill.flatten) == (None, "command line", "odd", False)
    assert run("kill", "--show") == 0
    assert out(capsys) == "kill switch: on for every session, by command line: odd\n"
    assert run("kill", "--reset", "--confirm", "reset") == 0
    assert out(capsys) == "kill switch: lifted for every session\n"
    assert run("kill", "--reset", "--confirm", "reset") == 0
    assert out(capsys) == "kill switch: was not on for every session\n"
    assert KillFlag(home).kills() == []


def test_it_loads_nothing_that_may_be_broken(home: Path) -> None:
    code = (
        "import contextlib, sys\nfrom workstation.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['kill'])\n"
        "print(sorted({'numba', 'sqlalchemy', 'duckdb', 'pandas', 'panel', 'ccxt', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(home), cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert KillFlag(home).kills()


def test_settings_that_are_wrong_do_not_keep_it_from_working(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "workstation.toml").write_text("[paper]\nlatency_ms = -5\n")
    assert run("kill") == 0
    assert "latency_ms" in out(capsys) and KillFlag(home).kills()


def test_a_home_that_only_the_file_names_is_found(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WORKSTATION_HOME")
    file = tmp_path / "mine.toml"
    file.write_text(f'[paths]\nhome = "{tmp_path / "there"}"\n[nonsense]\nx = 1\n')
    assert run("kill", "--config", file) == 0
    assert KillFlag(tmp_path / "there").kills()
    file.write_text("not toml [")
    capsys.readouterr()
    assert "WORKSTATION_HOME=… names the home without the settings" in refusal(capsys, "kill", "--config", file)


def test_an_engine_is_asked_and_watched_until_nothing_waits(desk: Desk, home: Path, capsys) -> None:
    assert run("kill", "--session", "one", "--flatten", "--reason", "odd") == 0
    assert out(capsys) == "kill switch: on for session one; no entry waits, 1 open being closed\n"
    assert desk.acts == [("kill", "one", "command line")]
    assert desk.kills["one"].flatten and desk.kills["one"].reason == "odd"
    assert run("kill") == 0
    assert out(capsys).endswith("no entry waits, 1 open left to its stops and targets\n")
    assert run("kill", "--reset", "--confirm", "reset") == 0
    assert desk.acts[-1] == ("lift", "all", "command line")


def test_a_slip_in_a_session_s_name_is_told_and_leaves_no_flag(desk: Desk, home: Path, capsys) -> None:
    assert "did you mean one?" in refusal(capsys, "kill", "--session", "onee")
    assert KillFlag(home).kills() == []


def test_the_word_must_be_typed(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    KillFlag(home).switch_on(Kill(by="x", since_ns=1))
    assert "expected the word reset" in refusal(capsys, "kill", "--reset", "--confirm", "yes")
    monkeypatch.setattr("typer.prompt", lambda text: "no")
    assert "expected the word reset" in refusal(capsys, "kill", "--reset")
    assert KillFlag(home).kills()
    monkeypatch.setattr("typer.prompt", lambda text: "reset")
    assert run("kill", "--reset") == 0 and KillFlag(home).kills() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--session", "../x"),
        ("--session", ""),
        ("--confirm", "reset"),
        ("--reset", "--flatten"),
        ("--reason", "x" * 201),
    ],
)
def test_what_cannot_be_is_refused_and_writes_nothing(home: Path, capsys, arguments: tuple[str, ...]) -> None:
    assert run("kill", *arguments) in (1, 2)
    assert KillFlag(home).kills() == []


def test_a_disk_that_refuses_is_an_error_after_the_engine_was_asked(desk: Desk, home: Path, capsys) -> None:
    (home / "kill").write_text("no folder")
    assert "is not on across a restart" in refusal(capsys, "kill")
    assert desk.acts == [("kill", "all", "command line")]


def test_json_tells_every_scope(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("kill", "--session", "two", "--json") == 0
    told = json.loads(out(capsys))
    assert told["is_on"] and [one["session"] for one in told["scopes"]] == ["two"]
    assert KillFlag(home).kill_of(SessionId("two")) is not None
    assert stat.S_ISREG((home / "kill" / "session-two.json").stat().st_mode)
