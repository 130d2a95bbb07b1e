"""A form's words as a download or a collection that the engine is asked for; each field that cannot be has a sentence.

All is text, as it was typed; an empty field is not said, and takes what the settings say.
"""

import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from workstation.client.collection import CollectionRequest
from workstation.client.jobs import DownloadJob
from workstation.config.lengths import seconds_of
from workstation.dashboard.data_rows import length
from workstation.dashboard.declaring import FormRefused
from workstation.errors import BadInput
from workstation.history.download_kind import DownloadKind
from workstation.history.survey import Figures, SeriesFacts
from workstation.model.durations import DAY_NS, MINUTE_NS
from workstation.model.instrument import checked_key
from workstation.model.market import interval_ns
from workstation.research.choices import time_ns

MOST_LEVELS = 50
FIRST_SPAN_NS = 7 * DAY_NS
"""What is offered where nothing is stored: the last week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadWords:
    """As the fields of a download have them; times in UTC, an empty end is now."""

    venue: str
    data_kind: str
    symbol: str
    interval: str
    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionWords:
    """As the fields of a collection have them; lists are separated by commas."""

    name: str = ""
    venues: Sequence[str] = ()
    symbols: str = ""
    trades: bool = True
    funding: bool = False
    intervals: str = ""
    book_levels: str = ""
    length: str = ""


def download_of(words: DownloadWords, venues: Collection[str], now_ns: int) -> DownloadJob:
    """Raises FormRefused; `venues` are those of the engine's settings."""
    problems: dict[str, str] = {}
    if words.venue not in venues:
        problems["venue"] = (
            f"{words.venue or 'none'}: expected one of {', '.join(venues) or 'the settings, which have none'}"
        )
    _told(problems, "symbol", lambda: checked_key("any", words.symbol))
    is_bars = words.data_kind == DownloadKind.BARS
    if is_bars:
        _told(problems, "interval", lambda: interval_ns(words.interval))
    start_ns = _told(problems, "start", lambda: _moment(words.start, "a date or a time, such as 2024-05-01"))
    end_ns = None if not words.end else _told(problems, "end", lambda: _moment(words.end, "a date, a time, or nothing"))
    if start_ns is not None and start_ns >= now_ns:
        problems["start"] = f"{words.start}: is not past: expected a time before now"
    elif start_ns is not None and end_ns is not None and end_ns <= start_ns:
        problems["end"] = f"{words.end}: expected a time after {words.start}"
    if problems:
        raise FormRefused(problems)
    fields = {"venue": words.venue, "symbol": words.symbol, "data_kind": words.data_kind, "end_ns": end_ns}
    return _checked(
        DownloadJob, fields | {"start_ns": start_ns, "interval": words.interval if is_bars else None}, problems
    )


def download_command(job: DownloadJob, words: DownloadWords) -> str:
    """The same in a terminal, without an engine."""
    parts = ["workstation", "data", "download", job.venue, job.symbol, "--kind", str(job.data_kind)]
    parts += [] if job.interval is None else ["--interval", job.interval]
    parts += ["--start", words.start, *(["--end", words.end] if words.end else [])]
    return shlex.join(parts)


def download_preview(job: DownloadJob, now_ns: int) -> str:
    """How much it asks for, in words."""
    span_ns = min(now_ns if job.end_ns is None else job.end_ns, now_ns) - job.start_ns
    if job.interval is None:
        return f"{job.data_kind} of {length(span_ns)}; what was asked for before is not asked for again."
    bars = span_ns // interval_ns(job.interval)
    return f"{length(span_ns)}, up to {bars:,} bars; what was asked for before is not asked for again."


def words_of_series(
    one: SeriesFacts, found: Figures | None, now_ns: int, gap: tuple[int, int] | None = None
) -> DownloadWords:
    """Its longest gap, or the one that is named; where it has none, what came after its last row."""
    is_had = one.kind in list(DownloadKind)
    if gap is None and found is not None and found.longest_gaps:
        gap = (found.longest_gaps[0].start_ns, found.longest_gaps[0].end_ns)
    start_ns, end_ns = gap or (one.end_ns, None)
    return DownloadWords(
        venue=one.venue,
        data_kind=one.kind if is_had else DownloadKind.BARS,
        symbol=one.symbol,
        interval=one.interval or "1m",
        start=written(start_ns),
        end="" if end_ns is None or end_ns > now_ns else written(-(-end_ns // MINUTE_NS) * MINUTE_NS),
    )


def first_words(venue: str, symbol: str, now_ns: int) -> DownloadWords:
    """Where no series is chosen."""
    start_ns = (now_ns - FIRST_SPAN_NS) // DAY_NS * DAY_NS
    return DownloadWords(
        venue=venue, data_kind=DownloadKind.BARS, symbol=symbol, interval="1m", start=written(start_ns), end=""
    )


def written(ts_ns: int) -> str:
    """ "2024-05-01T13:30" or "2024-05-01", of the minute that it lies in, as `time_ns` reads it."""
    text = str(np.datetime64(ts_ns, "ns").astype("datetime64[m]"))
    return text.removesuffix("T00:00")


def collection_of(words: CollectionWords) -> CollectionRequest:
    """Raises FormRefused."""
    problems: dict[str, str] = {}
    symbols = _listed(words.symbols)
    if not symbols:
        problems["symbols"] = "none: expected symbols such as BTC/USDT, ETH/USDT"
    for symbol in symbols:
        _told(problems, "symbols", lambda symbol=symbol: checked_key("any", symbol))  # type: ignore[misc]
    for label in _listed(words.intervals):
        _told(problems, "intervals", lambda label=label: interval_ns(label))  # type: ignore[misc]
    levels = words.book_levels or "0"
    if not levels.isdecimal() or int(levels) > MOST_LEVELS:
        problems["book_levels"] = f"{levels}: expected a whole number from 0 to {MOST_LEVELS}"
    seconds = None if not words.length else _told(problems, "length", lambda: seconds_of(words.length, "for"))
    if problems:
        raise FormRefused(problems)
    fields = {
        "name": words.name or None,
        "venues": tuple(words.venues),
        "symbols": symbols,
        "trades": words.trades,
        "funding": words.funding,
        "intervals": _listed(words.intervals),
        "book_levels": int(levels),
        "seconds": seconds,
    }
    return _checked(CollectionRequest, fields, problems)


Asked = TypeVar("Asked", bound=BaseModel)
EXPECTED = {
    "name": "letters, digits, '.', '_' and '-', a letter or digit first, at most 60",
    "start_ns": "a time from 1973 on",
}
FIELDS = {"start_ns": "start", "end_ns": "end", "seconds": "length"}
"""By what the forms call what the message calls otherwise."""


def _checked(kind: type[Asked], fields: dict[str, Any], problems: dict[str, str]) -> Asked:
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        for one in error.errors():
            name = str(one["loc"][0])
            sentence = EXPECTED.get(name, one["msg"][:1].lower() + one["msg"][1:])
            problems.setdefault(FIELDS.get(name, name), f"{one['input']!r}: expected {sentence}"[:200])
        raise FormRefused(problems) from error


def _told(problems: dict[str, str], name: str, make: Callable[[], Any]) -> Any:
    """What it makes; None where it is refused, and then why is kept."""
    try:
        return make()
    except BadInput as error:
        problems.setdefault(name, str(error))
        return None


def _moment(text: str, expected: str) -> int:
    try:
        return time_ns(text)
    except BadInput as error:
        raise BadInput(f"{text or 'nothing'}: expected {expected}") from error


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
