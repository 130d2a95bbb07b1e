"""What a terminal shows: whole figures or none, and gains that are the session's own."""

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from workstation.cli.demo_screen import Look, line, screen
from workstation.cli.session_acts import figures, made_by_trading
from workstation.cli.tables import fitting
from workstation.client.declaration import Mode
from workstation.client.messages import Health, SessionDetail, SessionStatus, SessionSummary

NAME = "spread-reversion-12"


def a_summary(**changes: Any) -> SessionSummary:
    return SessionSummary.model_validate(fields() | changes)


def fields() -> dict[str, Any]:
    return {
        "session": NAME, "mode": Mode.PAPER, "strategy": "spread-reversion", "status": SessionStatus.RUNNING,
        "instruments": ("nova:BTC/USDT", "orion:BTC/USDT"), "reason": "", "run": f"{NAME}.1", "started_ns": 10**18,
        "currency": "USDT", "opening_equity": Decimal("22060.83"), "equity": Decimal("22059.76"),
        "realized_pnl": Decimal("-1.07"), "fees": {}, "open_groups": 0, "open_orders": 0, "signals": 2, "refusals": 0,
        "facts": 9, "gap_ns": None,
    }  # fmt: skip


def a_look(*sessions: SessionSummary) -> Look:
    health = Health(
        version="0", started_ns=0, now_ns=10**9, problems=(), feeds=(), recorder=None, rows=1, rows_per_second=1.0,
        waiting=0, dropped=0, conflated=0, rejected=0, loop_lag_ms_p99=0.0, journal_lag_ms=0.0, journal_rows=0,
        sessions=1, memory_mb=1.0, clock_drift_ms=0.0,
    )  # fmt: skip
    return Look(spent_s=1.0, health=health, sessions=list(sessions), spreads=[], positions=[], orders=[])


def shown(what: Any, width: int) -> str:
    console = Console(width=width, file=StringIO())
    with console.capture() as captured:
        console.print(what)
    return captured.get()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_figure_is_cut_off_however_narrow_the_terminal(width: int) -> None:
    printed = shown(screen(a_look(a_summary()), width), width)
    assert "…" not in printed
    assert NAME in printed and "running" in printed


def test_on_eighty_columns_the_gain_stands_beside_equity() -> None:
    printed = shown(screen(a_look(a_summary()), 80), 80)
    assert f"{NAME}  running  22,059.76    -1.07     -1.07" in printed


def test_columns_that_do_not_fit_are_left_out_from_the_end() -> None:
    table = fitting(("A", "B", "C"), [("name", "12,345.67", "8")], width=15)
    assert [column.header for column in table.columns] == ["A", "B"]


def test_coins_that_change_in_price_are_no_gain() -> None:
    dearer = a_summary(opening_equity=Decimal(25_000), equity=Decimal(25_000))
    assert made_by_trading(dearer) == "+0.00"
    assert line(a_look(dearer)).endswith(f"; {NAME} +0.00 USDT")
    assert made_by_trading(a_summary(equity=None)) == "-"


def test_a_session_tells_equity_and_what_trading_made_of_it() -> None:
    detail = {"parameters": {}, "sizing": "s", "limits": {}, "runs": (f"{NAME}.1",), "interval": None}
    told = figures(SessionDetail.model_validate(fields() | detail))
    assert "22,059.76 USDT, -1.07 of it made by trading" in told
    assert "-1.07 USDT before fees of 0 USDT" in told
    before = figures(SessionDetail.model_validate(fields() | detail | {"equity": None}))
    assert "unknown before every leg has a price; opened with 22,060.83 USDT" in before
