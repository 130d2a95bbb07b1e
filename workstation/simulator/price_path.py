"""The price that all venues share: a random walk by minutes, then 20 ms steps between them.

Minutes: log activity is an AR(1), times the hour of day, times bursts (a two-state Markov chain); a minute's log return
is N(0, (volatility · activity)²) with a slow AR(1) drift and a weak pull to the initial price. Steps: Brownian bridges
between the minutes, their variance spread over the seconds by a faster activity.

Every day and every cell of 10 minutes draws from a generator of its own, so a span is the same however it is cut.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from workstation.errors import BadInput
from workstation.kernels.compiled import compiled
from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.market import (
    FloatArray,
)
from workstation.simulator.settings import MAX_LAG_NS, Climate, SymbolSettings

DAY_MINUTES = 1440
CELL_MINUTES = 10
CELL_SECONDS = 60 * CELL_MINUTES
CELL_NS = CELL_MINUTES * MINUTE_NS
STEP_NS = 20_000_000
SECOND_STEPS = 50
CELL_STEPS = CELL_SECONDS * SECOND_STEPS
LEAD_STEPS = MAX_LAG_NS // STEP_NS
"""Steps of the cell before, for venues that lag."""
SECOND_MEMORY = 0.5 ** (1 / 8)
"""Second-scale activity halves in 8 s."""
MINUTE_MEMORY = 0.5 ** (1 / 90)
"""Minute-scale activity halves in 90 minutes."""


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """The child generator of a name path; streams with different paths are independent."""
    return np.random.default_rng([seed, *(crc32(name.encode()) if isinstance(name, str) else name for name in names)])


@dataclass(frozen=True, slots=True, kw_only=True)
class MinutePath:
    """n minutes: log prices at their n+1 boundaries, activity and standard deviation of log return in each."""

    start_ns: int
    log_price: FloatArray
    activity: FloatArray
    deviation: FloatArray

    def cell(self, cell: int) -> "MinutePath":
        """The ten minutes of one cell, as views."""
        first = (cell * CELL_NS - self.start_ns) // MINUTE_NS
        last = first + CELL_MINUTES
        return MinutePath(
            start_ns=cell * CELL_NS,
            log_price=self.log_price[first : last + 1],
            activity=self.activity[first:last],
            deviation=self.deviation[first:last],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinePath:
    """One cell: log prices at its 30,001 steps, activity in its 600 seconds."""

    log_price: FloatArray
    activity: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePath:
    """One base currency's path from `origin_ns`, a midnight UTC."""

    seed: int
    origin_ns: int
    climate: Climate
    symbol: SymbolSettings
    states: dict[int, FloatArray] = field(default_factory=dict, repr=False, compare=False)
    """What `days` has walked: day to the state at its start. A cache: the walk is the same without it."""

    def days(self, start_ns: int, stop_ns: int) -> Iterator[MinutePath]:
        """The whole days that cover [start_ns, stop_ns); about 0.3 ms for each, and once for each since the origin."""
        if not self.origin_ns <= start_ns < stop_ns:
            raise BadInput(f"{start_ns} to {stop_ns} ns: expected origin {self.origin_ns} <= start < stop")
        first = self.origin_ns // DAY_NS
        state = np.array([0.0, 0.0, 0.0, math.log(self.symbol.initial_price)])
        # walked without a gap from the origin, so the latest at or before the span is start or what was walked last
        known = min(start_ns // DAY_NS, first + len(self.states) - 1)
        if known > first:
            first, state = known, self.states[known].copy()
        for day in range(first, -(-stop_ns // DAY_NS)):
            self.states.setdefault(day, state.copy())
            path = self._day(day, state)
            if (day + 1) * DAY_NS > start_ns:
                yield path

    def minutes(self, start_ns: int, stop_ns: int) -> MinutePath:
        """The days that cover the span, joined."""
        days = list(self.days(start_ns, stop_ns))
        return MinutePath(
            start_ns=days[0].start_ns,
            log_price=np.concatenate([*(day.log_price[:-1] for day in days), days[-1].log_price[-1:]]),
            activity=np.concatenate([day.activity for day in days]),
            deviation=np.concatenate([day.deviation for day in days]),
        )

    def fine(self, cell: int, minutes: MinutePath) -> FinePath:
        """The steps of one cell inside `minutes`."""
        draw = generator(self.seed, "steps", self.symbol.base, cell)
        ten = minutes.cell(cell)
        weight = np.empty(CELL_SECONDS)
        log_price = np.empty(CELL_STEPS + 1)
        second_weights(draw.standard_normal(CELL_SECONDS), self.climate.activity_deviation, SECOND_MEMORY, weight)
        bridge_minutes(ten.log_price, ten.deviation, weight, draw.standard_normal(CELL_STEPS), log_price)
        return FinePath(log_price=log_price, activity=weight * np.repeat(ten.activity, 60))

    def _day(self, day: int, state: FloatArray) -> MinutePath:
        climate = self.climate
        market = generator(self.seed, "market", day)
        own = generator(self.seed, "own", self.symbol.base, day)
        path = MinutePath(
            start_ns=day * DAY_NS,
            log_price=np.empty(DAY_MINUTES + 1),
            activity=np.empty(DAY_MINUTES),
            deviation=np.empty(DAY_MINUTES),
        )
        shock = math.sqrt(climate.correlation) * market.standard_normal(DAY_MINUTES)
        shock += math.sqrt(1 - climate.correlation) * own.standard_normal(DAY_MINUTES)
        walk_minutes(
            state,
            season(climate, day),
            np.stack([shock, market.standard_normal(DAY_MINUTES), own.standard_normal(DAY_MINUTES)], axis=1),
            market.random(DAY_MINUTES),
            MINUTE_MEMORY,
            climate.activity_deviation,
            climate.bursts_per_day / DAY_MINUTES,
            1.0 / climate.burst_minutes,
            climate.burst_activity,
            0.5 ** (1 / (climate.trend_half_life_days * DAY_MINUTES)),
            climate.trend_bps_per_day * 1e-4 / DAY_MINUTES,
            1.0 - 0.5 ** (1 / (climate.pull_half_life_days * DAY_MINUTES)),
            math.log(self.symbol.initial_price),
            self.symbol.daily_volatility / math.sqrt(DAY_MINUTES),
            path.log_price,
            path.activity,
            path.deviation,
        )
        return path


def season(climate: Climate, day: int) -> FloatArray:
    """Activity by minute of a day, shape (1440,), mean 1 on weekdays: busiest at 15:00 UTC, quietest at 03:00."""
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (np.arange(DAY_MINUTES) - 900) / DAY_MINUTES)
    by_minute = climate.quiet_activity + (1 - climate.quiet_activity) * wave
    is_weekend = (day + 3) % 7 >= 5  # day 0, 1970-01-01, was a Thursday
    scaled: FloatArray = by_minute / by_minute.mean() * (climate.weekend_activity if is_weekend else 1.0)
    return scaled


@compiled
def walk_minutes(
    state: FloatArray,
    season: FloatArray,
    normals: FloatArray,
    uniforms: FloatArray,
    memory: float,
    activity_deviation: float,
    burst_start: float,
    burst_end: float,
    burst_activity: float,
    trend_memory: float,
    trend_step: float,
    pull: float,
    home: float,
    volatility: float,
    log_price: FloatArray,
    activity: FloatArray,
    deviation: FloatArray,
) -> None:
    """One day; `state` = [log activity / its deviation, in a burst, trend / its deviation, log price] is carried on.

    normals (n, 3): price, activity, trend; season, uniforms, activity, deviation (n,), log_price (n+1,).
    """
    fresh = math.sqrt(1.0 - memory * memory)
    trend_fresh = math.sqrt(1.0 - trend_memory * trend_memory)
    mean_square = math.exp(activity_deviation * activity_deviation)
    log_price[0] = state[3]
    for i in range(len(season)):
        state[0] = memory * state[0] + fresh * normals[i, 1]
        if state[1] > 0.5:
            state[1] = 0.0 if uniforms[i] < burst_end else 1.0
        else:
            state[1] = 1.0 if uniforms[i] < burst_start else 0.0
        state[2] = trend_memory * state[2] + trend_fresh * normals[i, 2]
        burst = burst_activity if state[1] > 0.5 else 1.0
        activity[i] = season[i] * burst * math.exp(activity_deviation * (state[0] - 0.5 * activity_deviation))
        deviation[i] = volatility * activity[i] / math.sqrt(mean_square)
        state[3] += trend_step * state[2] + pull * (home - state[3]) + deviation[i] * normals[i, 0]
        log_price[i + 1] = state[3]


@compiled
def second_weights(normals: FloatArray, deviation: float, memory: float, weight: FloatArray) -> None:
    """Activity of each second relative to its minute's, mean 1: exp of a stationary AR(1); shapes (n,)."""
    fresh = math.sqrt(1.0 - memory * memory)
    level = 0.0
    for i in range(len(normals)):
        level = normals[i] if i == 0 else memory * level + fresh * normals[i]
        weight[i] = math.exp(deviation * (level - 0.5 * deviation))


@compiled
def bridge_minutes(
    minute_price: FloatArray, deviation: FloatArray, weight: FloatArray, normals: FloatArray, log_price: FloatArray
) -> None:
    """Brownian bridges from minute to minute, variance in proportion to weight² of the second.

    minute_price (m+1,), deviation (m,), weight (60·m,), normals (3000·m,), log_price (3000·m + 1,).
    """
    steps = 60 * 50
    for minute in range(len(deviation)):
        first = minute * steps
        total = 0.0
        for second in range(60):
            total += weight[minute * 60 + second] ** 2 * 50
        scale = deviation[minute] / math.sqrt(total)
        walked = 0.0
        for i in range(steps):
            log_price[first + i] = walked
            walked += scale * weight[minute * 60 + i // 50] * normals[first + i]
        missing = minute_price[minute + 1] - minute_price[minute] - walked
        passed = 0.0
        for i in range(steps):
            log_price[first + i] += minute_price[minute] + missing * (passed / total)
            passed += weight[minute * 60 + i // 50] ** 2
    log_price[len(log_price) - 1] = minute_price[len(deviation)]
