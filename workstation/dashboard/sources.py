"""Which channels there are, by names: "state", "candles:venue:symbol:interval", "spreads", "spread:a b"
and "spread:a b basis", each of these an instrument such as nova:BTC/USDT."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workstation.dashboard.candle_source import CandleSource
from workstation.dashboard.hub import Channel, Source
from workstation.dashboard.link import EngineLink
from workstation.dashboard.pairs import sides_named
from workstation.dashboard.spread_source import SpreadBoard, SpreadSource
from workstation.dashboard.state import EngineState
from workstation.dashboard.telling import told_of
from workstation.errors import BadInput
from workstation.model.market import interval_ns
from workstation.windows.opportunities import OpportunitySpec

STATE = "state"
CANDLES = "candles"
SPREAD, SPREADS = "spread", "spreads"


class StateSource:
    """The bar's figures, the pages' "Now" and the rows of their tables; after each look at the engine what changed."""

    def __init__(self, channel: Channel, link: EngineLink) -> None:
        self._channel, self._link = channel, link
        self._told = told_of(link.state, time.monotonic())
        self._leave = link.follow(self._on_look)

    def snapshot(self) -> Mapping[str, Any]:
        return self._told

    def close(self) -> None:
        self._leave()

    def _on_look(self, state: EngineState) -> None:
        before, self._told = self._told, told_of(state, time.monotonic())
        self._channel.delta({name: told for name, told in self._told.items() if told != before[name]})


def open_source(channel: Channel, link: EngineLink, history: Path, wanted: OpportunitySpec) -> Source | None:
    """None for a name that no page of ours asks for, and for bars of what the engine does not watch."""
    kind, _, rest = channel.name.partition(":")
    if channel.name == STATE:
        return StateSource(channel, link)
    if channel.name == SPREADS:
        return SpreadBoard(channel, link)
    if kind == CANDLES:
        venue, _, instrument = rest.partition(":")
        symbol, _, interval = instrument.rpartition(":")
        try:
            interval_ns(interval)
        except BadInput:
            return None
        watched = link.state.instruments  # none while the engine has not told
        if not venue or not symbol or (watched and (venue, symbol) not in watched):
            return None
        return CandleSource(channel, link, venue, symbol, interval)
    if kind == SPREAD:
        sides = sides_named(rest)
        return None if sides is None else SpreadSource(channel, link, history, wanted, sides)
    return None
