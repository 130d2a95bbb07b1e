"""The bus: numbered, kept for a while, written once."""

import json
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.client.messages import SignalView, StreamEvent, Topic
from workstation.engine.bus import Bus, Published
from workstation.errors import BadInput

SIGNAL = SignalView(
    signal="s", session="one", strategy="x", action="open", legs=("a",), reason="", time_ns=1, refusal=None
)


def filled(bus: Bus, number: int) -> list[Published]:
    return [bus.publish(Topic.ORDER_FILLED, {"place": place}, time_ns=place) for place in range(number)]


def test_events_are_numbered_from_one_and_reach_every_subscriber_at_once() -> None:
    bus, first, second = Bus(), [], []
    bus.subscribe(first.append)
    bus.subscribe(second.append)
    events = filled(bus, 3)
    assert [event.sequence for event in events] == [1, 2, 3]
    assert first == second == events
    assert bus.sequence == 3


def test_who_has_unsubscribed_is_not_called_and_the_others_are() -> None:
    bus, gone, here = Bus(), [], []
    leave = bus.subscribe(gone.append)
    bus.subscribe(here.append)
    leave()
    leave()
    filled(bus, 1)
    assert (len(gone), len(here)) == (0, 1)


def test_a_subscriber_that_raises_neither_stops_publishing_nor_is_called_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus, calls, seen = Bus(), [], []

    def failing(event: Published) -> None:
        calls.append(event)
        raise RuntimeError("broken view")

    bus.subscribe(failing)
    bus.subscribe(seen.append)
    filled(bus, 2)
    assert (len(calls), len(seen)) == (1, 2)
    assert "broken view" in caplog.text


def test_an_event_is_written_once_and_only_when_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    encode = Published._encode
    monkeypatch.setattr(Published, "_encode", lambda event: written.append(event.sequence) or encode(event))
    event = filled(Bus(), 2)[1]
    assert written == []
    assert event.encoded is event.encoded
    assert written == [2]


def test_what_is_written_is_a_stream_event_with_exact_decimals_and_no_nan() -> None:
    data = {
        "price": Decimal("0.10"),
        "mark": float("nan"),
        "far": float("inf"),
        "seen": np.float64(1.5),
        "count": np.int64(2),
        "fees": MappingProxyType({"USDT": Decimal("1E-7")}),
        "signal": SIGNAL,
    }
    event = Bus().publish(Topic.SIGNAL_GENERATED, data, time_ns=7, session="one", symbol="BTC/USDT")
    read = StreamEvent.model_validate_json(event.encoded)
    assert (read.topic, read.sequence, read.time_ns, read.session, read.symbol) == (
        Topic.SIGNAL_GENERATED, 1, 7, "one", "BTC/USDT",
    )  # fmt: skip
    assert read.data == {
        "price": "0.10", "mark": None, "far": None, "seen": 1.5, "count": 2, "fees": {"USDT": "1E-7"},
        "signal": SIGNAL.model_dump(mode="json"),
    }  # fmt: skip


def test_a_message_may_be_the_data_itself() -> None:
    event = Bus().publish(Topic.SIGNAL_GENERATED, SIGNAL, time_ns=7)
    assert json.loads(event.encoded)["data"]["signal"] == "s"


@pytest.mark.parametrize("value", ["\ud800", object(), {1: object()}, {object(): 1}])
def test_what_json_cannot_hold_costs_that_event_its_data_and_nothing_else(value: object) -> None:
    event = Bus().publish(Topic.DATA_QUALITY, {"value": value}, time_ns=7)
    read = StreamEvent.model_validate_json(event.encoded)
    assert read.sequence == 1
    assert list(read.data) == ["unwritten"]


def test_a_backlog_is_what_came_after_and_says_what_is_kept_no_more() -> None:
    bus = Bus(capacity=3)
    filled(bus, 5)
    assert bus.since(5) == (None, [])
    assert [event.sequence for event in bus.since(4).events] == [5]
    assert bus.since(2).missed is None
    assert bus.since(1).missed == (2, 2)
    assert bus.since(0).missed == (1, 2)
    assert [event.sequence for event in bus.since(0).events] == [3, 4, 5]


@given(published=st.integers(0, 40), capacity=st.integers(1, 20), since=st.integers(0, 60))
def test_missed_and_backlog_are_together_all_that_came_after(published: int, capacity: int, since: int) -> None:
    bus = Bus(capacity)
    filled(bus, published)
    missed, events = bus.since(since)
    lost = [] if missed is None else list(range(missed[0], missed[1] + 1))
    assert lost + [event.sequence for event in events] == list(range(since + 1, published + 1))


def test_a_bus_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="bus capacity 0: expected 1 event or more"):
        Bus(0)
