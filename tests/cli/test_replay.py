"""The command `workstation replay`: a journaled session, its options over the settings, and clear refusals."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.histories import BTC, refusal, run, store_quotes
from workstation.cli.replaying import interrupted
from workstation.history.store import HistoryStore
from workstation.ledger.journal import Ledger, read_runs
from workstation.session.manifest import RunManifest, read_manifest

pytestmark = pytest.mark.usefixtures("history")
BARS = ("ma-cross", "--venue", "nova", "--symbol", BTC, "--interval", "1h", "--param", "fast=3", "--param", "slow=8")
QUICK = ("--param", "min_points=50", "--param", "window_minutes=5", "--param", "entry_z=4")
SPREAD = ("spread-reversion", "--venue", "nova", "--venue", "orion", "--symbol", BTC, *QUICK)


def last_manifest(home: Path) -> RunManifest:
    return read_manifest(read_runs(home / "ledger.db")[-1].manifest)


def content_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    """The JSON of a command that must succeed."""
    assert run(*arguments, "--json") == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def test_a_bar_session_is_journaled_and_says_how_to_verify_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", *BARS) == 0
    printed = capsys.readouterr()
    assert "run ma-cross-1.1" in printed.out
    assert "last 8 of " in printed.out and "ENTRY, BAR END (UTC)" in printed.out
    assert f"journaled in {home / 'ledger.db'}" in printed.err
    command = printed.err.splitlines()[-1].split()
    assert command == ["workstation", "verify", "ma-cross-1.1"]
    assert run(*command[1:]) == 0


def test_a_named_ledger_is_part_of_the_command_that_verifies(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", *BARS, "--ledger", home / "a folder" / "other.db") == 0
    words = f"workstation verify ma-cross-1.1 --ledger '{home / 'a folder' / 'other.db'}'"
    assert capsys.readouterr().err.splitlines()[-1].strip() == words
    assert not (home / "ledger.db").exists()


def test_json_is_all_that_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    content = content_of(capsys, "replay", *SPREAD)
    metrics, legs = content["metrics"], content["trades"]
    assert metrics["trades"] >= 1
    assert len({leg["group"] for leg in legs}) == metrics["trades"] + metrics["open_trades"]
    assert len(legs) == 2 * len({leg["group"] for leg in legs})


def test_the_figures_of_a_spread_count_groups_and_not_legs(capsys: pytest.CaptureFixture[str]) -> None:
    content = content_of(capsys, "replay", *SPREAD)
    results = dict[str, Decimal]()
    for leg in content["trades"]:
        results[leg["group"]] = results.get(leg["group"], Decimal(0)) + Decimal(leg["pnl_quote"] or "NaN")
    closed = [result for result in results.values() if result.is_finite()]
    gains, losses = sum(one for one in closed if one > 0), -sum(one for one in closed if one <= 0)
    metrics = content["metrics"]
    assert metrics["trades"] == len(closed) and metrics["open_trades"] == len(results) - len(closed)
    assert metrics["win_rate"] == sum(one > 0 for one in closed) / len(closed)
    assert metrics["profit_factor"] == (pytest.approx(float(gains / losses)) if losses else None)


def test_replay_and_back_test_trade_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    same = (*BARS, "--sizing", "equity-fraction=0.95", "--slippage-bps", "2")
    fast = content_of(capsys, "backtest", *same)["metrics"]
    walk = content_of(capsys, "replay", *same, "--no-limits")["metrics"]
    assert walk["trades"] == fast["trades"] > 10
    assert walk["final_equity_quote"] == pytest.approx(fast["final_equity_quote"], abs=0.01)


@pytest.mark.parametrize("delay_ms", [0, 1500])
def test_replay_and_back_test_of_one_span_trade_the_same_bars(
    home: Path, capsys: pytest.CaptureFixture[str], delay_ms: int
) -> None:
    (home / "workstation.toml").write_text(f"[market]\nassumed_delay_ms = {delay_ms}\n")
    same = (*BARS, "--sizing", "equity-fraction=0.95", "--from", "2024-05-03", "--to", "2024-05-11T07:00")
    fast = content_of(capsys, "backtest", *same)
    walk = content_of(capsys, "replay", *same, "--no-limits")
    assert walk["rows"] == fast["bars"] == 8 * 24 + 7
    assert walk["metrics"]["trades"] == fast["metrics"]["trades"] > 5
    assert walk["metrics"]["final_equity_quote"] == pytest.approx(fast["metrics"]["final_equity_quote"], abs=0.01)


def test_a_later_end_goes_on_where_venues_keep_different_clocks(
    home: Path, history: HistoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store_quotes(history, venues=("vega",), has_receipt=False)
    (home / "workstation.toml").write_text("[market]\nassumed_delay_ms = 4000\n")
    mixed = (*SPREAD[:3], "--venue", "vega", *SPREAD[5:])
    for end in ("2024-05-01T00:04:10.4", "2024-05-01T00:09:10.4", "2024-05-01T00:20:30"):
        assert run("replay", *mixed, "--session", "cut", "--to", end) == 0
    assert all(run("verify", f"cut.{number}") == 0 for number in (1, 2, 3))
    capsys.readouterr()
    both = content_of(capsys, "replay", *mixed, "--session", "cut")
    whole = content_of(capsys, "replay", *mixed, "--session", "whole")
    assert both["metrics"] == whole["metrics"]
    assert both["trades"] == whole["trades"] != []


def test_without_a_ledger_nothing_is_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(home.iterdir())
    assert run("replay", *SPREAD, "--no-ledger") == 0
    assert "journaled" not in capsys.readouterr().err
    assert sorted(home.iterdir()) == before


def test_each_replay_is_a_session_of_its_own(home: Path) -> None:
    assert run("replay", *SPREAD) == run("replay", *SPREAD) == 0
    names = [run.run_id for run in read_runs(home / "ledger.db")]
    assert names == ["spread-reversion-1.1", "spread-reversion-2.1"]


def test_a_known_session_goes_on_where_its_journal_ends(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", *SPREAD, "--session", "mine", "--to", "2024-05-01T00:10") == 0
    capsys.readouterr()
    assert run("replay", *SPREAD, "--session", "mine") == 0
    printed = capsys.readouterr()
    assert "session mine goes on after row " in printed.err
    assert "run mine.2" in printed.out
    assert run("verify", "mine.1") == run("verify", "mine.2") == 0
    capsys.readouterr()
    both = content_of(capsys, "replay", *SPREAD, "--session", "mine")
    whole = content_of(capsys, "replay", *SPREAD, "--session", "whole")
    assert both["metrics"] == whole["metrics"]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (("--param", "exit_z=1"), "parameter exit_z was 0.5 in run mine.1, now 1.0: give the same options"),
        (("--sizing", "fixed-notional=600"), "sizing was fixed-notional=500 in run mine.1, now fixed-notional=600"),
        (("--leverage", "2"), "leverage was 1 in run mine.1, now 2"),
        (("--slippage-bps", "2.5"), "slippage_bps was 0 in run mine.1, now 2.5"),
        (("--latency-ms", "5"), "latency_ms was 100 in run mine.1, now 5"),
        (("--max-quote-age-ms", "1500"), "max_quote_age_ms was 5000 in run mine.1, now 1500"),
        (("--max-positions", "2"), "max_open_positions was 5 in run mine.1, now 2"),
        (("--with-trades",), "not stored"),
        (("--from", "2024-05-01T00:01"), "start was the beginning in run mine.1, now 2024-05-01T00:01:00Z"),
        (("--no-limits",), "max_position_notional was 1000 in run mine.1, now none"),
    ],
)
def test_a_known_session_refuses_other_options(
    changed: tuple[str, ...], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("replay", *SPREAD, "--session", "mine") == 0
    capsys.readouterr()
    assert what in refusal(capsys, "replay", *SPREAD, "--session", "mine", *changed)


def test_limits_latency_and_delay_come_from_the_settings(home: Path) -> None:
    (home / "workstation.toml").write_text(
        "[paper]\nlatency_ms = 7\nslippage_bps = 1\n[market]\nassumed_delay_ms = 3\n"
        '[risk]\nmax_position_notional = "900"\nmax_open_positions = 2\nmax_quote_age_ms = 1500\n'
    )
    assert run("replay", *SPREAD) == 0
    manifest = last_manifest(home)
    limits = manifest.session.limits
    assert (str(limits.max_position_notional_quote), limits.max_open_positions) == ("900", 2)
    assert limits.max_quote_age_ns == 1_500_000_000
    assert (manifest.paper.latency_ns, manifest.paper.slippage_rate) == (7_000_000, 0.0001)
    assert manifest.assumed_delay_ns == 3_000_000


def test_options_stand_over_the_settings(home: Path) -> None:
    limits = ("--max-notional", "700.5", "--max-positions", "3", "--max-quote-age-ms", "250")
    assert run("replay", *SPREAD, *limits, "--latency-ms", "0", "--balance", "123.45") == 0
    manifest = last_manifest(home)
    taken = manifest.session.limits
    assert (str(taken.max_position_notional_quote), taken.max_open_positions) == ("700.5", 3)
    assert (taken.max_quote_age_ns, manifest.paper.latency_ns) == (250_000_000, 0)
    assert [(one.venue, str(one.amount)) for one in manifest.balances] == [("nova", "123.45"), ("orion", "123.45")]


def test_refused_entries_are_named_with_their_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", *BARS, "--sizing", "fixed-notional=5000") == 0
    said = capsys.readouterr().err
    assert " entries refused by max_position_notional_quote 1000, the last one at 4" in said
    assert "; --max-notional changes it" in said


def test_refused_entries_are_named_without_a_ledger_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replay", *BARS, "--sizing", "fixed-notional=5000", "--no-ledger", "--json") == 0
    printed = capsys.readouterr()
    content = json.loads(printed.out)
    assert content["refused_by_limit"] == {"max_position_notional_quote": content["refused"]}
    assert f"{content['refused']:,} entries refused by max_position_notional_quote 1000" in printed.err


def test_durable_decides_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    plain, durable = (content_of(capsys, "replay", *SPREAD, *more)["metrics"] for more in ((), ("--durable",)))
    assert plain == durable


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("spread-revers", *SPREAD[1:]), "did you mean 'spread-reversion'?"),
        ((*SPREAD, "--venue", "nova"), "spread-reversion: venues nova, orion, nova: expected two"),
        ((*SPREAD[:3], *SPREAD[5:]), "spread-reversion: venues nova: expected two"),
        ((*SPREAD[:3], *SPREAD[1:3], *SPREAD[5:]), "venue nova: named twice, expected each once"),
        ((*SPREAD, "--interval", "1h"), "interval and fill-at have no meaning: it trades on quotes"),
        ((*SPREAD, "--with-trades"), f"trades nova:{BTC}: not stored; no trades are stored"),
        ((*SPREAD, "--symbol", "ETH/USDT:USDT"), f"not stored; stored are: quotes nova:{BTC}, quotes orion:{BTC}"),
        ((*SPREAD, "--session", "../mine"), "session '../mine': expected 1 to 60 letters"),
        ((*SPREAD, "--no-limits", "--max-positions", "3"), "--no-limits: given together with a limit"),
        ((*SPREAD, "--max-positions", "-1"), "max_open_positions -1: expected 0 or more"),
        ((*SPREAD, "--latency-ms", "-1"), "latency_ms -1: expected a whole number from 0 to 86400000"),
        ((*SPREAD, "--latency-ms", "86400001"), "latency_ms 86400001: expected a whole number from 0 to 86400000"),
        ((*SPREAD, "--max-quote-age-ms", "-1"), "max_quote_age_ms -1: expected a whole number"),
        ((*SPREAD, "--ledger", ""), ": is a folder: expected the file that workstation replay journals in"),
        ((*SPREAD, "--no-ledger", "--ledger", "x.db"), "--no-ledger: given together with --ledger x.db"),
        ((*BARS, "--latency-ms", "5"), "latency and trades have no meaning"),
        ((*BARS, "--venue", "orion"), "ma-cross: venues nova, orion: expected one"),
        ((*BARS[:5], *BARS[7:]), "ma-cross: no interval: a bar strategy needs one"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence in refusal(capsys, "replay", *arguments, "--sizing", "fixed-notional=500")


def test_a_ledger_in_use_names_its_holder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.open(home / "ledger.db"):
        said = refusal(capsys, "replay", *SPREAD)
    assert "ledger.db: already open in process " in said
    assert said.endswith("; stop that process first, or name another file: --ledger FILE\n")


def test_what_is_no_ledger_is_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "notes.txt").write_text("dear diary, " * 100)
    said = refusal(capsys, "replay", *SPREAD, "--ledger", home / "notes.txt")
    assert "notes.txt: not readable as a ledger" in said
    assert (home / "notes.txt").read_text() == "dear diary, " * 100


def test_an_unwritable_place_is_a_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "file").write_text("")
    said = refusal(capsys, "replay", *SPREAD, "--ledger", home / "file" / "ledger.db")
    assert said.startswith(f"ledger {home / 'file' / 'ledger.db'}: cannot be written there: ")


def test_an_interrupted_command_tells_how_to_go_on() -> None:
    assert "the same options and --session mine go on from there" in interrupted("mine", Path("ledger.db"))
    assert "nothing was journaled" in interrupted("mine", None)
