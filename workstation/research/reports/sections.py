"""The parts of a report, each as HTML: a notebook's cell shows one, a page all of them.

What comes from outside (names, parameters, reasons) is text: it is escaped here, wherever it stands.
"""

import html
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from bokeh.embed import components

from workstation.research.reports.account import Account
from workstation.research.reports.request import BACKTEST, REPLAY
from workstation.research.results import METRICS, UNKNOWN

KINDS = {BACKTEST: "Back-test", REPLAY: "Replay"}
MOST_TRADES = 1_000
"""Of the table; a page with more is slow, and nobody reads it."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year")
COLUMNS: dict[str, str] = {
    "instrument": "Instrument",
    "side": "Side",
    "entry_time": "Entry (UTC)",
    "exit_time": "Exit (UTC)",
    "quantity": "Quantity",
    "entry_price": "Entry price",
    "exit_price": "Exit price",
    "fees_quote": "Fees",
    "pnl_quote": "P&L",
    "exit_reason": "Exit by",
}
NUMBERS = ("quantity", "entry_price", "exit_price", "fees_quote", "pnl_quote")
MONEY = ("fees_quote", "pnl_quote")
TIMES = ("entry_time", "exit_time")


def heading(account: Account) -> str:
    """What it is of, and the outcome in a sentence."""
    where = " and ".join(str(one.key) for one in account.instruments)
    parameters = ", ".join(f"{name} = {value}" for name, value in account.parameters.items())
    interval = "" if account.interval is None else f", bars of {account.interval}"
    return (
        f'<span class="kind">{KINDS[account.kind]}</span><h1>{_text(account.strategy)} on {_text(where)}</h1>'
        f'<p class="where">{_text(parameters)}{interval}</p><p class="summary">{_text(summary(account))}</p>'
    )


def summary(account: Account) -> str:
    """The outcome in words."""
    if account.span is None:
        return "Nothing was traded: there is no figure to tell."
    start, end = (f"{at:%d %b %Y}" if account.bars is not None else f"{at:%d %b %Y %H:%M}" for at in account.span)
    metrics = account.metrics
    trades = f"{metrics['trades']:,.0f} closed trade{'s' if metrics['trades'] != 1 else ''}"
    told = f"From {start} to {end} it made {_percent(metrics['total_return'])} with {trades}"
    if not math.isnan(metrics["win_rate"]):
        told += f", {metrics['win_rate']:.0%} of them won"
    told += f"; at worst it stood {-metrics['max_drawdown']:.2%} below an earlier high."
    if account.held_return is not None:
        told += f" Holding the instrument over the same bars made {_percent(account.held_return)} before fees."
    return told


def figures(account: Account) -> str:
    """The metrics as cards; a formula is told where the pointer rests."""
    cards = []
    for name, value in account.metrics.items():
        label, unit, formula = METRICS[name]
        shown = {
            "fraction": f"{value:.2%}",
            "count": f"{value:,.0f}",
            "quote": f"{value:,.2f} {account.currency}",
        }.get(unit, f"{value:.3f}")
        shown = UNKNOWN if math.isnan(value) else shown
        cards.append(
            f'<div class="card" title="{_text(formula)}"><span>{_text(label)}</span><b>{_text(shown)}</b></div>'
        )
    return f'<div class="cards">{"".join(cards)}</div>'


def months(account: Account) -> str:
    """Returns by month, a row a year."""
    if account.equity.empty:
        return _empty("There is no equity to tell of.")
    head = "".join(f'<th class="number">{name}</th>' for name in ("", *MONTHS))
    table = account.monthly()
    rows = "".join(
        f"<tr><td>{year}</td>{''.join(_month(value) for value in row)}</tr>"
        for year, row in zip(table.index, table.to_numpy(), strict=True)
    )
    note = "Of equity at each month's last value; the first and the last month may be shorter."
    shown = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<h2>By month</h2><div class="sheet">{shown}</div><p class="note">{note}</p>'


def trades(account: Account) -> str:
    """The trades, newest last; the columns that they have."""
    rows = account.trades
    if not rows:
        return _empty("No entry was filled.")
    names = [name for name in COLUMNS if name in rows[0]]
    head = "".join(f'<th class="{_shape(name)}">{COLUMNS[name]}</th>' for name in names)
    body = "".join(_trade(row, names) for row in rows[-MOST_TRADES:])
    left_out = len(rows) - MOST_TRADES
    note = f'<p class="note">The last {MOST_TRADES:,} of {len(rows):,}.</p>' if left_out > 0 else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<h2>Trades</h2><div class="sheet scroll">{table}</div>{note}'


def assumptions(account: Account) -> str:
    """What the figures take for granted, and what was refused."""
    told = list(account.assumptions())
    if account.refused:
        told.append("Entries refused: " + ", ".join(f"{number:,} by {why}" for why, number in account.refused.items()))
    items = "".join(f"<li>{_text(one)}</li>" for one in told)
    return f'<h2>What this assumes</h2><div class="sheet"><ul>{items}</ul></div>'


def provenance(account: Account) -> str:
    """Hashes and versions."""
    rows = "".join(
        f'<tr><td>{_text(name)}</td><td class="words"><code>{_text(value)}</code></td></tr>'
        for name, value in account.provenance()
    )
    return f'<h2>Made by</h2><div class="sheet"><table><tbody>{rows}</tbody></table></div>'


def chart(heading_text: str, layout: Any) -> str:
    """A chart of Bokeh's under a heading; the page has the library."""
    script, place = components(layout)
    return f'<h2>{_text(heading_text)}</h2><div class="sheet">{place}</div>{script}'


def _trade(row: Mapping[str, Any], names: list[str]) -> str:
    return f"<tr>{''.join(_cell(name, row[name]) for name in names)}</tr>"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return f'<td class="{_shape(name)} empty">{UNKNOWN}</td>'
    if name == "pnl_quote":
        return f'<td class="number {_sign(float(value))}">{float(value):+,.2f}</td>'
    if name in MONEY:
        return f'<td class="number">{float(value):,.2f}</td>'
    if name in NUMBERS:
        return f'<td class="number">{float(value):,.8g}</td>'
    if name in TIMES:
        return f"<td>{pd.Timestamp(value):%Y-%m-%d %H:%M:%S}</td>"
    return f"<td>{_text(value)}</td>"


def _month(value: float) -> str:
    if math.isnan(value):
        return '<td class="number empty"></td>'
    return f'<td class="number {_sign(value)}">{value:+.1%}</td>'


def _shape(name: str) -> str:
    return "number" if name in NUMBERS else ""


def _sign(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else ""


def _percent(fraction: float) -> str:
    return f"{fraction:+.2%}"


def _empty(sentence: str) -> str:
    return f'<p class="note">{_text(sentence)}</p>'


def _text(value: object) -> str:
    return html.escape(str(value))
