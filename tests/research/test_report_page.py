"""The page of a report in a browser that has no network: it opens, draws, asks nobody, and complains of nothing."""

from pathlib import Path

import pytest

import workstation as ws
from tests.browsing import opened
from tests.cli.histories import BTC, store_bars, store_quotes
from workstation.history.store import HistoryStore
from workstation.strategies.ma_cross import MACross

pytestmark = pytest.mark.slow

DRAWN = """() => {
  const found = [], walk = (node) => {
    for (const one of node.querySelectorAll('*')) {
      if (one.tagName === 'CANVAS') found.push(one.width * one.height)
      if (one.shadowRoot) walk(one.shadowRoot)
    }
  }
  walk(document)
  return found.filter((pixels) => pixels > 10000).length
}"""


class Hostile(MACross):
    name_in_cli = "<img src=x onerror=alert(1)><script>document.title='taken'</script>"


@pytest.fixture
def history(home: Path) -> HistoryStore:
    store = HistoryStore(home / "history")
    store_bars(store)
    store_quotes(store)
    return store


def test_a_backtest_opens_without_a_network(history: HistoryStore, tmp_path: Path) -> None:
    result = ws.backtest(Hostile(fast=5, slow=12), venue="nova", symbol=BTC, interval="1h", history=history)
    report = ws.report(result, out=tmp_path / "report.html")
    with opened(report.file) as (page, asked, said):
        page.wait_for_function(f"({DRAWN})() >= 4")  # price, volume, equity, drawdown
        assert page.title() == f"{Hostile.name_in_cli} on nova:{BTC}"
        assert page.locator("main img").count() == 0
        assert page.locator("main table").first.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert asked == [report.file.as_uri()]
    assert said == []


def test_a_replay_on_quotes_opens_without_a_network(history: HistoryStore, tmp_path: Path) -> None:
    run = ws.replay("spread-reversion", venue=("nova", "orion"), symbol=BTC, min_points=5, history=history)
    report = ws.report(run, out=tmp_path / "report.html")
    with opened(report.file) as (page, asked, said):
        page.wait_for_function(f"({DRAWN})() >= 3")  # band, edges, z
    assert asked == [report.file.as_uri()]
    assert said == []
