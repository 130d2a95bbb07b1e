"""The quick reading of Binance's best prices tells what ccxt's own reading tells, of every frame."""

from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.test_taps_of_venues import AT, told_by
from tests.exchanges.venue import recorded_frames
from workstation.exchanges.quick_quotes import QuickQuotes

SPOT, FUTURES = "wss://stream.binance.com:9443/ws/0", "wss://fstream.binance.com/public/ws/0"
VALUES = st.sampled_from(
    ["100.5", "101", "0", "-1", "NaN", "inf", "1e400", "", " 100", "abc", "1_0", None, 100, 100.5, True, [], {}]
)
CHANGES = st.one_of(
    st.tuples(st.sampled_from("bBaA"), VALUES),
    st.tuples(st.just("s"), st.sampled_from(["NOSUCH", None, 5])),
    st.tuples(st.just("e"), st.sampled_from(["bookTicker", "24hrTicker", None])),
    st.tuples(st.just("E"), st.sampled_from([AT, 0, -1, 10**18, "x", None, 1.5])),
)
FRAMES = st.lists(CHANGES, max_size=2).map(
    lambda changes: {"s": "BTCUSDT", "b": "100.5", "B": "2", "a": "100.6", "A": "1", "C": AT - 1_000} | dict(changes)
)
"""A good frame with at most two things changed."""


def read_by_both(exchange: str, names: dict[str, str], address: str, frames: list[Any], now_ns: int) -> list[Any]:
    """What is told, and what is refused, by quick reading and by ccxt's alone."""
    quick = told_by(exchange, names, address, frames, now_ns)
    with patch.object(QuickQuotes, "read", lambda *_: False):
        slow = told_by(exchange, names, address, frames, now_ns)
    return [(sink.quotes, Counter(refusals.counts)) for sink, refusals in (quick, slow)]


@settings(max_examples=40, deadline=None)
@given(frames=st.lists(FRAMES, max_size=20))
def test_any_frame_gives_the_same_quote_or_the_same_refusal(frames: list[dict[str, Any]]) -> None:
    now_ns = AT * 1_000_000
    for exchange, symbol, address in (("binance", "BTC/USDT", SPOT), ("binanceusdm", "BTC/USDT:USDT", FUTURES)):
        quick, slow = read_by_both(exchange, {symbol: "BTCUSDT"}, address, frames, now_ns)
        assert quick == slow


@pytest.mark.shared
def test_recorded_frames_give_the_same_quotes(shared_dir: Path) -> None:
    frames = recorded_frames(shared_dir / "data" / "raw_ws" / "BINANCE_FUTURES.ws.1.0.gz")
    bare = [frame["data"] for frame in frames if frame.get("data", {}).get("e") == "bookTicker"]
    names = {f"{coin}/USDT:USDT": f"{coin}USDT" for coin in ("SUSHI", "AKRO", "KEEP", "CTK")}
    quick, slow = read_by_both("binanceusdm", names, FUTURES, bare, 1_700_000_000_000_000_000)
    assert len(quick[0]) > 100
    assert quick == slow


def test_a_frame_nested_without_end_is_left_to_who_counts_it() -> None:
    quick = QuickQuotes(None, lambda *_: None)
    assert not quick.read('{"x":' + "[" * 200_000 + "]" * 200_000 + "}", {})


def test_most_frames_are_read_quickly_and_those_that_a_call_of_ccxt_waits_for_are_not() -> None:
    class Client:
        markets_by_id = {"BTCUSDT": [1], "ETHUSDT": [1, 2]}  # noqa: RUF012

        def market(self, symbol: str) -> dict[str, str]:
            return {"id": symbol.replace("/", "")}

    class Stream:
        def __init__(self, symbol: str) -> None:
            self.symbol = symbol

    told: list[Any] = []
    quick = QuickQuotes(Client(), lambda *best: told.append(best))
    for symbol in ("BTC/USDT", "ETH/USDT"):
        quick.add(Stream(symbol))  # type: ignore[arg-type]
    frame = '{"u":1,"s":"%s","b":"100.5","B":"2","a":"100.6","A":"1"}'
    assert quick.read(frame % "BTCUSDT", {})
    assert told == [("BTC/USDT", None, (100.5, 2.0), (100.6, 1.0))]
    assert not quick.read(frame % "BTCUSDT", {"bidask:bookTicker@BTC/USDT": object()})
    assert not quick.read(frame % "ETHUSDT", {}), "the venue's name means two markets"
    assert len(told) == 1
