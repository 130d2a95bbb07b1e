"""What goes wrong with market data, by its number in the menu of faults, while an engine with a session watches.

The same in each: the feed says what is wrong, no entry is made on old prices, the feed mends itself, the trades of the
gap are there, the other venue and the session go on.
"""

import json
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.faults.running import DECIDES_S, Engine, Venues, busy_session, until, write_configuration
from workstation.client.client import Client
from workstation.client.control import LARGEST_PAGE
from workstation.client.messages import FeedView, SessionStatus
from workstation.errors import HistoryMissing
from workstation.history.layout import HistoryKind
from workstation.history.store import HistoryStore
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import Rows

STRUCK, OTHER, SYMBOL = "nova", "orion", Symbol("BTC/USDT")
QUOTES, TRADES = "*@bookTicker", "btcusdt@aggTrade"
MAX_QUOTE_AGE_MS = 500
STALE_AFTER_S = 2.0
MOST_LOST = 2
"""Connections that a desk may have lost when a test takes it: each makes the next wait longer, and the fifth within a
minute opens the circuit."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Desk:
    """An engine with a session that trades between two venues; faults strike the first of them."""

    venues: Venues
    engine: Engine
    client: Client

    def feed(self, venue: str = STRUCK) -> FeedView:
        return next(one for one in self.client.health().feeds if one.venue == venue)

    def go_wrong(self, kind: str, **fields: object) -> int | None:
        return self.venues.go_wrong(kind, venue=STRUCK, **fields)

    def lose_sockets(self) -> None:
        self.venues.control("POST", "kick", {"venue": STRUCK})

    def rows(self, kind: HistoryKind, venue: str = STRUCK) -> Rows:
        """What was recorded up to now."""
        store = HistoryStore(self.engine.home / "history")
        return store.rows(InstrumentKey(Venue(venue), SYMBOL), kind, 0, as_recorded=True)

    def quotes_since(self, ts_ns: int, venue: str = STRUCK) -> int:
        return int((self.rows(HistoryKind.QUOTES, venue)["ts_received"] > ts_ns).sum())

    def listed_trades(self) -> list[tuple[int, float, float]]:
        """The venue's own list: time, price, quantity."""
        address = f"{self.venues.url}/{STRUCK}/api.binance.com/api/v3/aggTrades?symbol=BTCUSDT&limit=1000"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return [(int(one["T"]), float(one["p"]), float(one["q"])) for one in json.load(answer)]

    def recorded_trades(self) -> list[tuple[int, float, float]]:
        try:
            rows = self.rows(HistoryKind.TRADES)
        except HistoryMissing:  # no trade yet
            return []
        return [(int(row["ts_event"]) // 1_000_000, float(row["x0"]), float(row["x1"])) for row in rows]

    def told(self, state: str, *words: str) -> FeedView:
        """Waits until the struck feed is in this state for such a reason."""

        def is_told() -> FeedView | None:
            feed = self.feed()
            return feed if feed.state == state and all(word in feed.reason for word in words) else None

        return until(is_told, f"{STRUCK} is {state}: {words}")

    def was_told(self, state: str, *words: str) -> None:
        """Waits until the struck feed has been in this state, be it for a moment: the log keeps it."""

        def is_logged() -> bool:
            lines = self.engine.log.read_text().splitlines()
            said = (line for line in lines if f"feed {STRUCK}: {state}" in line)
            return any(all(word in line for word in words) for line in said)

        until(is_logged, f"{STRUCK} was {state}: {words}")

    def losses(self) -> list[str]:
        """Why the struck feed has connected anew, but for silences: a machine that is busy may make those."""
        lines = self.engine.log.read_text().splitlines()
        return [line for line in lines if f"feed {STRUCK}: reconnecting" in line and "silent" not in line]

    @property
    def is_well(self) -> bool:
        """Nothing is wrong, and the session trades on."""
        sessions, health = self.client.sessions(), self.client.health()
        is_running = all((one.status, one.reason) == (SessionStatus.RUNNING, "") for one in sessions)
        return is_running and not health.problems and all(one.state == "live" for one in health.feeds)

    def mends_itself(self, since_ns: int) -> None:
        """Waits until all is well again with new quotes; and nothing was disturbed meanwhile."""
        until(lambda: self.quotes_since(since_ns) > 20, "quotes come again")
        until(lambda: self.is_well, "all is well again")
        health = self.client.health()
        assert (health.dropped, health.rejected) == (0, 0)
        assert self.feed(OTHER).reconnects == 0, "the other venue was disturbed"
        self.no_entry_on_old_prices()

    def no_entry_on_old_prices(self) -> None:
        entries = [order for order in self.client.orders(limit=LARGEST_PAGE) if order.purpose == "entry"]
        latest = max((order.decided_ns for order in entries), default=0)
        until(lambda: self.quotes_since(latest), "what came behind the last entry is recorded")
        times = self.rows(HistoryKind.QUOTES)["ts_received"]
        for order in entries:
            last = times[times <= order.decided_ns][-1]
            assert order.decided_ns - last <= MAX_QUOTE_AGE_MS * 1_000_000, f"{order} was decided on old prices"

    def no_trade_is_missing(self, since_ns: int) -> None:
        """All that the venue lists of since then, up to the last recorded trade, is recorded, once."""

        differing: Counter[tuple[int, float, float]] = Counter()

        def is_whole() -> bool:
            recorded = self.recorded_trades()
            first_ms, last_ms = since_ns // 1_000_000, recorded[-1][0]
            listed = [one for one in self.listed_trades() if first_ms < one[0] < last_ms]
            differing.clear()
            differing.update(one for one in recorded if first_ms < one[0] < last_ms)
            differing.subtract(listed)
            return len(listed) > 5 and not any(differing.values())

        try:
            until(is_whole, "each trade of the gap is recorded, once", 20)
        except AssertionError as error:
            raise AssertionError(
                f"{error}: missing (-) or doubled {[one for one in differing.items() if one[1]]}"
            ) from None

    def has_traded_since(self) -> None:
        """Waits until the session has decided on an order behind what it has now."""
        before = self.client.sessions()[0].signals
        until(lambda: self.client.sessions()[0].signals > before, "the session decides again", DECIDES_S)


@pytest.fixture(scope="module")
def venues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venues]:
    with Venues(tmp_path_factory.mktemp("venues"), f"{STRUCK},{OTHER}", quotes_per_second=200) as running:
        yield running


@contextmanager
def a_desk(folder: Path, venues: Venues) -> Iterator[Desk]:
    patience = {"stale_after_s": STALE_AFTER_S, "timeout_s": 2.0}
    with Engine(write_configuration(folder, venues, venue=patience, symbols=[])) as engine, engine.client() as client:
        limits = {"max_quote_age_ms": MAX_QUOTE_AGE_MS}
        client.start_session(busy_session("s", STRUCK, OTHER, limits=limits, parameters={"min_points": 5}))
        desk = Desk(venues, engine, client)
        until(lambda: desk.is_well, "feeds are live")
        until(lambda: client.orders(), "the session trades", DECIDES_S)
        until(lambda: desk.recorded_trades(), "trades are recorded")
        yield desk
        assert engine.end() == 0, engine.tail()
        assert "Traceback" not in engine.log.read_text(), engine.tail()


class Desks:
    """One desk for test after test, as long as what they did to it leaves no trace."""

    def __init__(self, folder: Callable[[], Path], venues: Venues) -> None:
        self._folder, self._venues = folder, venues
        self._running = ExitStack()
        self._desk: Desk | None = None

    def take(self) -> Desk:
        """The one that runs, if it is as good as new, else another."""
        if self._desk is None or not self._is_fresh(self._desk):
            self.put_away()
            self._desk = self._running.enter_context(a_desk(self._folder(), self._venues))
        return self._desk

    def put_away(self) -> None:
        self._desk = None
        self._running.close()

    def _is_fresh(self, desk: Desk) -> bool:
        is_alive = desk.engine.process.is_alive()
        return is_alive and desk.is_well and desk.feed().reconnects < MOST_LOST and not desk.feed(OTHER).reconnects


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory, venues: Venues) -> Iterator[Desks]:
    desks = Desks(lambda: tmp_path_factory.mktemp("desk"), venues)
    try:
        yield desks
    finally:
        desks.put_away()


@pytest.fixture
def desk(desks: Desks, venues: Venues) -> Iterator[Desk]:
    desk = desks.take()
    try:
        yield desk
    finally:
        venues.be_well()


def now_ns(desk: Desk) -> int:
    return desk.client.health().now_ns


def test_f4_too_many_requests_delay_the_repair_and_lose_nothing(desk: Desk) -> None:
    fault, since = desk.go_wrong("rate_429", path="*aggTrades", seconds=1, count=1), now_ns(desk)
    desk.lose_sockets()
    until(lambda: desk.venues.struck(fault) == 1, "429 was answered")
    desk.mends_itself(since)
    desk.no_trade_is_missing(since)


def test_f5_a_ban_stops_everything_at_that_venue_until_it_ends(desk: Desk) -> None:
    fault, since = desk.go_wrong("ban_418", path="*aggTrades", seconds=5, count=1), now_ns(desk)
    desk.lose_sockets()
    until(lambda: desk.venues.struck(fault) == 1, "418 was answered")
    told = desk.told("broken", "banned")
    assert any("banned" in problem for problem in desk.client.health().problems)
    assert desk.feed(OTHER).state == "live"
    desk.mends_itself(told.since_ns)
    desk.no_trade_is_missing(since)


@pytest.mark.parametrize("kind", ["malformed", "truncated", "html_502"])
def test_f6_an_answer_that_cannot_be_read_is_asked_for_again(desk: Desk, kind: str) -> None:
    fault, since = desk.go_wrong(kind, path="*aggTrades", count=1), now_ns(desk)
    desk.lose_sockets()
    until(lambda: desk.venues.struck(fault) == 1, "it was answered")
    desk.mends_itself(since)
    desk.no_trade_is_missing(since)


def test_f6_a_frame_that_cannot_be_read_is_counted_and_passed_over(desk: Desk) -> None:
    before, since, lost = desk.feed(), now_ns(desk), desk.losses()
    fault = desk.go_wrong("garbled", stream=QUOTES, count=5)
    until(lambda: desk.venues.struck(fault) == 5, "frames were cut")
    until(lambda: desk.feed().rejected >= before.rejected + 5, "they are counted")
    desk.mends_itself(since)
    assert desk.losses() == lost, "the connection was given up for it"


def lose(desk: Desk) -> None:
    desk.go_wrong("drop_socket", stream=QUOTES, count=1)


def silence(desk: Desk) -> None:
    desk.go_wrong("silent_socket", stream=QUOTES, count=1)


@pytest.mark.parametrize(("strike", "why"), [(lose, ""), (silence, "silent")], ids=["dropped", "half open"])
def test_f17_a_lost_or_silent_connection_is_noticed_and_made_again(
    desk: Desk, strike: Callable[[Desk], None], why: str
) -> None:
    before, since = desk.feed().reconnects, now_ns(desk)
    strike(desk)
    until(lambda: desk.feed().reconnects > before, "it is noticed")
    desk.was_told("reconnecting", why)
    desk.mends_itself(now_ns(desk))
    desk.no_trade_is_missing(since)
    assert largest_silence_s(desk, since) < 20
    desk.has_traded_since()


def largest_silence_s(desk: Desk, since_ns: int) -> float:
    times = desk.rows(HistoryKind.QUOTES)["ts_received"]
    return float(np.diff(times[times > since_ns]).max()) / 1e9


def test_f18_quotes_that_are_left_out_leave_the_next_ones_right(desk: Desk) -> None:
    before, since = desk.feed().reconnects, now_ns(desk)
    fault = desk.go_wrong("sequence_gap", stream=QUOTES, probability=0.5, seed=3, count=50)
    until(lambda: desk.venues.struck(fault) == 50, "messages were left out")
    desk.mends_itself(since)
    assert desk.feed().reconnects == before


def test_f18_trades_that_are_left_out_are_fetched_while_the_connection_lives(desk: Desk) -> None:
    before, since = desk.feed().reconnects, now_ns(desk)
    fault = desk.go_wrong("sequence_gap", stream=TRADES, probability=0.5, seed=3, count=3)
    until(lambda: desk.venues.struck(fault) == 3, "messages were left out")
    desk.mends_itself(since)
    desk.no_trade_is_missing(since)
    assert desk.feed().reconnects == before


def test_f19_quotes_that_stand_still_on_a_living_socket_are_found_stale(desk: Desk) -> None:
    before = desk.feed().reconnects
    desk.go_wrong("sequence_gap", stream=QUOTES)
    until(lambda: desk.feed().reconnects > before, "the feed compares with the venue's own answer")
    desk.was_told("reconnecting", "the venue answers")
    desk.venues.be_well()
    desk.mends_itself(now_ns(desk))
    desk.has_traded_since()


@pytest.mark.parametrize("seconds", [-30, 30])
def test_f20_a_venue_whose_clock_is_wrong_disturbs_no_market_data(desk: Desk, seconds: float) -> None:
    before, since = desk.feed().reconnects, now_ns(desk)
    desk.go_wrong("skew", seconds=seconds)
    desk.mends_itself(since)
    assert desk.feed().reconnects == before
    assert abs(desk.client.health().clock_drift_ms) < 1_000


def test_f27_a_venue_in_maintenance_is_waited_for(desk: Desk) -> None:
    fault, since = desk.go_wrong("busy_503", method="GET"), now_ns(desk)
    desk.lose_sockets()
    until(lambda: desk.venues.struck(fault) >= 2, "it is asked again")
    assert desk.feed(OTHER).state == "live"
    desk.venues.be_well()
    desk.mends_itself(since)


def test_f30_figures_that_no_market_has_are_refused_at_the_border(desk: Desk) -> None:
    before, since = desk.feed().rejected, now_ns(desk)
    faults = [desk.go_wrong("absurd", stream=one, count=8) for one in (QUOTES, TRADES)]
    until(lambda: all(desk.venues.struck(one) == 8 for one in faults), "absurd figures were sent")
    until(lambda: desk.feed().rejected >= before + 16, "they are counted")
    desk.mends_itself(since)
    rows = np.concatenate([desk.rows(HistoryKind.QUOTES), desk.rows(HistoryKind.TRADES)])
    prices = rows["x0"]
    assert np.isfinite(prices).all() and (prices > 0).all() and (prices < 1e7).all()
    desk.no_trade_is_missing(since)  # each refused one was fetched as it was


def test_f31_a_burst_of_ten_thousand_messages_is_taken_whole(desk: Desk) -> None:
    reconnects, before, since = desk.feed().reconnects, len(desk.recorded_trades()), now_ns(desk)
    desk.go_wrong("burst", market="BTCUSDT", size=5_000)  # as many trades again
    until(lambda: len(desk.recorded_trades()) >= before + 5_000, "every trade of the burst is recorded")
    desk.mends_itself(since)
    assert desk.feed().reconnects == reconnects
