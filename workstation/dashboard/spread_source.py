"""The channels of spreads: one pair's series and its "now", and all pairs in one table."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workstation.client.control import LARGEST_PAGE
from workstation.client.messages import InstrumentView, OpportunityView, SpreadView, StreamEvent, Topic
from workstation.dashboard.hub import Channel
from workstation.dashboard.link import EngineLink
from workstation.dashboard.opportunity_log import Opportunity, OpportunityLog
from workstation.dashboard.spread_history import bps_of, pair_window, recorded_opportunities, recorded_points
from workstation.dashboard.spread_points import Point, SpreadPoints, gap_at, point_of
from workstation.dashboard.state import EngineState
from workstation.errors import WorkstationError
from workstation.model.durations import MS_NS
from workstation.windows.opportunities import OpportunitySpec

KEPT_MS = 2 * 3_600_000 + 60_000
FLUSH_S = 0.1
AGAIN_S = 2.0
SILENT_MS = 1_500
"""Without an event for so long, what a look says is newer."""
MOST_EARLY = 1_000
"""Events that wait for the recording."""

log = logging.getLogger(__name__)


class SpreadSource:
    """Reads what is recorded once, then follows the engine's events; after a loss it begins anew."""

    def __init__(
        self,
        channel: Channel,
        link: EngineLink,
        history: Path,
        wanted: OpportunitySpec,
        symbol: str,
        venue_a: str,
        venue_b: str,
    ) -> None:
        self._channel, self._link, self._history, self._wanted = channel, link, history, wanted
        self._symbol, self._venues = symbol, (venue_a, venue_b)
        self._window = pair_window(symbol, venue_a, venue_b)
        self._stale_ms = self._window.stale_after_ns // MS_NS
        self._points = SpreadPoints(KEPT_MS, self._stale_ms)
        self._log = OpportunityLog(symbol, self._venues)
        self._view: SpreadView | None = None
        self._told_ms = 0
        self._quotes: dict[str, Mapping[str, Any]] = {}
        self._rules: list[InstrumentView] = []
        self._early: deque[StreamEvent] | None = deque(maxlen=MOST_EARLY)
        """What came while the recording is read, to be put behind it; None once it is read."""
        self._is_behind = False
        self._problem = ""
        self._flush: asyncio.TimerHandle | None = None
        self._leave = [link.listen(symbol, self), link.follow(self._on_look)]
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def snapshot(self) -> Mapping[str, Any] | None:
        if not self._rules:
            return {"problem": self._problem} if self._problem else None
        return {
            "problem": self._problem,
            "is_reading": self._early is not None,
            "decimals": max(one.price_decimals for one in self._rules),
            "fees_bps": [bps_of(one.taker_fee_rate) for one in self._rules],
            "base": self._rules[0].base,
            "stale_ms": self._stale_ms,
            "points": self._points.columns(),
            "ended": [one.row for one in self._log.ended],
            "lasting": [one.row for one in self._log.lasting],
            "now": self._now(),
        }

    def close(self) -> None:
        for leave in self._leave:
            leave()
        self._opening.cancel()
        if self._flush is not None:
            self._flush.cancel()

    # -- the recording

    async def _open(self) -> None:
        while not (rules := await self._known_rules()):
            problem = f"The engine does not watch {self._symbol} at {' and '.join(self._venues)}."
            if self._problem != problem:
                self._problem = problem
                self._channel.snapshot()
            await asyncio.sleep(AGAIN_S)
        self._rules, self._problem = rules, ""
        self._channel.snapshot()
        start_ns = time.time_ns() - KEPT_MS * MS_NS
        try:
            points, recorded = await asyncio.to_thread(self._recorded, rules, start_ns)
            told = await self._link.ask(lambda client: client.opportunities(self._symbol, limit=LARGEST_PAGE))
        except WorkstationError as error:
            points, recorded, told, self._problem = [], [], (), f"Nothing of the past is shown: {error}"
        self._points.begin(points)
        self._log.begin(recorded, (one for one in told if (one.closed_ns or one.opened_ns) >= start_ns))
        self._begin()
        self._channel.snapshot()

    def _recorded(self, rules: list[InstrumentView], start_ns: int) -> tuple[list[Point], list[Opportunity]]:
        points = recorded_points(self._history, self._window, rules, start_ns)
        return points, recorded_opportunities(self._history, self._window, self._wanted, rules, start_ns)

    def _begin(self) -> None:
        """Behind what is past: what came meanwhile."""
        self._told_ms = 0
        early, self._early = self._early or (), None
        for event in early:
            self._take(event)
        self._points.changes()
        self._log.news()

    async def _known_rules(self) -> list[InstrumentView]:
        """Of both sides; empty while the engine has not told them."""
        state = self._link.state if self._link.state.instruments else await self._link.look()
        found = [state.instruments.get((venue, self._symbol)) for venue in self._venues]
        return [one for one in found if one is not None] if None not in found else []

    # -- what comes

    def missed(self) -> None:
        """The next event shows that the engine is there again."""
        self._is_behind = True

    def heard(self, event: StreamEvent) -> None:
        if self._is_behind and self._opening.done():
            self._early = deque(maxlen=MOST_EARLY)
            self._opening = asyncio.get_running_loop().create_task(self._open())
        self._is_behind = False
        if self._early is not None:
            self._early.append(event)
        self._take(event)

    def _take(self, event: StreamEvent) -> None:
        data = event.data
        if event.topic is Topic.MARKET_DATA and data.get("venue") in self._venues:
            self._quotes[data["venue"]] = data
        elif event.topic is Topic.INDICATOR_UPDATED and (data["venue_a"], data["venue_b"]) == self._venues:
            self._put(event.time_ns // MS_NS, SpreadView.model_validate(data))
        elif event.topic is Topic.OPPORTUNITY:
            self._log.put(OpportunityView.model_validate(data))
            self._flush_soon()

    def _put(self, t_ms: int, view: SpreadView) -> None:
        if t_ms < self._told_ms:
            return
        self._told_ms, self._view = t_ms, view
        self._points.put(point_of(t_ms, view))
        self._flush_soon()

    def _on_look(self, state: EngineState) -> None:
        """Where no event comes, as from venues that fell silent, ages grow all the same."""
        if state.health is None or state.loss:
            return
        now_ms = state.health.now_ns // MS_NS
        if now_ms - self._told_ms < SILENT_MS:
            return
        found = next((one for one in state.spreads if _names(one) == (self._symbol, *self._venues)), None)
        if found is None:
            return
        self._told_ms, self._view = now_ms, found
        late_ms = max(age_or_never(found.age_a_ms), age_or_never(found.age_b_ms)) - self._stale_ms
        if late_ms > 0:
            last = self._points.last
            begins_ms = now_ms if math.isinf(late_ms) else now_ms - int(late_ms)
            self._points.put(gap_at(begins_ms if last is None else max(begins_ms, last.t), found.mean_bps))
            self._log.silence()
        self._flush_soon()

    def _capacities(self) -> tuple[float | None, float | None]:
        """What could be sold at the one side and bought at the other, as the last quotes told it, in base."""
        a, b = (self._quotes.get(venue, {}) for venue in self._venues)
        return _least(a.get("bid_quantity"), b.get("ask_quantity")), _least(
            b.get("bid_quantity"), a.get("ask_quantity")
        )

    # -- what is told

    def _flush_soon(self) -> None:
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._send)

    def _send(self) -> None:
        self._flush = None
        if not self._rules:
            return
        after, points = self._points.changes()
        self._channel.delta(
            {
                "after": after,
                "points": points,
                "ended": [one.row for one in self._log.news()],
                "lasting": [one.row for one in self._log.lasting],
                "now": self._now(),
            }
        )

    def _now(self) -> Mapping[str, Any] | None:
        if self._view is None:
            return None
        told = self._view.model_dump(exclude={"symbol", "venue_a", "venue_b", "deviation_bps"})
        return {"t": self._told_ms, **told, "capacities": self._capacities()}


class SpreadBoard:
    """All pairs that the engine watches, a snapshot for each look at it."""

    def __init__(self, channel: Channel, link: EngineLink) -> None:
        self._channel, self._link = channel, link
        self._leave = link.follow(lambda _: channel.snapshot())

    def snapshot(self) -> Mapping[str, Any]:
        stale_ms = pair_window("-", "a", "b").stale_after_ns // MS_NS
        return {
            "stale_ms": stale_ms,
            "pairs": [
                (
                    one.symbol,
                    one.venue_a,
                    one.venue_b,
                    one.net_edge_ab_bps,
                    one.net_edge_ba_bps,
                    one.age_a_ms,
                    one.age_b_ms,
                )
                for one in self._link.state.spreads
            ],
        }

    def close(self) -> None:
        self._leave()


def age_or_never(age_ms: float | None) -> float:
    return math.inf if age_ms is None else age_ms


def _least(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else min(a, b)


def _names(view: SpreadView) -> tuple[str, str, str]:
    return view.symbol, view.venue_a, view.venue_b
