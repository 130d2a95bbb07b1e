"""The engine's feeds: what each is asked for, what becomes of one that breaks, and what is shown of them."""

import asyncio
import threading
from decimal import Decimal

import numpy as np
import pytest

from tests.engine.bench import Bench, HandClock, MemoryFeed, a_bench
from tests.session.desks import NOVA, ORION, START_NS, SYMBOL, linear
from workstation.engine import engine as engine_module
from workstation.engine.engine import Engine
from workstation.engine.feeds import Feeds
from workstation.engine.jobs import Jobs
from workstation.engine.wish import Wish
from workstation.errors import BadInput, VenueUnavailable
from workstation.history.live_log import LIVE_FOLDER, logs_in, read_log
from workstation.model.durations import MINUTE_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import Instrument, InstrumentKey, Registry
from workstation.model.market import (
    MARKET_ROW,
    RowKind,
)
from workstation.model.sides import Sides
from workstation.ports.feed import FeedCounts, FeedState, FeedStatus
from workstation.research.jobs import check_job
from workstation.windows.opportunities import OpportunitySpec

ETH = Symbol("ETH/USDT:USDT")
NOVA_ETH = InstrumentKey(Venue("nova"), ETH)


class Statuses:
    def __init__(self) -> None:
        self.told: list[FeedStatus] = []

    def status(self, status: FeedStatus) -> None:
        self.told.append(status)


class Breaks(MemoryFeed):
    def __init__(self, error: Exception) -> None:
        super().__init__("nova", [linear(NOVA)])
        self.error = error

    async def run(self, subscriptions, sink) -> None:
        raise self.error


def some_feeds(feed: MemoryFeed, statuses: Statuses) -> Feeds:
    return Feeds({feed.venue: (feed, "memory")}, HandClock(START_NS), statuses)  # type: ignore[arg-type]


def a_registry() -> Registry:
    registry = Registry()
    for key in (NOVA, NOVA_ETH):
        registry.add(linear(key))
    return registry


async def run_for_a_while(feeds: Feeds, *between) -> None:
    feeds.start(a_registry())
    for act in (lambda: None, *between):
        act()
        for _ in range(50):
            await asyncio.sleep(0)
    await feeds.stop()


def test_wishes_add_up_and_those_that_grow_join_the_feed_that_runs() -> None:
    feed = MemoryFeed("nova", [linear(NOVA), linear(NOVA_ETH)])
    feeds = some_feeds(feed, Statuses())
    feeds.want({NOVA: Wish(intervals_ns=frozenset({MINUTE_NS}))})
    asyncio.run(
        run_for_a_while(
            feeds,
            lambda: feeds.want({NOVA: Wish()}),  # is asked for already
            lambda: feeds.want({NOVA: Wish(trades=True), NOVA_ETH: Wish()}),
        )
    )
    assert [[one.key for one in asked] for asked in feed.asked] == [[NOVA]]
    assert [[one.key for one in added] for added in feed.added] == [[NOVA, NOVA_ETH]]
    last = feed.added[-1][0]
    assert (last.quotes, last.trades, last.intervals_ns) == (True, True, (MINUTE_NS,))


def test_by_hand_a_feed_that_broke_is_run_again_at_once() -> None:
    class BreaksOnce(MemoryFeed):
        async def run(self, subscriptions, sink) -> None:
            await super().run(subscriptions, sink) if self.retried else await asyncio.sleep(0)
            raise VenueUnavailable("nova: no answer")

    feed = BreaksOnce("nova", [linear(NOVA)])
    feeds = some_feeds(feed, Statuses())
    feeds.want({NOVA: Wish()})
    asyncio.run(run_for_a_while(feeds, lambda: feeds.retry_now("nova")))
    assert (feed.retried, len(feed.asked)) == (1, 1)
    with pytest.raises(BadInput, match="venue 'orion': expected one of the engine's: nova"):
        feeds.retry_now("orion")


class Strict(MemoryFeed):
    """As a real one it takes nothing up while it does not run; its first run breaks at once."""

    def __init__(self) -> None:
        super().__init__("nova", [linear(NOVA), linear(NOVA_ETH)])
        self.runs, self.is_running = 0, False

    async def run(self, subscriptions, sink) -> None:
        self.runs, self.is_running = self.runs + 1, True
        try:
            await super().run(subscriptions, sink) if self.runs > 1 else await asyncio.sleep(0)
        finally:
            self.is_running = False

    def add(self, subscriptions) -> None:
        if not self.is_running:
            raise BadInput("the feed does not run")
        super().add(subscriptions)


@pytest.mark.parametrize("steps", range(10))
def test_whenever_more_is_wanted_the_feed_takes_it_up_now_or_with_its_next_run(steps: int) -> None:
    feed = Strict()
    feeds = some_feeds(feed, Statuses())

    async def scenario() -> None:
        feeds.start(a_registry())
        feeds.want({NOVA: Wish()})
        for _ in range(steps):
            await asyncio.sleep(0)
        feeds.want({NOVA_ETH: Wish()})
        for _ in range(50):
            await asyncio.sleep(0)
        await feeds.stop()

    asyncio.run(scenario())
    asked = [one.key for told in (*feed.asked, *feed.added) for one in told]
    assert feed.runs > 1 and {*asked} == {NOVA, NOVA_ETH}


def test_what_a_venue_does_not_have_is_refused_to_who_wants_it_and_the_rest_is_kept() -> None:
    class Refuses(MemoryFeed):
        def add(self, subscriptions) -> None:
            raise BadInput("no bars of 5s")

    feed = Refuses("nova", [linear(NOVA), linear(NOVA_ETH)])
    feeds = some_feeds(feed, Statuses())
    feeds.want({NOVA: Wish()})

    def want_more() -> None:
        with pytest.raises(BadInput, match="no bars of 5s"):
            feeds.want({NOVA_ETH: Wish()})

    asyncio.run(run_for_a_while(feeds, want_more))
    assert [[one.key for one in asked] for asked in feed.asked] == [[NOVA]]
    assert feeds.views()[0].symbols == 1


@pytest.mark.parametrize("error", [VenueUnavailable("nova: no answer"), KeyError("a mistake of ours")])
def test_a_feed_that_breaks_says_so_and_is_tried_again(error: Exception) -> None:
    statuses = Statuses()
    feeds = some_feeds(Breaks(error), statuses)
    feeds.want({NOVA: Wish()})
    asyncio.run(run_for_a_while(feeds))
    (told,) = statuses.told
    assert told.state is FeedState.BROKEN and str(error) in told.reason and "trying again in 1 s" in told.reason


def test_what_a_venue_does_not_list_is_named_with_the_reason_and_keeps_no_other_back() -> None:
    feed = MemoryFeed("nova", [linear(NOVA), linear(NOVA_ETH)])
    feeds = some_feeds(feed, Statuses())
    found, why = asyncio.run(feeds.look_up(feed.venue, [SYMBOL, Symbol("A/B"), ETH, Symbol("C/D")]))
    assert [one.symbol for one in found] == [SYMBOL, ETH]
    assert why == {"A/B": "nova: no A/B", "C/D": "nova: no C/D"}


def test_what_is_wrong_with_one_instrument_keeps_no_other_back() -> None:
    class LacksATick(MemoryFeed):
        async def instruments(self, symbols=None):
            if ETH in symbols:
                raise BadInput(f"nova:{ETH}: the venue gives no tick_size")
            return await super().instruments(symbols)

    feeds = some_feeds(LacksATick("nova", [linear(NOVA)]), Statuses())
    found, why = asyncio.run(feeds.look_up(Venue("nova"), [ETH, SYMBOL]))
    assert [one.symbol for one in found] == [SYMBOL] and why == {ETH: f"nova:{ETH}: the venue gives no tick_size"}


@pytest.mark.parametrize("key", [None, NOVA])
@pytest.mark.parametrize("state", [FeedState.STALE, FeedState.RECONNECTING, FeedState.BROKEN, FeedState.STOPPED])
def test_quotes_from_before_a_break_were_not_watched_since(state: FeedState, key: InstrumentKey | None) -> None:
    feed = MemoryFeed("nova", [linear(NOVA), linear(NOVA_ETH)])
    clock = HandClock(START_NS)
    feeds = Feeds({feed.venue: (feed, "memory")}, clock, Statuses())  # type: ignore[arg-type]
    assert feeds.watched_since(NOVA) == START_NS
    clock.time_ns += MINUTE_NS
    feeds.told(FeedStatus(venue=feed.venue, state=state, reason="", counts=FeedCounts(), key=key))
    assert feeds.watched_since(NOVA) > clock.time_ns
    assert (feeds.watched_since(NOVA_ETH) == START_NS) == (key is not None)
    after = feeds.watched_since(NOVA)
    clock.time_ns += MINUTE_NS
    feeds.told(FeedStatus(venue=feed.venue, state=FeedState.LIVE, reason="", counts=FeedCounts(), key=key))
    assert feeds.watched_since(NOVA) == after


def test_the_rules_of_what_is_known_are_asked_for_again_until_the_venue_lists_it_no_more() -> None:
    feed = MemoryFeed("nova", [linear(NOVA), linear(NOVA_ETH)])
    feeds = some_feeds(feed, Statuses())
    assert asyncio.run(feeds.look_up(feed.venue)) == ([], {})
    asyncio.run(feeds.instruments(feed.venue, [SYMBOL, ETH]))
    feed.rules[SYMBOL] = changed = linear(NOVA, tick_size=Decimal("0.5"))
    assert asyncio.run(feeds.look_up(feed.venue))[0] == [changed, linear(NOVA_ETH)]
    assert asyncio.run(feeds.instruments(feed.venue, [SYMBOL])) == [changed]
    del feed.rules[ETH]
    assert asyncio.run(feeds.look_up(feed.venue)) == ([changed], {ETH: f"nova: no {ETH}"})
    assert asyncio.run(feeds.look_up(feed.venue)) == ([changed], {})


def test_a_venue_that_does_not_answer_is_why_none_of_its_rules_is_known() -> None:
    class Silent(MemoryFeed):
        async def instruments(self, symbols=None):
            raise VenueUnavailable("nova: no answer")

    feeds = some_feeds(Silent("nova", ()), Statuses())
    assert asyncio.run(feeds.look_up(Venue("nova"), [SYMBOL])) == ([], {SYMBOL: "nova: no answer"})


def test_counts_are_those_of_now() -> None:
    feed = MemoryFeed("nova", [linear(NOVA)])
    feeds = some_feeds(feed, Statuses())
    feed.counts = FeedCounts(messages=7, reconnects=2, refused=1)
    (view,) = feeds.views()
    assert (view.messages, view.reconnects, view.rejected) == (7, 2, 1)


def test_a_state_that_is_told_twice_changes_nothing() -> None:
    feed = MemoryFeed("nova", [linear(NOVA)])
    feeds = some_feeds(feed, Statuses())
    status = FeedStatus(venue=feed.venue, state=FeedState.LIVE, reason="", counts=FeedCounts())
    assert [feeds.told(status), feeds.told(status)] == [True, False]


def test_all_watched_symbols_of_a_venue_are_wanted_at_once(tmp_path) -> None:
    keys = (NOVA, NOVA_ETH, ORION)
    with a_bench(tmp_path / "home", [linear(key) for key in keys]) as bench:

        async def some_time() -> None:
            running = asyncio.ensure_future(an_engine(bench, (SYMBOL, ETH)).run())
            while not (bench.feed["nova"].asked and bench.feed["orion"].asked):
                await asyncio.sleep(0.001)
            for _ in range(50):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.wait([running])
            await bench.feeds.stop()

        asyncio.run(asyncio.wait_for(some_time(), 30))
        assert [[one.key for one in asked] for asked in bench.feed["nova"].asked] == [[NOVA, NOVA_ETH]]
        assert [[one.key for one in asked] for asked in bench.feed["orion"].asked] == [[ORION]]


def test_what_is_refused_of_one_symbol_keeps_no_other_of_its_venue_back(tmp_path, monkeypatch) -> None:
    with a_bench(tmp_path / "home", [linear(NOVA), linear(NOVA_ETH)]) as bench:
        want = bench.feeds.want

        def refusing(wishes, holder: str = "") -> None:
            if NOVA_ETH in wishes:
                raise BadInput(f"{NOVA_ETH}: contract_size 10: expected 1")
            want(wishes, holder)

        monkeypatch.setattr(bench.feeds, "want", refusing)
        engine = an_engine(bench, (SYMBOL, ETH))
        asyncio.run(engine._watch(Venue("nova")))
        assert [one.symbols for one in bench.feeds.views() if one.venue == "nova"] == [1]
        assert engine._health.not_fed == {str(NOVA_ETH): f"{NOVA_ETH}: contract_size 10: expected 1"}


def test_rows_are_recorded_while_a_session_is_recovered(tmp_path) -> None:
    with a_bench(tmp_path / "home") as bench:
        bench.start()
        home = bench.crashed(tmp_path / "again")
    with a_bench(home) as again:
        folding, may_fold = threading.Event(), threading.Event()
        facts = again.ledger.facts

        def slow_facts(*arguments, **options):
            folding.set()
            assert may_fold.wait(20)
            return facts(*arguments, **options)

        again.ledger.facts = slow_facts  # type: ignore[method-assign]

        async def some_time() -> None:
            running = asyncio.ensure_future(an_engine(again, (SYMBOL,)).run())
            while not (folding.is_set() and again.feed["nova"].asked):
                await asyncio.sleep(0.001)
            again.channel.quote(again.market.registry.index(NOVA), 0, 99.0, 101.0, 1.0, 1.0)
            while not again.recorder.state.writer.rows_written:
                await asyncio.sleep(0.001)
            assert not again.sessions.all()
            may_fold.set()
            while not again.sessions.all() or not again.sessions.of("s").is_ready:
                await asyncio.sleep(0.001)
            running.cancel()
            await asyncio.wait([running])
            await again.feeds.stop()

        asyncio.run(asyncio.wait_for(some_time(), 30))
        assert all(one.beyond == 0 for one in again.verify_all().values())


def test_rules_that_a_venue_changes_are_recorded(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "RULES_EVERY_S", 0.001)
    with a_bench(tmp_path / "home") as bench:
        changed = linear(NOVA, tick_size=Decimal("0.5"), valid_from_ns=START_NS + 1)

        async def some_time() -> None:
            running = asyncio.ensure_future(an_engine(bench, (SYMBOL,)).run())
            while not bench.feed["nova"].asked:
                await asyncio.sleep(0.001)
            bench.channel.quote(bench.market.registry.index(NOVA), 0, 99.0, 101.0, 1.0, 1.0)
            bench.feed["nova"].rules[SYMBOL] = changed
            while bench.store.recording().rows == 0 or changed not in declared(bench):
                await asyncio.sleep(0.001)
            running.cancel()
            await asyncio.wait([running])
            await bench.feeds.stop()

        asyncio.run(asyncio.wait_for(some_time(), 30))
        bench.recorder.roll()
        assert bench.store.instrument(NOVA).tick_size == Decimal("0.5")


def declared(bench: Bench) -> list[Instrument]:
    logs = [read_log(path) for path in logs_in(bench.store.root / LIVE_FOLDER)]
    return [rules for log in logs for rules in log.rules]


def an_engine(bench: Bench, watched: tuple[str, ...] = (), pairs: tuple[Sides, ...] = ()) -> Engine:
    return Engine(
        clock=bench.clock,
        turns=bench.turns,
        sessions=bench.sessions,
        feeds=bench.feeds,
        jobs=Jobs(bench.settings, bench.bus, bench.clock, check_job),
        collections=bench.collections,
        ledger=bench.ledger,
        bus=bench.bus,
        store=bench.store,
        watched=watched,
        wish=Wish(),
        opportunities=OpportunitySpec(least_bps=-20.0),
        pairs=pairs,
    )


def test_what_only_one_held_is_given_back_and_the_next_connection_is_for_the_rest() -> None:
    feed = MemoryFeed("nova", [linear(NOVA), linear(NOVA_ETH)])
    feeds = some_feeds(feed, Statuses())
    feeds.want({NOVA: Wish()})

    def lost() -> None:
        status = FeedStatus(venue=feed.venue, state=FeedState.RECONNECTING, reason="closed", counts=FeedCounts())
        feeds.told(status)

    asyncio.run(
        run_for_a_while(
            feeds,
            lambda: feeds.want({NOVA: Wish(trades=True), NOVA_ETH: Wish(trades=True)}, "one"),
            lambda: feeds.want({NOVA: Wish(trades=True, book_levels=5)}, "two"),
            lambda: feeds.release("one"),
            lambda: feeds.want({NOVA_ETH: Wish(book_levels=3)}, "three"),  # its trades are still told
            lambda: feeds.release("three"),
            lambda: feeds.release("nobody"),
            lost,
            lost,
        )
    )
    assert [[(one.key, one.trades, one.book_levels) for one in added] for added in feed.added] == [
        [(NOVA, True, 0), (NOVA_ETH, True, 0)], [(NOVA, True, 5)], [(NOVA_ETH, True, 3)]
    ]  # fmt: skip
    assert feeds.views()[0].symbols == 1
    assert [[(one.key, one.trades, one.book_levels) for one in asked] for asked in feed.asked] == [
        [(NOVA, False, 0)], [(NOVA, True, 5)]
    ]  # fmt: skip


def test_a_feed_of_which_nothing_is_wanted_ends_and_begins_again_with_the_next_wish() -> None:
    ended = []

    class Tells(MemoryFeed):
        async def run(self, subscriptions, sink) -> None:
            try:
                await super().run(subscriptions, sink)
            finally:
                ended.append(len(subscriptions))

    feed = Tells("nova", [linear(NOVA), linear(NOVA_ETH)])
    feeds = some_feeds(feed, Statuses())

    async def run() -> None:
        feeds.start(a_registry())
        for act in (
            lambda: feeds.want({NOVA: Wish(), NOVA_ETH: Wish()}, "one"),
            lambda: feeds.release("one"),
            lambda: feeds.want({NOVA: Wish()}, "two"),
        ):
            act()
            for _ in range(20):
                await asyncio.sleep(0)
            if not feeds._lines[feed.venue].wishes:
                view = feeds.views()[0]
                assert (view.state, view.reason, view.symbols) == ("connecting", "nothing is wanted of it", 0)
        assert ended == [2]
        await feeds.stop()

    asyncio.run(run())
    assert [[one.key for one in asked] for asked in feed.asked] == [[NOVA, NOVA_ETH], [NOVA]] and ended == [2, 1]


def test_rows_of_what_is_wanted_no_more_are_let_go_until_the_feed_runs_anew() -> None:
    feed = MemoryFeed("nova", [linear(NOVA), linear(NOVA_ETH)])
    feeds = some_feeds(feed, Statuses())
    feeds.want({NOVA: Wish()})
    rows = np.zeros(3, MARKET_ROW)
    rows["kind"], rows["instrument"] = [RowKind.QUOTE, RowKind.TRADE, RowKind.QUOTE], [0, 0, 1]
    kept = []
    asyncio.run(
        run_for_a_while(
            feeds,
            lambda: feeds.want({NOVA: Wish(trades=True), NOVA_ETH: Wish()}, "one"),
            lambda: kept.append(len(feeds.sift(rows))),
            lambda: feeds.release("one"),
            lambda: kept.append(len(feeds.sift(rows))),
            lambda: feeds.want({NOVA: Wish(trades=True)}, "two"),
            lambda: kept.append(len(feeds.sift(rows))),
        )
    )
    assert kept == [3, 1, 2]
