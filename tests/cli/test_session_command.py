"""`workstation session`: each act reaches the engine, and what cannot be is said in a sentence."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.engines import running
from tests.cli.histories import BTC, refusal, run
from tests.server.desk import Desk
from workstation.history.store import HistoryStore

START = ("session", "start", "ma-cross", "--venue", "nova", "--symbol", "BTC/USDT", "--interval", "1m")


@pytest.fixture
def desk(home: Path) -> Iterator[Desk]:
    desk = Desk()
    with running(desk, home):
        yield desk


def test_start_declares_what_the_options_say(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--param", "fast=3", "--param", "side=long", "--sizing", "fixed-notional=100", "--balance", "5000.5")
    assert run(*START, *options, "--session", "mine") == 0
    assert capsys.readouterr().out == "session mine: running, run mine.1\n"
    kept = desk.kept["mine"]
    assert (kept.parameters, kept.sizing, str(kept.opening_equity), kept.interval) == (
        {"fast": 3, "side": "long"},
        "fixed-notional=100",
        "5000.5",
        "1m",
    )
    assert desk.acts == [("start", "mine", "command line")]


def test_names_that_are_not_given_are_counted(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert [run(*START), run(*START)] == [0, 0]
    assert list(desk.kept) == ["ma-cross-1", "ma-cross-2"]


def test_a_name_of_a_run_in_the_ledger_is_taken(
    desk: Desk, home: Path, history: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("replay", "ma-cross", "--venue", "nova", "--symbol", BTC, "--interval", "1h") == 0
    assert run(*START) == 0
    assert list(desk.kept) == ["ma-cross-2"]


def test_a_file_declares_and_options_go_over_it(desk: Desk, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "mine.toml"
    file.write_text(
        'session = "mine"\nstrategy = "ma-cross"\nvenues = ["nova"]\nsymbol = "BTC/USDT"\ninterval = "1m"\n'
        "[parameters]\nfast = 3\nslow = 9\n"
    )
    assert run("session", "start", "--file", file, "--param", "fast=4", "--interval", "5m") == 0
    assert (desk.kept["mine"].parameters, desk.kept["mine"].interval) == ({"fast": 4, "slow": 9}, "5m")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("session", "start"), "strategy: not given; expected one, such as ma-cross, here or in the --file\n"),
        (("session", "start", "ma-cross"), "venues: not given; expected one, such as --venue nova"),
        ((*START, "--param", "fast=x"), "strategy ma-cross: fast 'x': expected a whole number\n"),
        ((*START, "--leverage", "0"), "leverage 0.0: input should be greater than 0\n"),
        ((*START, "--max-positions", "x"), "limits.max_open_positions 'x': expected a whole number, or none\n"),
        ((*START, "--session", "a/b"), "session 'a/b': string should match pattern"),
        ((*START, "--file", "absent.toml"), "absent.toml: cannot be read"),
    ],
)
def test_what_cannot_be_started_names_the_field(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    assert refusal(capsys, *options).startswith(sentence)
    assert not desk.kept


def test_list_and_show_have_the_same_figures_as_json(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run(*START, "--session", "one")
    capsys.readouterr()
    assert [run("session", "list"), run("session", "show", "one")] == [0, 0]
    printed = capsys.readouterr().out
    assert "one      running  ma-cross  nova:BTC/USDT" in printed and "nova   BTC/USDT     -0.10" in printed
    assert run("session", "list", "--json") == 0
    assert [one["session"] for one in json.loads(capsys.readouterr().out)] == ["one"]
    assert run("session", "show", "one", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["session"], shown["positions"][0]["quantity"]) == ("one", "-0.10")
    assert [order["status"] for order in shown["open_orders"]] == ["open"]


def test_pause_resume_and_stop_reach_the_engine(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run(*START, "--session", "one")
    capsys.readouterr()
    assert run("session", "pause", "one", "--reason", "lunch") == 0
    assert capsys.readouterr().out == "session one: paused (lunch)\n"
    assert [run("session", "resume", "one"), run("session", "stop", "one", "--flatten", "--json")] == [0, 0]
    assert [act[0] for act in desk.acts] == ["start", "pause", "resume", "flatten"]


@pytest.mark.parametrize("act", ["show", "pause", "resume", "stop"])
def test_an_unknown_session_is_answered_with_the_nearest(
    desk: Desk, capsys: pytest.CaptureFixture[str], act: str
) -> None:
    run(*START, "--session", "morning")
    capsys.readouterr()
    wanted = "session mornin: there is none of that name; did you mean morning?\n"
    assert refusal(capsys, "session", act, "mornin") == wanted


@pytest.mark.parametrize("command", [("session", "list"), ("session", "show", "x"), ("spreads", "top")])
def test_without_an_engine_the_sentence_has_the_command_that_starts_one(
    home: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    said = refusal(capsys, *command)
    assert said.startswith("no engine has run in ") and said.endswith("; `workstation engine` starts one\n")
    (home / "api_token").write_text("t" * 43)
    (home / "workstation.toml").write_text("[api]\nport = 1\n")
    said = refusal(capsys, *command)
    assert said.startswith("no engine answers at http://127.0.0.1:1") and "`workstation engine` starts one" in said


def test_verify_takes_a_run_or_all_runs_of_a_session(
    home: Path, history: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    for end in ("2024-05-05", "2024-05-09"):
        span = ("--to", end, "--session", "x")
        assert run("replay", "ma-cross", "--venue", "nova", "--symbol", BTC, "--interval", "1h", *span) == 0
    capsys.readouterr()
    assert run("session", "verify", "x.1") == 0
    assert capsys.readouterr().out.count("all the same") == 1
    assert run("session", "verify", "x", "--json") == 0
    assert [(one["run_id"], one["is_same"]) for one in json.loads(capsys.readouterr().out)] == [
        ("x.1", True),
        ("x.2", True),
    ]
    said = refusal(capsys, "session", "verify", "x.3")
    assert said.startswith("session x.3: there is none of that name; did you mean x.")
