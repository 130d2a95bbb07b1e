"""Reports: what they tell, that they are whole or not there, and that a name from outside is text in the page."""

import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workstation as ws
from tests.cli.histories import BTC, store_bars, store_quotes
from workstation.config.loading import load_configuration
from workstation.errors import BadInput, OperatorError
from workstation.history.store import HistoryStore
from workstation.research.reports import cells, running, sections
from workstation.research.reports.account import Account
from workstation.research.reports.making import SECTIONS
from workstation.research.reports.page import page
from workstation.research.reports.request import ReportRequest
from workstation.research.reports.shelf import free_name, reports
from workstation.strategies.ma_cross import MACross

NOW = datetime(2024, 5, 1, 13, 30, tzinfo=UTC)
ON_BARS = {"venue": "nova", "symbol": BTC, "interval": "1h", "fast": 5, "slow": 12}


@pytest.fixture
def history(home: Path) -> HistoryStore:
    store = HistoryStore(home / "history")
    store_bars(store)
    store_quotes(store)
    return store


@pytest.fixture
def account(history: HistoryStore) -> Account:
    return Account(result=ws.backtest("ma-cross", **ON_BARS, history=history))


def text_of(part: str) -> str:
    return re.sub(r"<[^>]+>", " ", part)


def test_a_report_is_one_file_in_its_folder_and_is_listed(home: Path, account: Account) -> None:
    made = ws.report(account.result)
    assert made.file.parent == home / "runs" / "reports"
    assert [(one.name, one.file) for one in reports(made.file.parent).entries] == [(made.entry.name, made.file)]
    content = made.file.read_text()
    assert content.startswith("<!DOCTYPE html>") and "ma-cross on nova:BTC/USDT:USDT" in content
    assert {path.suffix for path in made.file.parent.iterdir()} == {".html", ".json"}
    assert made.file.as_uri() in made._repr_html_()


def test_one_that_lies_elsewhere_lies_there_alone(home: Path, account: Account, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "mine.html"
    assert ws.report(account.result, out=out).file == out
    assert out.exists() and not reports(home / "runs" / "reports").entries


@pytest.mark.parametrize("out", ["", 3])
def test_a_place_that_is_none_is_refused(account: Account, out: Any) -> None:
    with pytest.raises(BadInput, match=f"out {out!r}: expected a path"):
        ws.report(account.result, out=out)


def test_what_is_no_result_is_refused() -> None:
    with pytest.raises(BadInput, match=r"result DataFrame: expected what ws\.backtest or ws\.replay gives"):
        ws.report(pd.DataFrame())


def test_a_disk_that_refuses_leaves_nothing(account: Account, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match=r"cannot be written: (Not a directory|File exists)"):
        ws.report(account.result, out=tmp_path / "file" / "report.html")


def test_the_page_tells_what_the_result_has(account: Account) -> None:
    metrics = account.metrics
    whole = text_of("".join(part(account) for part in SECTIONS))
    for words in (
        f"made {metrics['total_return']:+.2%} with {metrics['trades']:,.0f} closed trades",
        f"{metrics['fees_quote']:,.2f} USDT",
        "Orders decided at a bar's close trade at the next bar's open".replace("'", "&#x27;"),
        "2 bps as maker, 5 bps as taker",
    ):
        assert words in whole
    assert sections.trades(account).count("<tr>") == len(account.trades) + 1


def test_months_multiply_to_the_years_and_these_to_the_whole(account: Account) -> None:
    table = account.monthly()
    of_months = (1 + table.drop(columns="year")).prod(axis=1) - 1
    np.testing.assert_allclose(of_months, table["year"], rtol=1e-12)
    assert math.isclose((1 + table["year"]).prod() - 1, account.metrics["total_return"], rel_tol=1e-9)


def test_a_replay_of_the_same_tells_the_same(history: HistoryStore, account: Account) -> None:
    from workstation.trading.limits import NO_LIMITS

    run = ws.replay("ma-cross", **ON_BARS, sizing="equity-fraction=0.95", limits=NO_LIMITS, history=history)
    replayed = Account(result=run)
    assert sections.summary(replayed) == sections.summary(account)
    assert sections.months(replayed) == sections.months(account)
    assert {"run manifest", "history"} <= dict(replayed.provenance()).keys()


def test_a_replay_on_quotes_shows_the_spread(history: HistoryStore) -> None:
    run = ws.replay("spread-reversion", venue=("nova", "orion"), symbol=BTC, min_points=5, history=history)
    whole = "".join(part(Account(result=run)) for part in SECTIONS)
    assert "<h2>Spread</h2>" in whole and "100 ms after its decision" in whole


def test_a_result_without_a_trade_is_told_without_one(history: HistoryStore) -> None:
    idle = ws.backtest("ma-cross", venue="nova", symbol=BTC, interval="1h", fast=399, slow=400, history=history)
    whole = text_of("".join(part(Account(result=idle)) for part in SECTIONS))
    assert "with 0 closed trades" in whole and "No entry was filled." in whole


def test_names_from_outside_are_text(home: Path, history: HistoryStore) -> None:
    class Hostile(MACross):
        name_in_cli = '<script>alert("a")</script>'

    made = ws.report(ws.backtest(Hostile(fast=5, slow=12), venue="nova", symbol=BTC, interval="1h", history=history))
    content = made.file.read_text()
    assert "<script>alert" not in content and "&lt;script&gt;alert(&quot;a&quot;)" in content
    assert made.file.parent == home / "runs" / "reports" and "script" in made.file.name  # no path out of a name
    assert "<script>alert" not in made._repr_html_()
    assert "<title>&lt;b&gt;</title>" in page("<b>", "body")


def test_reports_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    first = free_name(tmp_path, "backtest", "ma-cross", NOW)
    assert first == "backtest-ma-cross-20240501-133000"
    (tmp_path / f"{first}.json").write_text("")
    assert free_name(tmp_path, "backtest", "ma-cross", NOW) == f"{first}-2"


def test_an_entry_that_cannot_be_read_hides_no_other(home: Path, account: Account) -> None:
    made = ws.report(account.result)
    (made.file.parent / "broken.json").write_text("{")
    kept = reports(made.file.parent)
    assert len(kept.entries) == 1
    assert "broken.json: is no entry of a report" in kept.faults[0]


# -- by the notebook


def a_request(**changes: Any) -> ReportRequest:
    words = {"kind": "backtest", "strategy": "ma-cross", "venues": ("nova",), "symbol": BTC, "interval": "1h"}
    return ReportRequest(**words | {"parameters": {"fast": 5, "slow": 12}} | changes)


def run_it(request: ReportRequest, **changes: Any) -> Any:
    words = {"out": None, "history": None, "config": None, "now": NOW, "progress": lambda done, total: None}
    return running.run_report(request, load_configuration().settings, **words | changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "sweep"}, "kind 'sweep': expected backtest or replay"),
        ({"venues": ("nova", "orion")}, "venues nova, orion: a back-test has one"),
        ({"interval": None}, "interval: not given"),
    ],
)
def test_a_request_that_cannot_be_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        a_request(**changes)


def test_the_notebook_has_a_cell_for_each_part() -> None:
    notebook = json.loads(running.TEMPLATE.read_text())
    sources = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    shown = re.findall(r"cells\.show\(cells\.(\w+), account\)", "\n".join(sources))
    assert shown == [part.__name__ for part in SECTIONS]
    assert all(getattr(cells, name) is part for name, part in zip(shown, SECTIONS, strict=True))
    assert all(source.startswith("# ") for source in sources)  # by this line a failing cell is named
    assert not any(cell.get("outputs") for cell in notebook["cells"])


@pytest.mark.slow
@pytest.mark.usefixtures("history")
def test_the_notebook_makes_the_page_of_the_result(account: Account) -> None:
    told: list[tuple[int, int]] = []
    entry = run_it(a_request(), progress=lambda done, total: told.append((done, total)))
    content = entry.file.read_text()
    for part in (sections.heading, sections.figures, sections.months, sections.trades):
        assert part(account) in content
    assert told == [(done, len(SECTIONS) + 3) for done in range(1, len(SECTIONS) + 4)]
    assert entry.summary == sections.summary(account)


@pytest.mark.slow
@pytest.mark.usefixtures("history")
def test_a_failing_cell_is_named_and_leaves_no_file(home: Path) -> None:
    with pytest.raises(running.ReportFailed, match=r"report of ma-cross: cell 3 \(the run\): HistoryMissing: .*nova"):
        run_it(a_request(interval="4h"))
    assert not (home / "runs").exists()
