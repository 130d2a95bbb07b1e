"""When a market trades, as sessions that its bars are counted from: always (UTC), or the FX week of New York.

An FX day ends at 17:00 in New York and the next one begins; from Friday 17:00 to Sunday 17:00 nothing is traded. The
clocks there change on Sundays at two in the morning, while the market is closed, so that every FX day has 24 hours and
opens at 21:00 or 22:00 UTC. Bank holidays are not known here: they are silent, not closed.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from workstation.errors import BadInput, ConfigError
from workstation.history.longer_bars import WEEK_NS, opening_of
from workstation.model.durations import DAY_NS, SECOND_NS
from workstation.model.market import (
    IntArray,
    interval_label,
)

NEW_YORK = "America/New_York"
DAY_ENDS = time(17)
FRIDAY, SUNDAY = 4, 6
FOREVER_NS = 2**63 - 1
_MARGIN = timedelta(days=8)


class Calendar(StrEnum):
    UTC = "utc"
    """Always open; days begin at midnight UTC, weeks on Mondays."""
    FX = "fx"
    """Sunday to Friday, each day from 17:00 to 17:00 in New York."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """Spans [opens, ends) in ns UTC, ascending, apart. A bar opens whole intervals after its session does."""

    opens: IntArray
    ends: IntArray

    def openings(self, interval_ns: int, first_ns: int, last_ns: int) -> IntArray:
        """Every bar's opening from `first_ns` to `last_ns`, both of them openings."""
        parts = [
            np.arange(max(opens, first_ns), min(end, last_ns + 1), interval_ns, dtype=np.int64)
            for opens, end in zip(self.opens.tolist(), self.ends.tolist(), strict=True)
            if end > first_ns and opens <= last_ns
        ]
        every: IntArray = np.concatenate([np.zeros(0, np.int64), *parts])
        return every


def sessions_of(calendar: Calendar, interval_ns: int, start_ns: int, end_ns: int) -> Sessions:
    """The sessions that touch [start, end), for bars of this length: of FX a week is one, shorter ones begin each day.

    Raises BadInput for a length that does not divide a day, ConfigError where the machine has no time zones.
    """
    if interval_ns <= 0 or (DAY_NS % interval_ns and interval_ns != WEEK_NS):
        raise BadInput(f"bars of {interval_ns} ns by a calendar: expected a length that divides a day, or a week")
    if calendar is Calendar.UTC:
        return Sessions(opens=np.array([opening_of(0, interval_ns)]), ends=np.array([FOREVER_NS]))
    opens_and_ends = _fx_weeks(start_ns, end_ns) if interval_ns == WEEK_NS else _fx_days(start_ns, end_ns)
    table = np.array(opens_and_ends, np.int64).reshape(-1, 2)
    touches = (table[:, 1] > start_ns) & (table[:, 0] < end_ns)
    return Sessions(opens=table[touches, 0].copy(), ends=table[touches, 1].copy())


def is_open(calendar: Calendar, ts_ns: int) -> bool:
    """Whether the market trades at a moment."""
    return len(sessions_of(calendar, DAY_NS, ts_ns, ts_ns + 1).opens) > 0


def require_fitting(calendar: Calendar, source_ns: int, ts_open: IntArray, sessions: Sessions) -> None:
    """Raises BadInput for a bar that begins in one session of the calendar and ends outside of it."""
    if calendar is Calendar.UTC or not len(ts_open):
        return
    place = np.searchsorted(sessions.opens, ts_open, side="right") - 1
    inside = (place >= 0) & (ts_open < sessions.ends[place])
    over = inside & (ts_open + source_ns > sessions.ends[place])
    # one that begins before a session and ends in it belongs to none either
    following = np.minimum(place + 1, len(sessions.opens) - 1)
    into = ~inside & (ts_open < sessions.opens[following]) & (ts_open + source_ns > sessions.opens[following])
    bad = np.flatnonzero(over | into)
    if len(bad):
        at = np.datetime64(int(ts_open[bad[0]]), "ns").astype("datetime64[s]")
        raise BadInput(
            f"bars of {interval_label(source_ns)} by the calendar {calendar}: that of {at}Z lies across the end of a "
            "day in New York: take shorter ones"
        )


def _fx_days(start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """Those that begin on Sunday to Thursday."""
    return [
        (_day_end_ns(day), _day_end_ns(day + timedelta(days=1)))
        for day in _days(start_ns, end_ns)
        if day.weekday() < FRIDAY or day.weekday() == SUNDAY
    ]


def _fx_weeks(start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    return [
        (_day_end_ns(day), _day_end_ns(day + timedelta(days=5)))
        for day in _days(start_ns, end_ns)
        if day.weekday() == SUNDAY
    ]


def _days(start_ns: int, end_ns: int) -> list[date]:
    first, last = _date(start_ns) - _MARGIN, _date(end_ns) + _MARGIN
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _date(ts_ns: int) -> date:
    return datetime.fromtimestamp(ts_ns // SECOND_NS, UTC).date()


def _day_end_ns(day: date) -> int:
    """17:00 in New York on that date."""
    try:
        zone = ZoneInfo(NEW_YORK)  # kept by the library
    except ZoneInfoNotFoundError as error:
        raise ConfigError(f"time zone {NEW_YORK}: not on this machine: pip install tzdata") from error
    return int(datetime.combine(day, DAY_ENDS, zone).timestamp()) * SECOND_NS
