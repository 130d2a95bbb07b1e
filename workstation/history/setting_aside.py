"""Damaged files of a series are found, and set aside: what is whole is read again, and what is missing can be had anew.

Nothing is deleted: a damaged file stays beside the others under another name. What was downloaded of its time counts as
never asked for, what was imported as never taken in, so that both bring back the rows that are gone, and those alone.

A file that is missing may be back with its disk, so it leaves its series only where that is asked for; one that the
operating system does not give out is no damage, and ends the look at its series.
"""

from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path, PurePosixPath

import msgspec

from workstation.history.backfill import ASKED_NAME, joined_spans, load_asked
from workstation.history.compact import PREFIX
from workstation.history.durable import HistoryCorrupt, json_file, one_writer, sync_folder, write_durably
from workstation.history.layout import Series
from workstation.history.manifest import Manifest, load_manifest, save_manifests
from workstation.history.segments import Segment, SegmentMissing, SegmentUnreadable, read_stored
from workstation.history.tail import LOG_SOURCE

ENDING = ".damaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A file that is damaged or missing, and which rows it had; times in ns UTC, both inclusive."""

    series: Series
    path: Path
    start_ns: int
    end_ns: int
    rows: int
    source: str
    fault: str
    is_missing: bool
    is_recorded: bool
    """Whether nobody can tell its rows again."""
    is_set_aside: bool = False


def damaged_files(root: Path, series: Series) -> list[Damaged]:
    """Reads every file of a series to its end, with its checksums; missing ones are told of too.

    Raises HistoryCorrupt for a manifest, SegmentUnreadable for a file that cannot be read now.
    """
    folder = root / series.folder
    found = ((segment, _fault(folder, segment)) for segment in load_manifest(folder).segments)
    return [_damaged(folder, series, segment, fault) for segment, fault in found if fault is not None]


def set_aside(root: Path, series: Series, *, forgets_missing: bool = False) -> list[Damaged]:
    """Takes the damaged files out of the series; returns all, these under their new names. Raises as `damaged_files`.

    Missing ones stay in it unless `forgets_missing`. The manifest names a file no more before it is renamed: cut off
    between the two, it is read by nobody.
    """
    if not damaged_files(root, series):
        return []
    folder = root / series.folder
    with one_writer(folder):  # who writes may have replaced files meanwhile
        found, manifest = damaged_files(root, series), load_manifest(folder)
        gone = {one.path for one in found if forgets_missing or not one.is_missing}
        lost = [one for one in manifest.segments if folder / one.path in gone]
        if lost:
            _ask_again(folder, series, lost)
            save_manifests({folder: _without(manifest, lost)})
        return [_taken_out(one) if one.path in gone else one for one in found]


def _fault(folder: Path, segment: Segment) -> HistoryCorrupt | None:
    try:
        read_stored(folder, segment)
    except SegmentUnreadable:
        raise
    except HistoryCorrupt as error:
        return error
    return None


def _damaged(folder: Path, series: Series, segment: Segment, fault: HistoryCorrupt) -> Damaged:
    return Damaged(
        series=series,
        path=folder / segment.path,
        start_ns=segment.start_ns,
        end_ns=segment.end_ns,
        rows=segment.rows,
        source=segment.source.name,
        fault=str(fault),
        is_missing=isinstance(fault, SegmentMissing),
        is_recorded=segment.has_sequence or LOG_SOURCE in segment.source.name,
    )


def _without(manifest: Manifest, lost: list[Segment]) -> Manifest:
    """An imported source of which a file is lost may be taken in again; of a log readers must know that it was.

    Nobody knows whose rows a joined file had: each import may be taken in again, and what is stored is not doubled.
    """
    is_joined = any(PurePosixPath(one.path).name.startswith(PREFIX) for one in lost)
    gone = {one.source.content_hash for one in lost}
    return msgspec.structs.replace(
        manifest,
        segments=tuple(one for one in manifest.segments if one not in lost),
        sources=tuple(
            one
            for one in manifest.sources
            if one.name.startswith(LOG_SOURCE) or not (is_joined or one.content_hash in gone)
        ),
    )


def _ask_again(folder: Path, series: Series, lost: list[Segment]) -> None:
    """What a venue was asked for in the time of these files is to be asked for again."""
    asked = load_asked(folder)
    spans = asked.spans
    for one in lost:
        until = one.end_ns + (series.interval_ns or 1)
        before = [(first, min(last, one.start_ns)) for first, last in spans if first < one.start_ns]
        spans = joined_spans([*before, *((max(first, until), last) for first, last in spans if last > until)])
    if spans != asked.spans:
        write_durably(folder / ASKED_NAME, json_file(msgspec.structs.replace(asked, spans=spans)))


def _taken_out(one: Damaged) -> Damaged:
    return replace(one, path=one.path if one.is_missing else _renamed(one.path), is_set_aside=True)


def _renamed(path: Path) -> Path:
    """Beside those of that name that were set aside before."""
    aside = path.with_name(path.name + ENDING)
    for number in count(2):
        if not aside.exists():
            break
        aside = path.with_name(f"{path.name}.{number}{ENDING}")
    if path.exists():
        path.replace(aside)
        sync_folder(path.parent)
    return aside
