"""The table of the last trades: legs of one trade stand together, under its number."""

from typing import Any

from workstation.cli.trade_table import last_trades


def a_row(**values: Any) -> dict[str, Any]:
    return {"instrument": "nova:BTC/USDT", "side": "buy", "quantity": "1", "pnl_quote": "2.5", **values}


def test_a_trade_of_one_leg_is_a_line() -> None:
    for key in ({}, {"group": "g"}):
        rows = [a_row(**{name: f"{value}{number}" for name, value in key.items()}) for number in range(20)]
        lines = last_trades(rows, "USDT").splitlines()
        assert lines[0] == "last 8 of 20 trades"
        assert lines[1].split()[0] == "INSTRUMENT"
        assert len(lines) == 2 + 8


def test_legs_are_numbered_by_their_trade_and_never_shown_without_one_another() -> None:
    rows = [a_row(group=f"g{number // 3}") for number in range(15)]
    lines = last_trades(rows, "USDT").splitlines()
    assert lines[0] == "last 2 of 5 trades"
    assert [line.split()[0] for line in lines[1:]] == ["TRADE", *"444555"]


def test_a_trade_of_many_legs_is_shown_whole() -> None:
    lines = last_trades([a_row(group="g0")] * 12, "USDT").splitlines()
    assert lines[0] == "last 1 of 1 trades"
    assert len(lines) == 2 + 12


def test_without_trades_there_is_no_table() -> None:
    assert last_trades([], "USDT") == "no trades"


def test_ends_of_bars_are_called_so() -> None:
    row = a_row(entry_time="2024-05-01T18:00:00.000Z", exit_time=None)
    assert "ENTRY (UTC)  " in last_trades([row], "USDT")
    titles = last_trades([row], "USDT", at_bar_ends=True)
    assert "ENTRY, BAR END (UTC)  " in titles and "EXIT, BAR END (UTC)  " in titles
