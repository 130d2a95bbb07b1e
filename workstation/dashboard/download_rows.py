"""The Data page's downloads and collections as rows: what was asked of the engine, how far it is, what came of it."""

from collections.abc import Iterable

from workstation.client.collection import CollectionView
from workstation.client.jobs import DownloadResult, JobKind, JobState, JobView
from workstation.dashboard.data_rows import length, moment
from workstation.dashboard.tables import QUANTITY_DIGITS, Column, Row
from workstation.history.collection import OPEN_STATES
from workstation.model.durations import MS_NS

MARKS = {
    "queued": "◌", "running": "●", "done": "✓", "failed": "▲", "cancelled": "■",
    "interrupted": "◌", "ended": "✓", "stopped": "■", "lost": "▲",
}  # fmt: skip
"""Before the word of a state: told by shape too."""
DOWNLOADS = (
    Column(name="job", title="Job", width=104, rank=3),
    Column(name="state", title="State", width=96, rank=1),
    Column(name="what", title="Kind", least=70, rank=2),
    Column(name="venue", title="Venue", least=62, rank=3),
    Column(name="symbol", title="Symbol", least=118),
    Column(name="start", title="From, UTC", least=122, rank=5),
    Column(name="end", title="To, UTC", least=122, rank=5),
    Column(name="done", title="Done", kind="share", width=110),
    Column(name="rows", title="Rows", kind="quantity", rank=2),
    Column(name="rate", title="Rows/s", kind="quantity", rank=4),
    Column(name="left", title="Left", kind="span", rank=2),
    Column(name="outcome", title="What came of it", least=220, rank=3),
)
COLLECTIONS = (
    Column(name="name", title="Name", least=100),
    Column(name="state", title="State", width=112, rank=1),
    Column(name="venues", title="Venues", least=84, rank=3),
    Column(name="symbols", title="Symbols", least=118, rank=2),
    Column(name="kinds", title="Kinds", least=120, rank=4),
    Column(name="since", title="Since, UTC", least=122, rank=4),
    Column(name="until", title="Until, UTC", least=122, rank=5),
    Column(name="rows", title="Rows", kind="quantity"),
    Column(name="gaps", title="Gaps", kind="quantity", rank=1, least=54),
    Column(name="dropped", title="Dropped", kind="quantity", rank=3),
    Column(name="last", title="Last row", kind="age", rank=3),
)


def marked(*states: str) -> list[str]:
    """As a row's cell says them."""
    return [f"{MARKS[one]} {one}" for one in states]


OPEN_DOWNLOADS = marked(JobState.QUEUED, JobState.RUNNING)
ENDED_EARLY = marked(JobState.FAILED, JobState.CANCELLED)
OPEN_COLLECTIONS = marked(*sorted(OPEN_STATES))
OVER_COLLECTIONS = [one for one in marked("ended", "stopped", "failed", "lost") if one not in OPEN_COLLECTIONS]


def downloads_of(jobs: Iterable[JobView]) -> list[JobView]:
    """The newest first."""
    return [one for one in jobs if one.kind is JobKind.DOWNLOAD][::-1]


def download_row(one: JobView) -> Row:
    return {
        "job": one.job,
        "state": marked(one.state)[0],
        "what": _kind_of(one.series or ""),
        "venue": (one.series or "").partition(" ")[2].partition(":")[0],
        "symbol": next((place.partition(":")[2] for place in one.instruments), None),
        "start": None if one.start_ns is None else moment(one.start_ns),
        "end": "now" if one.end_ns is None else moment(one.end_ns),
        "done": one.progress,
        "rows": one.rows,
        "rate": one.rows_per_s,
        "left": None if one.left_s is None else round(one.left_s),
        "outcome": outcome_of(one),
        QUANTITY_DIGITS: 0,
    }


def running_line(one: JobView) -> str:
    """ "Downloading bars nova:BTC/USDT 1m: 42 %, 12,000 rows, about 30 s left"."""
    left = "" if one.left_s is None else f", about {_about(one.left_s)} left"
    note = f": {one.note}" if one.note else ""
    return f"Downloading {one.series}: {int(one.progress * 100)} %, {one.rows:,} rows{left}{note}"


def _about(seconds: float) -> str:
    """ "40 s", "12 min", "3 h"."""
    for size, unit in ((3_600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def outcome_of(one: JobView) -> str:
    """What holds it up, why it ended, or what it brought and what is still missing."""
    if not isinstance(one.result, DownloadResult):
        return one.reason or one.note
    found = one.result
    brought = f"{found.rows_stored:,} rows stored" if found.questions else "all of it was asked for before"
    if found.first_ns is None:
        return f"{brought}; the venue has none"
    if not found.gap_count:
        return brought + ("" if found.gap_count is None else "; no gap")
    longest = max((gap.to_ns - gap.from_ns for gap in found.gaps), default=0)
    gaps = f"{found.gap_count:,} gap{'s' if found.gap_count > 1 else ''}, the longest {length(longest)}"
    return f"{brought}; {gaps}"


def collection_row(one: CollectionView) -> Row:
    until_ns = one.planned_end_ns if one.ended_ns is None else one.ended_ns
    return {
        "name": one.name,
        "state": marked(one.state)[0],
        "venues": ", ".join(one.venues),
        "symbols": ", ".join(one.symbols),
        "kinds": ", ".join(kinds_of(one)),
        "since": moment(one.begun_ns),
        "until": None if until_ns is None else moment(until_ns),
        "rows": one.rows,
        "gaps": one.gap_count,
        "dropped": one.dropped,
        "last": None if one.last_ns is None or one.state not in OPEN_STATES else one.last_ns // MS_NS,
        QUANTITY_DIGITS: 0,
    }


def kinds_of(one: CollectionView) -> list[str]:
    """Which series it has of each instrument."""
    return [
        "quotes",
        *(["trades"] if one.trades else []),
        *(f"bars {interval}" for interval in one.intervals),
        *(["funding"] if one.funding else []),
        *([f"books of {one.book_levels}"] if one.book_levels else []),
    ]


def collections_in_order(collections: Iterable[CollectionView]) -> list[CollectionView]:
    """Those that go on, then those that are over; the newest first."""
    return sorted(collections, key=lambda one: (one.state not in OPEN_STATES, -one.begun_ns, one.name))


def _kind_of(series: str) -> str:
    """ "bars 1m" of "bars nova:BTC/USDT 1m"."""
    kind, _, rest = series.partition(" ")
    interval = rest.rpartition(" ")[2] if " " in rest else ""
    return f"{kind} {interval}".strip()
