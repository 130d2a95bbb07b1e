"""The channel of a chart, where the venue does not tell all of its bars."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.dashboard.views import a_quote_view
from workstation.client.messages import BarsView, StreamEvent, Topic
from workstation.dashboard import candle_source
from workstation.dashboard.candle_source import CandleSource
from workstation.dashboard.hub import Channel
from workstation.errors import VenueUnavailable, WorkstationError
from workstation.model.durations import MINUTE_NS, MS_NS

SYMBOL = "BTC/USDT"
SILENT = "nova has not answered yet"


def bars(count: int, problem: str = "") -> BarsView:
    ones = [1.0] * count
    return BarsView(
        venue="nova", symbol=SYMBOL, interval="1m", ts_open=[n * MINUTE_NS for n in range(count)], open=ones, high=ones,
        low=ones, close=ones, volume=ones, forming=None, problem=problem,
    )  # fmt: skip


class Link:
    """An engine that gives one answer after the other; the last one stays."""

    def __init__(self, *answers: BarsView | WorkstationError) -> None:
        self._answers = list(answers)
        self.asked = 0

    def listen(self, symbol: str, listener: Any) -> Callable[[], None]:
        return lambda: None

    async def ask(self, question: Any) -> BarsView:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, WorkstationError):
            raise answer
        return answer.model_copy(deep=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candle_source, "AGAIN_S", 0.001)
    monkeypatch.setattr(candle_source, "SOME_MISSING_S", 0.001)


def watched(link: Link, act: Callable[[CandleSource], Any], interval: str = "1m") -> None:
    async def look() -> None:
        source = CandleSource(Channel("candles"), link, "nova", SYMBOL, interval)  # type: ignore[arg-type]
        try:
            await act(source)
        finally:
            source.close()

    asyncio.run(look())


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.001)


def test_bars_that_are_missing_are_said_and_asked_for_until_they_are_there() -> None:
    link = Link(VenueUnavailable(SILENT), bars(3, SILENT), bars(3, SILENT), bars(5))
    told: list[tuple[int, str]] = []

    async def look(source: CandleSource) -> None:
        def is_whole() -> bool:
            snapshot = source.snapshot()
            seen = (0, "") if snapshot is None else (len(snapshot.get("bars", {"t": ()})["t"]), snapshot["problem"])
            if not told or told[-1] != seen:
                told.append(seen)
            return seen == (5, "")

        await until(is_whole)
        asked = link.asked
        await asyncio.sleep(0.02)
        assert link.asked == asked == 4

    watched(link, look)
    assert (3, SILENT) in told and told[-1] == (5, "")


def test_quotes_go_on_while_bars_are_missing_and_a_loss_begins_anew() -> None:
    link = Link(bars(3, SILENT))

    async def look(source: CandleSource) -> None:
        await until(lambda: source.snapshot() is not None)
        quote = a_quote_view(bid=2.0)
        source.heard(
            StreamEvent(topic=Topic.MARKET_DATA, sequence=1, time_ns=MS_NS, symbol=SYMBOL, data=quote.model_dump())
        )
        whole = source.snapshot()
        assert whole is not None and whole["quote"]["bid"] == 2.0
        source.missed()
        assert source.snapshot() is None
        await until(lambda: source.snapshot() is not None)

    watched(link, look)


def test_minutes_of_the_bar_in_the_making_may_be_missing_too() -> None:
    link = Link(bars(3), bars(2, SILENT), bars(3), bars(4))
    problems: list[str] = []

    async def look(source: CandleSource) -> None:
        def is_whole() -> bool:
            snapshot = source.snapshot()
            problems.append("" if snapshot is None else snapshot["problem"])
            return snapshot is not None and not snapshot["problem"]

        await until(is_whole)

    watched(link, look, "5m")
    assert SILENT in problems and link.asked == 4


@pytest.mark.parametrize("answers", [(bars(3, SILENT),), (VenueUnavailable(SILENT),)], ids=["partly", "not at all"])
def test_what_did_not_change_is_not_told_again(
    answers: tuple[BarsView | WorkstationError], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Channel] = []
    monkeypatch.setattr(Channel, "snapshot", lambda channel: told.append(channel))
    link = Link(*answers)

    async def look(source: CandleSource) -> None:
        await until(lambda: link.asked > 5)

    watched(link, look)
    assert len(told) == 1


def test_a_loss_forgets_what_was_wrong_before() -> None:
    link = Link(VenueUnavailable(SILENT), bars(3))

    async def look(source: CandleSource) -> None:
        await until(lambda: source.snapshot() is not None and "bars" in source.snapshot())  # type: ignore[operator]
        source.missed()
        assert source.snapshot() is None

    watched(link, look)


def test_one_asks_at_a_time_and_none_once_it_is_closed() -> None:
    link = Link(bars(3, SILENT))

    async def look(source: CandleSource) -> None:
        def asking() -> int:
            return len(asyncio.all_tasks()) - 1

        await until(lambda: link.asked > 2)
        source.missed()
        await until(lambda: link.asked > 5)
        assert asking() == 1
        source.close()
        await until(lambda: not asking())

    watched(link, look)
