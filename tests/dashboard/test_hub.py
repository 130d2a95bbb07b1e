"""The broadcast: one message for all, numbers without holes, a snapshot for who is behind."""

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from workstation.dashboard.hub import MOST_CHANNELS, MOST_OPEN, MOST_WAITING, Channel, Hub, Source


class APage:
    def __init__(self) -> None:
        self.taken: list[Mapping[str, Any]] = []
        self.raw: list[bytes] = []
        self.waiting = 0

    def send(self, message: bytes) -> None:
        self.raw.append(message)
        self.taken.append(msgspec.json.decode(message))


class ACount(Source):
    """Tells a number; deltas say the next one."""

    def __init__(self, channel: Channel) -> None:
        self.channel, self.value, self.closed, self.encoded = channel, 0, False, 0

    def snapshot(self) -> Mapping[str, Any] | None:
        self.encoded += 1
        return {"value": self.value}

    def next(self) -> None:
        self.value += 1
        self.channel.delta({"value": self.value})

    def close(self) -> None:
        self.closed = True


def a_hub() -> tuple[Hub, dict[str, ACount]]:
    made: dict[str, ACount] = {}

    def open_source(channel: Channel) -> Source | None:
        if channel.name.startswith("no"):
            return None
        made[channel.name] = ACount(channel)
        return made[channel.name]

    return Hub(open_source), made


def watching(hub: Hub, *names: str) -> APage:
    page = APage()
    hub.enter(page)
    hub.watch(page, frozenset(names))
    return page


def shown(page: APage) -> int | None:
    """What the page shows, by the rules of channel.js: a delta counts only behind its predecessor."""
    number, value = None, None
    for message in page.taken:
        if "snapshot" in message:
            number, value = message["sequence"], message["snapshot"]["value"]
        elif number == message["sequence"] - 1:
            number, value = message["sequence"], message["delta"]["value"]
        else:
            number = None
    return value if number is not None else None


def test_a_viewer_begins_with_a_snapshot_and_follows_by_deltas() -> None:
    hub, made = a_hub()
    page = watching(hub, "count")
    made["count"].next()
    assert [("snapshot" in one, one["sequence"]) for one in page.taken] == [(True, 0), (False, 1)]
    assert shown(page) == 1


def test_all_viewers_get_the_same_bytes_written_once() -> None:
    hub, made = a_hub()
    pages = [watching(hub, "count") for _ in range(3)]
    made["count"].next()
    assert made["count"].encoded == 1
    assert pages[0].raw[-1] is pages[1].raw[-1] is pages[2].raw[-1]


def test_a_viewer_that_is_too_slow_gets_no_deltas_and_then_a_snapshot() -> None:
    hub, made = a_hub()
    page = watching(hub, "count")
    page.waiting = MOST_WAITING + 1
    made["count"].next()
    made["count"].next()
    assert len(page.taken) == 1
    page.waiting = 0
    made["count"].next()
    assert shown(page) == 3


def test_a_viewer_that_missed_a_number_is_told_all_again() -> None:
    hub, made = a_hub()
    page = watching(hub, "count")
    made["count"].next()
    del page.taken[-1]
    made["count"].next()
    assert shown(page) is None
    hub.again(page, "count")
    assert shown(page) == 2


def test_asking_again_without_taking_makes_no_queue_longer() -> None:
    hub, made = a_hub()
    page = watching(hub, "one")
    page.waiting = MOST_WAITING + 1
    for _ in range(5):
        hub.again(page, "one")
        hub.watch(page, frozenset())
        hub.watch(page, frozenset({"one"}))
    assert len(page.taken) == 1
    page.waiting = 0
    made["one"].next()
    assert shown(page) == made["one"].value


def test_all_viewers_together_open_no_more_channels_than_there_may_be() -> None:
    hub, _ = a_hub()
    for number in range(2 * MOST_OPEN // MOST_CHANNELS):
        watching(hub, *(f"{number}-{one}" for one in range(MOST_CHANNELS)))
    assert len(hub.channels) == MOST_OPEN


def test_a_source_ends_with_its_last_viewer() -> None:
    hub, made = a_hub()
    first, second = watching(hub, "count"), watching(hub, "count")
    hub.leave(first)
    assert not made["count"].closed
    hub.watch(second, frozenset())
    assert made["count"].closed
    assert not hub.channels


def test_a_hidden_page_watches_nothing_and_begins_anew_when_it_is_seen() -> None:
    hub, made = a_hub()
    page = watching(hub, "count")
    hub.watch(page, frozenset())
    hub.watch(page, frozenset({"count"}))
    made["count"].next()
    assert shown(page) == 1


def test_an_unknown_channel_is_no_channel() -> None:
    hub, _ = a_hub()
    page = watching(hub, "nothing")
    assert not hub.channels
    hub.again(page, "nothing")
    hub.leave(page)
    assert page.taken == []


def test_a_viewer_watches_no_more_channels_than_it_may() -> None:
    hub, made = a_hub()
    watching(hub, *(f"count{n}" for n in range(MOST_CHANNELS + 5)))
    assert len(made) == MOST_CHANNELS


@given(
    st.lists(
        st.tuples(st.sampled_from(["next", "slow", "quick", "leave", "come", "again"]), st.integers(0, 2)), max_size=60
    )
)
def test_whoever_is_not_behind_shows_the_newest(steps: list[tuple[str, int]]) -> None:
    hub, made = a_hub()
    pages = [watching(hub, "count") for _ in range(3)]
    for what, which in steps:
        page = pages[which]
        if what == "next" and "count" in hub.channels:
            made["count"].next()
        elif what in ("slow", "quick"):
            page.waiting = MOST_WAITING + 1 if what == "slow" else 0
        elif what == "leave":
            hub.watch(page, frozenset())
        elif what == "come":
            hub.watch(page, frozenset({"count"}))
        else:
            hub.again(page, "count")
    for page in pages:
        page.waiting = 0
        hub.watch(page, frozenset({"count"}))
    made["count"].next()
    assert [shown(page) for page in pages] == [made["count"].value] * 3
