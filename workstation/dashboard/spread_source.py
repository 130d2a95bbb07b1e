"""The channels of spreads: one pair's series and its "now", and all pairs in one table."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workstation.client.control import LARGEST_PAGE
from workstation.client.messages import InstrumentView, OpportunityView, SpreadView, StreamEvent, Topic
from workstation.dashboard.hub import Channel
from workstation.dashboard.link import EngineLink
from workstation.dashboard.opportunity_log import Opportunity, OpportunityLog
from workstation.dashboard.paced import Paced
from workstation.dashboard.pairs import name_of, sides_told
from workstation.dashboard.spread_history import STALE_MS, bps_of, pair_window, recorded_opportunities, recorded_points
from workstation.dashboard.spread_points import Point, SpreadPoints, gap_at, point_of
from workstation.dashboard.state import EngineState
from workstation.errors import WorkstationError
from workstation.model.durations import MS_NS
from workstation.model.sides import Sides
from workstation.windows.opportunities import OpportunitySpec

KEPT_MS = 2 * 3_600_000 + 60_000
FLUSH_S = 0.1
AGAIN_S = 2.0
SILENT_MS = 1_500
"""Without an event for so long, what a look says is newer."""
NAMES = ("venue_a", "symbol", "venue_b", "symbol_b", "basis")
"""What every message of a pair says alike."""
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
        sides: Sides,
    ) -> None:
        self._channel, self._link, self._history, self._wanted = channel, link, history, wanted
        self._sides, self._window = sides, pair_window(sides)
        self._names = (*sides.a, *sides.b, None if sides.basis is None else str(sides.basis))
        self._points = SpreadPoints(KEPT_MS, STALE_MS)
        self._log = OpportunityLog(sides)
        self._view: SpreadView | None = None
        self._told_ms = 0
        self._quotes: dict[tuple[str, str | None], Mapping[str, Any]] = {}
        """By venue and symbol."""
        self._rules: list[InstrumentView] = []
        self._early: deque[StreamEvent] | None = deque(maxlen=MOST_EARLY)
        """What came while the recording is read, to be put behind it; None once it is read."""
        self._is_behind = False
        self._problem = ""
        self._paced = Paced(self._send, FLUSH_S)
        symbols = dict.fromkeys(key.symbol for key in sides.instruments)  # spreads, opportunities: told under A's
        self._leave = [*(link.listen(symbol, self) for symbol in symbols), link.follow(self._on_look)]
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def snapshot(self) -> Mapping[str, Any] | None:
        if not self._rules:
            return {"problem": self._problem} if self._problem else None
        return {
            "problem": self._problem,
            "is_reading": self._early is not None,
            "decimals": max(one.price_decimals for one in self._rules[:2]),
            "basis_decimals": self._rules[-1].price_decimals,
            "fees_bps": [bps_of(one.taker_fee_rate) for one in self._rules[:2]],
            "base": self._rules[0].base,
            "stale_ms": STALE_MS,
            "points": self._points.columns(),
            "ended": [one.row for one in self._log.ended],
            "lasting": [one.row for one in self._log.lasting],
            "now": self._now(),
        }

    def close(self) -> None:
        for leave in self._leave:
            leave()
        self._opening.cancel()
        self._paced.close()

    # -- the recording

    async def _open(self) -> None:
        while not (rules := await self._known_rules()):
            problem = f"The engine does not watch {_listed(self._sides)}."
            if self._problem != problem:
                self._problem = problem
                self._channel.snapshot()
            await asyncio.sleep(AGAIN_S)
        self._rules, self._problem = rules, ""
        self._channel.snapshot()
        start_ns = time.time_ns() - KEPT_MS * MS_NS
        problems: list[str] = []
        try:
            points, recorded = await asyncio.to_thread(self._recorded, rules, start_ns)
        except WorkstationError as error:
            points, recorded = [], []
            problems.append(f"Nothing of the past is shown: {error}")
        try:
            told: Sequence[OpportunityView] = await self._link.ask(
                lambda client: client.opportunities(self._sides.a.symbol, limit=LARGEST_PAGE)
            )
        except WorkstationError as error:
            told = []
            problems.append(f"Opportunities are those of the recording alone, the engine did not tell its own: {error}")
        self._problem = " ".join(problems)
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
        """Of both sides, and of the basis; empty while the engine has not told them."""
        state = self._link.state if self._link.state.instruments else await self._link.look()
        found = [state.instruments.get((key.venue, key.symbol)) for key in self._sides.instruments]
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
        if event.topic is Topic.MARKET_DATA:
            self._quotes[str(data.get("venue")), event.symbol] = data
        elif event.topic is Topic.INDICATOR_UPDATED and tuple(data.get(name) for name in NAMES) == self._names:
            self._put(event.time_ns // MS_NS, SpreadView.model_validate(data))
        elif event.topic is Topic.OPPORTUNITY:
            self._log.put(OpportunityView.model_validate(data))
            self._paced.ask()

    def _put(self, t_ms: int, view: SpreadView) -> None:
        if t_ms < self._told_ms:
            return
        self._told_ms, self._view = t_ms, view
        self._points.put(point_of(t_ms, view))
        self._paced.ask()

    def _on_look(self, state: EngineState) -> None:
        """Where no event comes, as from venues that fell silent, ages grow all the same."""
        if state.health is None or state.loss:
            return
        now_ms = state.health.now_ns // MS_NS
        if now_ms - self._told_ms < SILENT_MS:
            return
        found = next((one for one in state.spreads if sides_told(one) == self._sides), None)
        if found is None:
            return
        self._told_ms, self._view = now_ms, found
        late_ms = oldest_ms(found) - STALE_MS
        if late_ms > 0:
            last = self._points.last
            begins_ms = now_ms if math.isinf(late_ms) else now_ms - int(late_ms)
            self._points.put(gap_at(begins_ms if last is None else max(begins_ms, last.t), found.mean_bps))
            self._log.silence()
        self._paced.ask()

    def _capacities(self) -> tuple[float | None, float | None]:
        """What could be sold at the one side and bought at the other, and B's currency with it, as the last quotes told
        it, in base."""
        a, b, *basis = (self._quotes.get((key.venue, key.symbol), {}) for key in self._sides.instruments)
        ab = [a.get("bid_quantity"), b.get("ask_quantity")]
        ba = [b.get("bid_quantity"), a.get("ask_quantity")]
        for one in basis:  # it counts B's currency
            ab.append(_ratio(one.get("ask_quantity"), b.get("ask")))
            ba.append(_ratio(one.get("bid_quantity"), b.get("bid")))
        return _least(ab), _least(ba)

    # -- what is told

    def _send(self) -> None:
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
        told = self._view.model_dump(exclude={*NAMES, "deviation_bps"})
        return {"t": self._told_ms, **told, "capacities": self._capacities()}


class SpreadBoard:
    """All pairs that the engine watches, a snapshot for each look at it."""

    def __init__(self, channel: Channel, link: EngineLink) -> None:
        self._channel, self._link = channel, link
        self._leave = link.follow(lambda _: channel.snapshot())

    def snapshot(self) -> Mapping[str, Any]:
        return {"stale_ms": STALE_MS, "pairs": [_line(one) for one in self._link.state.spreads]}

    def close(self) -> None:
        self._leave()


def oldest_ms(view: SpreadView) -> float:
    """Of what the edges are made of; infinite where one has told nothing yet."""
    ages = [view.age_a_ms, view.age_b_ms, *(() if view.basis is None else (view.age_basis_ms,))]
    return max(math.inf if age is None else age for age in ages)


def _line(view: SpreadView) -> tuple[str, float | None, float | None, float | None]:
    """The pair by its name, both net edges and the age of the oldest quote."""
    old_ms = oldest_ms(view)
    name = name_of(sides_told(view))
    return name, view.net_edge_ab_bps, view.net_edge_ba_bps, None if math.isinf(old_ms) else old_ms


def _least(quantities: Sequence[float | None]) -> float | None:
    known = [one for one in quantities if one is not None]
    return min(known) if len(known) == len(quantities) else None


def _ratio(quantity: float | None, price: float | None) -> float | None:
    return None if quantity is None or price is None else quantity / price


def _listed(sides: Sides) -> str:
    if sides.a.symbol == sides.b.symbol:
        return f"{sides.a.symbol} at {sides.a.venue} and {sides.b.venue}"
    return f"all of {', '.join(map(str, sides.instruments))}"
