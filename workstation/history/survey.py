"""What a history holds, as a page shows it: every series at once, then the quality of those that have changed.

Quality takes a pass over all rows, so what was found is kept by the files that it was found in: `mark` names them. What
a recorder has in its log is not in it, and the log is not read; it comes into a file within a quarter of an hour.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from workstation.history.layout import Series
from workstation.history.manifest import load_manifest
from workstation.history.quality import SeriesQuality, each_quality
from workstation.history.segments import Segment
from workstation.history.store import HistoryStore
from workstation.model.market import interval_label

MOST_SOURCES = 12
"""Of a series that are told one by one, the newest; a recorder leaves one each quarter of an hour."""


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where rows came from, and which version of the package took them in."""

    name: str
    content_hash: str
    written_by: str
    options: str | None = None


class SeriesFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One stored series without a look at its rows. Times are ns UTC; `end_ns` is the last row's."""

    name: str
    kind: str
    venue: str
    symbol: str
    interval: str | None
    start_ns: int
    end_ns: int
    rows: int
    bytes: int
    files: int
    mark: str
    """Of the files; another one says that others, or more, have come."""
    sources: tuple[SourceFacts, ...]
    all_sources: int


class GapFacts(msgspec.Struct, frozen=True, kw_only=True):
    start_ns: int
    end_ns: int


class DayFacts(msgspec.Struct, frozen=True, kw_only=True):
    day: str
    rows: int
    coverage: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A series' quality; of `mark`, found at `found_ns`. What is not known is None."""

    name: str
    mark: str
    found_ns: int
    coverage: float
    gaps: int
    missing_ns: int
    longest_gaps: tuple[GapFacts, ...]
    duplicates: int | None
    out_of_order: int
    crossed: int | None
    zero_prices: int
    outliers: int
    frozen: int
    clock_offset_ns: int | None
    faults: int
    days: tuple[DayFacts, ...]
    damaged: tuple[str, ...]


class SurveyLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told on the way: all series, or the figures of one, or how many rows were looked at."""

    series: tuple[SeriesFacts, ...] | None = None
    figures: Figures | None = None
    done: int = 0
    total: int = 0
    failure: str = ""


Tell = Callable[[SurveyLine], None]


def survey(store: HistoryStore, known: Mapping[str, str], now_ns: int, tell: Tell) -> None:
    """Tells all series, then the figures of those whose mark is not the `known` one of their name; small ones first.

    Raises HistoryCorrupt for a manifest that cannot be read.
    """
    stored = store.files()
    facts = {one: _facts(store, one, segments) for one, segments in stored.items()}
    ordered = sorted(facts.values(), key=lambda one: (one.kind, one.venue, one.symbol, one.interval or ""))
    tell(SurveyLine(series=tuple(ordered)))
    changed = sorted((one for one in stored if known.get(str(one)) != facts[one].mark), key=lambda s: facts[s].rows)
    if not changed:
        return

    def on_rows(done: int, total: int) -> None:
        tell(SurveyLine(done=done, total=total))

    for one in each_quality(store, now_ns=now_ns, series=changed, on_rows=on_rows, with_logs=False):
        tell(SurveyLine(figures=_figures(one, facts[one.series].mark, now_ns)))


def _facts(store: HistoryStore, series: Series, segments: tuple[Segment, ...]) -> SeriesFacts:
    sources = load_manifest(store.root / series.folder).sources
    return SeriesFacts(
        name=str(series),
        kind=str(series.kind),
        venue=str(series.key.venue),
        symbol=str(series.key.symbol),
        interval=None if series.interval_ns is None else interval_label(series.interval_ns),
        start_ns=min(one.start_ns for one in segments),
        end_ns=max(one.end_ns for one in segments),
        rows=sum(one.rows for one in segments),
        bytes=sum(one.bytes for one in segments),
        files=len(segments),
        mark=_mark(store.root / series.folder, segments),
        sources=tuple(
            SourceFacts(
                name=one.name, content_hash=one.content_hash, written_by=one.written_by, options=one.options
            )
            for one in sources[: -MOST_SOURCES - 1 : -1]
        ),
        all_sources=len(sources),
    )  # fmt: skip


def _mark(folder: Path, segments: Iterable[Segment]) -> str:
    names = "\n".join(f"{one.path} {one.rows} {one.bytes} {_changed_ns(folder / one.path)}" for one in segments)
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def _changed_ns(path: Path) -> tuple[int, ...] | None:
    """When the file was changed, by its own word and by the disk's, which a copy that keeps times has anew; in ns UTC.

    None where it cannot be looked at.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns


def _figures(found: SeriesQuality, mark: str, now_ns: int) -> Figures:
    told: dict[str, Any] = {
        name: getattr(found, name)
        for name in Figures.__struct_fields__
        if name not in ("mark", "found_ns", "longest_gaps", "days")
    }
    return Figures(
        mark=mark,
        found_ns=now_ns,
        longest_gaps=tuple(GapFacts(start_ns=one.start_ns, end_ns=one.end_ns) for one in found.longest_gaps),
        days=tuple(DayFacts(day=one.day, rows=one.rows, coverage=one.coverage) for one in found.days),
        **told,
    )
