"""Jobs by kind: what is refused before anything starts, and the same figures as without a job."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.histories import BTC, SPOT, START_NS, store_bars, store_quotes, store_spot_bars
from workstation.client.jobs import BacktestJob, JobKind, ReplayJob
from workstation.config.settings import Paths, Settings
from workstation.errors import BadInput, HistoryMissing, WorkstationError
from workstation.history.store import HistoryStore
from workstation.ledger.journal import read_facts
from workstation.model.durations import HOUR_NS
from workstation.model.events import BalanceSet
from workstation.model.ids import RunId, SessionId
from workstation.research import notebook
from workstation.research.jobs import KINDS, check_job, run_job
from workstation.research.verify import verify

TICKS: dict[str, Any] = {
    "session": "one",
    "strategy": "spread-reversion",
    "venues": ("nova", "orion"),
    "symbol": BTC,
}
BARS: dict[str, Any] = {
    "session": "one",
    "strategy": "ma-cross",
    "venues": ("nova",),
    "symbol": BTC,
    "interval": "1h",
}
FAST: dict[str, Any] = {
    "strategy": "ma-cross",
    "venue": "nova",
    "symbol": BTC,
    "interval": "1h",
}


@pytest.fixture
def settings(home: Path) -> Settings:
    store = HistoryStore(home / "history")
    store_bars(store)
    store_quotes(store)
    store_spot_bars(store)
    return Settings(paths=Paths(home=home))


def test_a_replay_as_a_job_is_the_replay_and_its_run_verifies(settings: Settings, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    job = ReplayJob(**TICKS, start_ns=START_NS, end_ns=START_NS + HOUR_NS // 4)
    check_job(job, settings)
    result = run_job(job, settings, tmp_path, lambda rows, total: told.append((rows, total)))
    alone = notebook.replay(
        "spread-reversion", venue=("nova", "orion"), symbol=BTC, start=job.start_ns, end=job.end_ns, settings=settings
    )
    assert {name: result.figures[name] for name in ("trades", "final_equity_quote", "fees_quote")} == {
        name: alone.metrics[name] for name in ("trades", "final_equity_quote", "fees_quote")
    }
    assert result.figures["trades"] and result.figures["sharpe_ratio"] is None
    assert result.figures["profit_quote"] == pytest.approx(alone.metrics["final_equity_quote"] - 20_000)
    assert (result.rows, told[-1]) == (alone.rows, (alone.rows, alone.rows))
    assert (result.run, result.ledger) == ("one.1", str(tmp_path / "ledger.db"))
    assert verify(tmp_path / "ledger.db", RunId("one.1")).decisions


def test_a_back_test_as_a_job_is_the_back_test(settings: Settings, tmp_path: Path) -> None:
    job = BacktestJob(**FAST, parameters={"fast": 5}, balance=Decimal(5_000))
    check_job(job, settings)
    result = run_job(job, settings, tmp_path, lambda rows, total: None)
    alone = notebook.backtest("ma-cross", venue="nova", symbol=BTC, interval="1h", balance=5_000, fast=5)
    assert result.figures["final_equity_quote"] == alone.metrics["final_equity_quote"]
    assert (result.rows, result.run, result.ledger) == (400, None, None)


def test_coins_and_limits_of_a_declaration_hold_in_its_replay(settings: Settings, tmp_path: Path) -> None:
    declared = BARS | {"symbol": SPOT, "parameters": {"side": "long"}, "coins": "0.5"}
    job = ReplayJob.model_validate(declared | {"limits": {"max_position_notional": "1"}})
    result = run_job(job, settings, tmp_path, lambda rows, total: None)
    facts = read_facts(tmp_path / "ledger.db", SessionId("one"))
    opened = {fact.event.currency: fact.event.amount for fact in facts if isinstance(fact.event, BalanceSet)}
    assert opened == {"USDT": Decimal(10_000), "BTC": Decimal("0.5")}
    assert result.refused["max_position_notional_quote"] > 0


@pytest.mark.parametrize(
    ("job", "error", "sentence"),
    [
        (ReplayJob(**TICKS | {"symbol": "XRP/USDT"}), HistoryMissing, "quotes nova:XRP/USDT: not stored; stored are"),
        (ReplayJob(**TICKS, end_ns=START_NS - 1), HistoryMissing, "quotes nova:BTC/USDT:USDT: "),
        (ReplayJob(**TICKS, with_trades=True), HistoryMissing, "trades nova:BTC/USDT:USDT: not stored"),
        (ReplayJob(**TICKS | {"venues": ("nova",)}), BadInput, "spread-reversion: venues nova: expected two"),
        (ReplayJob(**TICKS | {"strategy": "no-such"}), BadInput, "strategy 'no-such': "),
        (ReplayJob(**BARS, parameters={"fast": -1}), BadInput, "strategy ma-cross: Integer parameter"),
        (ReplayJob(**BARS, latency_ms=5), BadInput, "ma-cross: latency and trades have no meaning"),
        (ReplayJob(**BARS, sizing="all"), BadInput, "sizing 'all': expected MODE=NUMBER"),
        (BacktestJob(**FAST | {"interval": "1m"}), HistoryMissing, "bars nova:BTC/USDT:USDT 1m: not stored"),
        (BacktestJob(**FAST | {"strategy": "spread-reversion"}), BadInput, "spread-reversion: trades on quotes"),
        (BacktestJob(**FAST, sizing="all"), BadInput, "sizing 'all': expected MODE=NUMBER"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_starts(
    settings: Settings, job: ReplayJob | BacktestJob, error: type[WorkstationError], sentence: str
) -> None:
    with pytest.raises(error) as refused:
        check_job(job, settings)
    assert str(refused.value).startswith(sentence)


def test_each_kind_has_its_work() -> None:
    assert set(KINDS) == set(JobKind) - {JobKind.DOWNLOAD}
