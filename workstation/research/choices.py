"""Which times a person chooses, and whether there is history of them; a refusal says what there is instead."""

import difflib
from datetime import UTC, date, datetime, timedelta

import numpy as np

from workstation.errors import BadInput, HistoryMissing
from workstation.history.blocks import Selection, count_rows
from workstation.history.layout import Series
from workstation.history.market_rows import Span
from workstation.history.store import FILL_IT, HistoryStore

When = str | date | datetime | np.datetime64 | int
"""A date or time in ISO 8601 (UTC where no zone is given), one of Python or numpy, or nanoseconds since 1970."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_YEAR = 2261  # int64 nanoseconds end in April 2262
FIRST_NS, LAST_NS = 10**17, 2**63 - 1
"""Of times given as nanoseconds: from 1973 on; a time in seconds, milliseconds or microseconds is below."""
MOST_NAMED = 6
"""Series that a refusal names."""


def time_ns(when: When) -> int:
    """ "2024-05-01" -> 1 714 521 600 000 000 000. Raises BadInput."""
    if isinstance(when, int | np.integer) and not isinstance(when, bool | np.timedelta64):
        if not FIRST_NS <= when <= LAST_NS:
            raise BadInput(f"time {when}: nanoseconds expected, from {FIRST_NS} (1973) to {LAST_NS} (2262)")
        return int(when)
    moment = _moment(when)
    if not EPOCH.year <= moment.year <= LAST_YEAR:
        raise BadInput(f"time {when}: expected a year from {EPOCH.year} to {LAST_YEAR}")
    if isinstance(when, np.datetime64):
        return int(when.astype("datetime64[ns]").astype(np.int64))
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1) * 1_000


def span_of(start: When | None, end: When | None) -> Span:
    """[start, end) in nanoseconds; None is no bound. Raises BadInput for one that ends before it begins."""
    span = Span(start_ns=None if start is None else time_ns(start), end_ns=None if end is None else time_ns(end))
    if span.start_ns is not None and span.end_ns is not None and span.start_ns >= span.end_ns:
        raise BadInput(f"span from {start} to {end}: expected a start before the end")
    return span


def require_stored(store: HistoryStore, series: Series, span: Span) -> None:
    """Returns if there are rows of the series in the span. Raises HistoryMissing with what is stored instead."""
    _require_series(store, series)
    if not store.count(series, span):  # store.count itself raises where not even a file touches the span
        raise HistoryMissing(f"{series}: nothing between {_shown(span.start_ns)} and {_shown(span.end_ns)}")


def require_received(store: HistoryStore, selection: Selection, span: Span, assumed_delay_ns: int) -> None:
    """As `require_stored`, for what a replay would take: `span` is of receipt."""
    _require_series(store, selection.series)
    start_ns, end_ns = span.start_ns, span.end_ns
    if not count_rows(store, [selection], start_ns=start_ns, end_ns=end_ns, assumed_delay_ns=assumed_delay_ns):
        raise HistoryMissing(f"{selection.series}: nothing received between {_shown(start_ns)} and {_shown(end_ns)}")


def _require_series(store: HistoryStore, series: Series) -> None:
    if store.holds(series):
        return
    stored = store.series()
    if not stored:
        raise HistoryMissing(f"history {store.root}: holds nothing; {FILL_IT}")
    raise HistoryMissing(f"{series}: not stored; {_nearest(series, stored)}")


def _moment(when: object) -> datetime:
    """To the microsecond. Raises BadInput."""
    refusal = BadInput(f"time {when!r}: expected a date such as 2024-05-01, or 2024-05-01T13:30 (UTC)")
    try:
        moment = datetime.fromisoformat(when) if isinstance(when, str) else when
    except ValueError:
        raise refusal from None
    if isinstance(moment, np.datetime64):
        moment = moment.astype("datetime64[us]").item()
    if isinstance(moment, datetime) and moment == moment:  # pandas' NaT is a datetime unlike itself
        return moment
    if isinstance(moment, date) and not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day)
    raise refusal


def _nearest(series: Series, stored: list[Series]) -> str:
    same_kind = [str(one) for one in stored if one.kind is series.kind]
    near = difflib.get_close_matches(str(series), same_kind, n=MOST_NAMED, cutoff=0.0)
    rest = len(same_kind) - len(near)
    more = f" and {rest} more" if rest else ""
    return f"stored are: {', '.join(near)}{more}" if near else f"no {series.kind} are stored"


def _shown(ts_ns: int | None) -> str:
    return "…" if ts_ns is None else f"{EPOCH + timedelta(microseconds=ts_ns // 1_000):%Y-%m-%dT%H:%M:%SZ}"
