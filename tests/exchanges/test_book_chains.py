"""A book that misses an update is never told: where ccxt does not look at the numbers, the feed does."""

import asyncio
from collections.abc import Callable
from typing import Any

import ccxt
import pytest

from tests.exchanges.sinks import running, subscriptions
from tests.exchanges.test_simulated_exchange import feed_at, simulated
from tests.exchanges.test_taps_of_venues import market
from tests.simulator.dialects import DIALECTS
from workstation.errors import VenueUnavailable
from workstation.exchanges.book_chains import READERS, guard_chains
from workstation.exchanges.ccxt_client import open_client
from workstation.exchanges.ccxt_parse import Refusal, Refusals
from workstation.exchanges.ccxt_watch import keep
from workstation.exchanges.settings import VenueSettings
from workstation.model.ids import Venue
from workstation.ports.feed import FeedState
from workstation.simulator.faults import Fault, FaultKind

SPOT, LINEAR = (f"wss://stream.bybit.com/v5/public/{kind}" for kind in ("spot", "linear"))

Told = Callable[[int, str], dict[str, Any]]
"""The message of an update with this number, by which the best bid has this quantity."""


def bitvavo(number: int, quantity: str) -> dict[str, Any]:
    return {"event": "book", "market": "BTC-EUR", "nonce": number, "bids": [["100", quantity]], "asks": []}


def bybit(number: int, quantity: str) -> dict[str, Any]:
    data = {"s": "BTCUSDT", "b": [["100", quantity]], "a": [], "u": number, "seq": number}
    return {"topic": "orderbook.50.BTCUSDT", "ts": 1, "type": "delta", "data": data}


def gate(number: int, quantity: str) -> dict[str, Any]:
    told = {"s": "ob.BTC_USDT.50", "t": 1, "U": number, "u": number, "b": [["100", quantity]], "a": []}
    return {"channel": "spot.obu", "event": "update", "result": told}


def mexc_spot(number: int, quantity: str) -> dict[str, Any]:
    """Each holds ten changes."""
    told = {"fromVersion": str(10 * number), "toVersion": str(10 * number + 9)}
    bids = [{"price": "100", "quantity": quantity}]
    return {"symbol": "BTCUSDT", "sendTime": "1", "publicAggreDepths": {"bids": bids, **told}}


def mexc_swap(number: int, quantity: str) -> dict[str, Any]:
    data = {"bids": [[100, float(quantity), 1]], "asks": [], "version": number}
    return {"channel": "push.depth", "symbol": "BTC_USDT", "ts": 1, "data": data}


CASES: dict[str, tuple[str, str, str, Told]] = {
    "bitvavo": ("bitvavo", "BTC/EUR", "BTC-EUR", bitvavo),
    "bybit": ("bybit", "BTC/USDT", "BTCUSDT", bybit),
    "gate": ("gate", "BTC/USDT", "BTC_USDT", gate),
    "mexc spot": ("mexc", "BTC/USDT", "BTCUSDT", mexc_spot),
    "mexc swap": ("mexc", "BTC/USDT:USDT", "BTC_USDT", mexc_swap),
}


class Guarded:
    """ccxt's real client of an exchange with a book in it, and what is missing of that."""

    def __init__(self, case: str) -> None:
        exchange, self.symbol, name, self.told = CASES[case]
        self.client = open_client(VenueSettings(venue=Venue("nova"), exchange=exchange))
        self.client.set_markets([market(self.client, name, self.symbol)])
        self.client.orderbooks[self.symbol] = self.client.order_book({})
        self.book["nonce"] = 0
        self.missing: list[str] = []
        guard_chains(self.client, exchange, self.missing.append)

    @property
    def book(self) -> Any:
        return self.client.orderbooks[self.symbol]

    def tell(self, number: int, quantity: str, address: str = SPOT) -> None:
        self.client.handle_order_book(self.client.client(address), self.told(number, quantity))

    def best_bid(self) -> list[float]:
        return list(self.book["bids"][0][:2])


def with_a_book(case: str, scenario: Callable[[Guarded], None]) -> None:
    async def run() -> None:
        guarded = Guarded(case)
        scenario(guarded)
        guarded.client.timeout_on_exit = 1
        await guarded.client.close()

    asyncio.run(run())


def test_every_case_of_a_reader_is_here() -> None:
    assert {case[0] for case in CASES.values()} == set(READERS)


@pytest.mark.parametrize("case", CASES)
def test_updates_in_their_order_are_applied(case: str) -> None:
    def scenario(guarded: Guarded) -> None:
        for number in range(1, 6):
            guarded.tell(number, f"{number}.5")
            assert guarded.best_bid() == [100.0, number + 0.5]
        assert not guarded.missing

    with_a_book(case, scenario)


@pytest.mark.parametrize("case", CASES)
def test_what_comes_behind_a_gap_is_not_applied_and_the_gap_is_told(case: str) -> None:
    def scenario(guarded: Guarded) -> None:
        guarded.tell(1, "1")
        guarded.tell(3, "3")
        guarded.tell(4, "4")
        assert guarded.best_bid() == [100.0, 1.0]
        assert len(guarded.missing) == 2
        first, last = (20, 29) if case == "mexc spot" else (2, 2)
        assert guarded.missing[0].endswith(f"updates {first} to {last} are missing")

    with_a_book(case, scenario)


@pytest.mark.parametrize("case", ["bybit", "gate"])
def test_a_whole_book_begins_a_chain_anew(case: str) -> None:
    def scenario(guarded: Guarded) -> None:
        guarded.tell(7, "7")
        whole = guarded.told(1, "1")
        if case == "bybit":
            whole["type"] = "snapshot"
        else:
            whole["result"] = whole["result"] | {"full": True}
            del whole["result"]["U"]
        guarded.client.handle_order_book(guarded.client.client(SPOT), whole)
        guarded.tell(2, "2")
        assert not guarded.missing and guarded.best_bid() == [100.0, 2.0]

    with_a_book(case, scenario)


def test_the_books_of_two_markets_with_one_topic_are_two_chains() -> None:
    """Bybit's spot and perpetual: orderbook.50.BTCUSDT on two sockets."""

    def scenario(guarded: Guarded) -> None:
        perpetual = market(guarded.client, "BTCUSDT", "BTC/USDT:USDT")
        guarded.client.set_markets([*guarded.client.markets.values(), perpetual])
        for number in range(1, 4):
            guarded.tell(number, f"{number}.5")
            guarded.tell(9_000 + number, f"{number}.25", LINEAR)
        assert not guarded.missing
        assert guarded.best_bid() == [100.0, 3.5]
        assert list(guarded.client.orderbooks["BTC/USDT:USDT"]["bids"][0][:2]) == [100.0, 3.25]
        guarded.tell(5, "5.5")  # a gap, and its number is under the perpetual's
        guarded.tell(9_005, "5.25", LINEAR)
        assert guarded.missing == [
            f"order book orderbook.50.BTCUSDT at {address}: updates {number} to {number} are missing"
            for address, number in ((SPOT, 4), (LINEAR, 9_004))
        ]
        assert guarded.best_bid() == [100.0, 3.5]

    with_a_book("bybit", scenario)


def test_an_update_of_mexc_that_a_snapshot_has_in_part_is_applied() -> None:
    """ccxt reads the first of its versions alone, and would pass over it: what it says would be lost."""

    def scenario(guarded: Guarded) -> None:
        guarded.book["nonce"] = 15  # as of a snapshot
        guarded.tell(1, "1")  # 10 to 19
        assert guarded.best_bid() == [100.0, 1.0]
        guarded.book["nonce"] = 35
        guarded.tell(2, "2")  # 20 to 29: the snapshot has it
        assert guarded.best_bid() == [100.0, 1.0]

    with_a_book("mexc spot", scenario)


@pytest.mark.parametrize("wire", sorted(DIALECTS))
def test_f18_a_book_whose_update_is_left_out_is_taken_anew_and_right_again(wire: str) -> None:
    async def scenario() -> None:
        async with simulated(wire) as exchanges:
            feed, stream = feed_at(exchanges, wire), DIALECTS[wire].stream("book")
            async with running(feed, subscriptions(quotes=False, book_levels=10)[:1]) as sink:
                await sink.until(lambda: len(sink.books) > 3, timeout_s=60)
                exchanges.menu.add(Fault(kind=FaultKind.SEQUENCE_GAP, stream=stream, count=1))
                await sink.until(lambda: feed.refusals.counts[Refusal.BROKEN_BOOK] == 1)
                known = len(sink.books)
                await sink.until(lambda: len(sink.books) > known + 3)
                assert feed.refusals.total == 1, feed.refusals.last
                lost = sink.states.count(FeedState.RECONNECTING)
                assert lost == (0 if wire == "binance" else 1)

    asyncio.run(scenario())


def test_a_broken_book_is_counted_once_however_often_ccxt_raises_it() -> None:
    """Its refusal waits where the call's answer would, and is raised by each call until the new book is there."""
    refusals, first, second = Refusals(), ccxt.ChecksumError("gap"), ccxt.InvalidNonce("gap")
    answers: list[Exception | None] = [first, first, None, first, second, second, ccxt.NetworkError("gone")]

    async def call() -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    async def scenario() -> None:
        with pytest.raises(VenueUnavailable, match="gone"):
            await keep(call, VenueSettings(venue=Venue("nova"), exchange="binance"), refusals, 0.0)

    asyncio.run(scenario())
    assert refusals.counts == {Refusal.BROKEN_BOOK: 2}
