"""The engine's feeds: what each is asked for, what becomes of one that breaks, and what is shown of them."""

import asyncio
from decimal import Decimal

import pytest

from tests.engine.bench import Bench, HandClock, MemoryFeed, a_bench
from tests.session.desks import NOVA, ORION, START_NS, SYMBOL, linear
from workstation.engine.engine import Engine
from workstation.engine.feeds import Feeds, Wish
from workstation.engine.jobs import Jobs
from workstation.errors import BadInput, VenueUnavailable
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey, Registry
from workstation.model.market import MINUTE_NS
from workstation.ports.feed import FeedCounts, FeedState, FeedStatus
from workstation.research.jobs import check_job

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
            for _ in range(200):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.wait([running])
            await bench.feeds.stop()

        asyncio.run(some_time())
        assert [[one.key for one in asked] for asked in bench.feed["nova"].asked] == [[NOVA, NOVA_ETH]]
        assert [[one.key for one in asked] for asked in bench.feed["orion"].asked] == [[ORION]]


def an_engine(bench: Bench, watched: tuple[str, ...] = ()) -> Engine:
    return Engine(
        clock=bench.clock,
        turns=bench.turns,
        sessions=bench.sessions,
        feeds=bench.feeds,
        jobs=Jobs(bench.settings, bench.bus, bench.clock, check_job),
        ledger=bench.ledger,
        bus=bench.bus,
        watched=watched,
        wish=Wish(),
    )
