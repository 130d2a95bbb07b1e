"""`workstation session replay` and jobs in the other commands: each reaches the engine and is told in figures."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import engines
from tests.cli.histories import refusal, run
from tests.server.desk import DECLARED, Desk, a_job
from workstation.cli import session_replay
from workstation.client.declaration import SessionDeclaration
from workstation.client.jobs import JobDetail, JobState, ReplayJob

REPLAY = ("session", "replay", "ma-cross", "--venue", "nova", "--symbol", "BTC/USDT", "--interval", "1m")
RESULT: dict[str, Any] = {
    "currency": "USDT", "rows": 100, "refused": {"max_open_positions": 2}, "run": "mine.1", "halted": None,
    "ledger": "/home/jobs/replay-1/ledger.db",
    "figures": {"profit_quote": -12.5, "trades": 3, "max_drawdown": -0.0125, "sharpe_ratio": None},
}  # fmt: skip


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(session_replay, "LOOK_S", 0.0)
    desk = Desk()
    with engines.running(desk, home):
        yield desk


def seen(**fields: Any) -> JobDetail:
    """How a job looks while it is followed."""
    request = ReplayJob(session="mine", strategy="ma-cross", venues=("nova",), symbol="BTC/USDT", interval="1m")
    return a_job("replay-1", request, **fields)


DONE = seen(state=JobState.DONE, rows=100, rows_total=100, progress=1.0, ended_ns=10**18, result=RESULT)


def test_replay_declares_what_the_options_say_and_tells_the_figures(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.ends = [seen(rows=10, rows_total=100), DONE]
    options = ("--param", "fast=3", "--from", "2024-05-01", "--to", "2024-06-01", "--coins", "0.5", "--leverage", "2")
    limits = ("--max-positions", "none", "--fill-at", "this-close")
    assert run(*REPLAY, *options, *limits, "--session", "mine") == 0
    printed = capsys.readouterr()
    for line in ("profit", "-12.50 USDT", "max drawdown", "-1.25%", "trades", "2 by max_open_positions"):
        assert line in printed.out
    assert "workstation verify mine.1 --ledger /home/jobs/replay-1/ledger.db" in printed.err
    assert desk.acts == [("job", "replay-1", "command line")]


def test_the_request_has_every_option(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[ReplayJob] = []
    start = desk.start_job
    desk.start_job = lambda request, by: (asked.append(request), start(request, by))[1]  # type: ignore[method-assign]
    desk.ends = [DONE]
    run(*REPLAY, "--from", "2024-05-01", "--to", "2024-06-01", "--param", "fast=3", "--max-notional", "none")
    run(*REPLAY, "--with-trades", "--entry-timeout-ms", "500", "--slippage-bps", "2", "--balance", "5000.5")
    first, second = asked
    assert (first.start_ns, first.end_ns) == (1_714_521_600 * 10**9, 1_717_200_000 * 10**9)
    assert (first.session, first.parameters, first.limits.max_position_notional) == ("ma-cross-1", {"fast": 3}, "none")
    assert (second.with_trades, second.entry_timeout_ms, float(second.slippage_bps or 0)) == (True, 500, 2.0)
    assert (str(second.balance), second.session) == ("5000.5", "ma-cross-1")


def test_a_sessions_own_file_is_replayed(desk: Desk, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    declared = SessionDeclaration.model_validate(DECLARED)
    file = home / "mine.toml"
    file.write_text(
        f'session = "{declared.session}"\nmode = "paper"\nstrategy = "ma-cross"\nvenues = ["nova"]\n'
        'symbol = "BTC/USDT"\ninterval = "1m"\n[parameters]\nfast = 3\n'
    )
    desk.ends = [DONE]
    assert run("session", "replay", "--file", file, "--json") == 0
    assert json.loads(capsys.readouterr().out) == DONE.model_dump(mode="json")


def test_a_job_that_fails_ends_the_command_with_the_engines_sentence(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.ends = [seen(state=JobState.FAILED, reason="its process was ended by signal 9 (Killed)", ended_ns=1)]
    assert refusal(capsys, *REPLAY) == "job replay-1: failed: its process was ended by signal 9 (Killed)\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("session", "replay"), "strategy: not given; expected one, such as ma-cross, here or in the --file\n"),
        ((*REPLAY, "--from", "2024-06-01", "--to", "2024-05-01"), "span from 2024-06-01 to 2024-05-01: expected a"),
        ((*REPLAY, "--from", "soon"), "time 'soon': expected a date such as 2024-05-01"),
        ((*REPLAY, "--leverage", "0"), "leverage 0.0: input should be greater than 0\n"),
        ((*REPLAY, "--symbol", "GONE/USDT"), "bars nova:GONE/USDT 1m: not stored; no bars are stored\n"),
    ],
)
def test_what_cannot_be_replayed_names_the_field(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    assert refusal(capsys, *options).startswith(sentence)
    assert not desk.kept_jobs


def test_ctrl_c_leaves_the_job_to_the_engine(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session_replay.time, "sleep", interrupted)
    assert run(*REPLAY) == 130
    assert "job replay-1 goes on in the engine; `workstation session stop replay-1` ends it" in capsys.readouterr().err
    assert desk.kept_jobs["replay-1"].state is JobState.RUNNING


def test_jobs_are_listed_shown_and_stopped_beside_sessions(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("session", "list", "--mode", "replay") == 0
    assert capsys.readouterr().out == "no replay; `workstation session replay` …\n"
    desk.kept_jobs["replay-1"] = DONE
    assert run("session", "list", "--mode", "replay") == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["JOB", "STATE", "SESSION"]
    assert row.split() == [
        "replay-1",
        "done",
        "mine",
        "ma-cross",
        "nova:BTC/USDT",
        "100%",
        "-",
        "3",
        "-12.50",
        "-1.25%",
    ]
    assert run("session", "list", "--mode", "backtest", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run("session", "show", "replay-1") == 0
    assert "max drawdown" in capsys.readouterr().out
    desk.kept_jobs["replay-2"] = seen().model_copy(update={"job": "replay-2"})
    assert run("session", "stop", "replay-2") == 0
    assert capsys.readouterr().out == "job replay-2: cancelled (cancelled by command line)\n"


def test_a_session_comes_before_a_job_of_its_name(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    start = ("session", "start", "ma-cross", "--venue", "nova", "--symbol", "BTC/USDT", "--interval", "1m")
    assert run(*start, "--session", "replay-1") == 0
    desk.kept_jobs["replay-1"] = DONE
    assert run("session", "stop", "replay-1") == 0
    assert desk.acts[-1] == ("stop", "replay-1", "command line")
