"""Candles on a venue's streams: whoever listens is told the end of each, however late a step comes."""

from types import SimpleNamespace
from typing import Any

import pytest

from workstation.cli.exchange_simulation import model_source
from workstation.model.durations import MINUTE_NS, SECOND_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.simulator.bar_history import BarHistory, Candle
from workstation.simulator.socket_hub import SocketHub
from workstation.simulator.stream_teller import StreamTeller

KEY = InstrumentKey(Venue("nova"), Symbol("BTC/USDT"))
START_NS = 1_780_000_200 * SECOND_NS
"""A whole minute, and the beginning of five."""
FIVE_NS = 5 * MINUTE_NS


class Listener:
    """As much of a client as a subscription needs."""

    def __init__(self) -> None:
        self.streams: set[str] = set()


class Candles(StreamTeller):
    """Of one market, of a length for each stream; remembers which it told."""

    def __init__(self, streams: dict[str, int]) -> None:
        hub, market = SocketHub(), SimpleNamespace(name="BTCUSDT", mid=lambda: 100.0)
        listener: Any = Listener()
        for stream in streams:
            hub.subscribe(listener, stream)
        exchange: Any = SimpleNamespace(now_ns=START_NS)
        self.source = model_source("nova:binance", 1, None)
        publisher: Any = None
        super().__init__(exchange, {"BTCUSDT": BarHistory(self.source, KEY)}, hub, publisher, SECOND_NS)
        self._streams, self._market = streams, market
        self.closed: list[tuple[str, Candle]] = []
        self.last: list[tuple[str, bool]] = []

    def candle_stream(self, stream: str) -> tuple[Any, int] | None:
        return self._market, self._streams[stream]

    def candle(self, stream: str, market: Any, length_ns: int, candle: Candle, *, is_closed: bool) -> None:
        self.last.append((stream, is_closed))
        if is_closed:
            self.closed.append((stream, candle))

    def quoted(self, event: Any) -> None: ...
    def traded(self, event: Any) -> None: ...
    def reported(self, event: Any) -> None: ...
    def balance(self, event: Any) -> None: ...
    def tell_books(self) -> None: ...
    def each_second(self, stream: str) -> None: ...


@pytest.mark.parametrize("stall_ns", [SECOND_NS, 3 * MINUTE_NS + 7 * SECOND_NS, FIVE_NS])
def test_each_candle_is_told_once_when_it_has_closed_before_the_running_one(stall_ns: int) -> None:
    teller = Candles({"one": MINUTE_NS, "five": FIVE_NS})
    end_ns = START_NS + 21 * MINUTE_NS
    for now_ns in (*range(START_NS, end_ns, stall_ns), end_ns):
        teller.tell((), now_ns)
        assert teller.last[-1] == ("five", False)
    for stream, length_ns in (("one", MINUTE_NS), ("five", FIVE_NS)):
        told = [candle for name, candle in teller.closed if name == stream]
        count = 21 * MINUTE_NS // length_ns
        assert [one.ts_open for one in told] == [START_NS + number * length_ns for number in range(count)]
    truth = teller.source.minutes(KEY, START_NS, end_ns)
    assert [candle.close for name, candle in teller.closed if name == "one"] == truth.close.tolist()
