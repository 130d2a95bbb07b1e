"""Small segments of a partition become one, as every roll leaves one behind: the same rows in fewer files.

Only segments that follow one another, in time and in the manifest, are joined, so no reader sees another order. The
joined file comes to the disk, then the manifest names it instead of the others, in one step: whoever is killed leaves
the one or the other. The others stay for a while, for readers that began before, and a later run deletes them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pyarrow as pa

from workstation import __version__
from workstation.history.durable import one_writer, remove_leftovers
from workstation.history.layout import Series
from workstation.history.live_log import LIVE_FOLDER, logs_in
from workstation.history.manifest import Manifest, Retired, load_manifest, save_manifests
from workstation.history.segment_writing import SegmentBatch
from workstation.history.segments import Segment, Source, read_segment
from workstation.history.store import HistoryStore
from workstation.history.tail import LOG_SOURCE
from workstation.model.durations import DAY_NS

KEPT_NS = DAY_NS
"""For how long replaced files stay: longer than a reader reads."""
KEPT_LOGS = 100
"""Newest rolled logs that a series goes on naming, for readers that read a log before it was rolled."""
PREFIX = "compact-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What was done to one series; `files_removed` were replaced by an earlier run."""

    series: Series
    files_before: int
    files_after: int
    rows: int
    """In the files that were joined."""
    files_removed: int
    bytes_removed: int

    @property
    def is_changed(self) -> bool:
        return self.files_before != self.files_after or self.files_removed > 0


def compact_series(store: HistoryStore, series: Series, *, now_ns: int, kept_ns: int = KEPT_NS) -> Compacted:
    """Joins what can be joined, and deletes files that were replaced over `kept_ns` ago. Raises HistoryCorrupt."""
    folder = store.root / series.folder
    with one_writer(folder), SegmentBatch() as batch:
        remove_leftovers(folder)
        before = load_manifest(folder)
        files_removed, bytes_removed, retired = _sweep(folder, before, now_ns - kept_ns)
        segments, replaced = list[Segment](), list[Segment]()
        for group in _groups(before.segments, store.segment_rows):
            if len(group) == 1:
                segments += group
            else:
                segments.append(_joined(folder, series, group, batch))
                replaced += group
        batch.publish()
        after = Manifest(
            segments=tuple(segments),
            sources=tuple(_needed(store, before.sources)),
            retired=(*retired, *(Retired(path=one.path, at_ns=now_ns) for one in replaced)),
        )
        if after != before:
            save_manifests({folder: after})
    return Compacted(
        series=series,
        files_before=len(before.segments),
        files_after=len(segments),
        rows=sum(one.rows for one in replaced),
        files_removed=files_removed,
        bytes_removed=bytes_removed,
    )


def _groups(segments: Sequence[Segment], segment_rows: int) -> Iterator[list[Segment]]:
    """All segments in the manifest's order, those together that can be one of up to `segment_rows` rows."""
    group: list[Segment] = []
    for segment in segments:
        if group and not _follows(group, segment, segment_rows):
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def _follows(group: Sequence[Segment], segment: Segment, segment_rows: int) -> bool:
    last = group[-1]
    is_alike = _form(last) == _form(segment)
    has_room = sum(one.rows for one in group) + segment.rows <= segment_rows
    return is_alike and has_room and last.end_ns <= segment.start_ns


def _joined(folder: Path, series: Series, group: Sequence[Segment], batch: SegmentBatch) -> Segment:
    is_numbered = group[0].has_sequence
    tables = [read_segment(folder, series.kind, one, has_sequence=is_numbered) for one in group]
    content_hash = sha256("\n".join(f"{one.path} {one.source.content_hash}" for one in group).encode()).hexdigest()
    source = Source(
        name=f"{len(group)} segments: {group[0].source.name} to {group[-1].source.name}",
        content_hash=content_hash,
        written_by=f"workstation {__version__}",
    )
    path = f"{_partition(group[0])}/{PREFIX}{content_hash[:16]}.parquet"
    return batch.add(folder, path, series, pa.concat_tables(tables).combine_chunks(), source)


def _sweep(folder: Path, manifest: Manifest, until_ns: int) -> tuple[int, int, list[Retired]]:
    """Deletes what was replaced up to `until_ns`, and what a killed run wrote for nothing; what is still kept."""
    kept = [one for one in manifest.retired if one.at_ns > until_ns]
    old = [folder / one.path for one in manifest.retired if one.at_ns <= until_ns]
    known = {one.path for one in manifest.segments} | {one.path for one in manifest.retired}
    written = folder.glob(f"date=*/{PREFIX}*.parquet")
    vain = [path for path in written if path.relative_to(folder).as_posix() not in known]
    sizes = [path.stat().st_size for path in (*old, *vain) if path.exists()]
    for path in (*old, *vain):
        path.unlink(missing_ok=True)
    return len(sizes), sum(sizes), kept


def _needed(store: HistoryStore, sources: Sequence[Source]) -> Iterator[Source]:
    """All sources but logs that were rolled long ago: nobody can have read their rows anywhere but here."""
    present = {f"{LOG_SOURCE}{path.name}" for path in logs_in(store.root / LIVE_FOLDER)}
    rolled = [one.name for one in sources if one.name.startswith(LOG_SOURCE)]
    old = set(rolled[:-KEPT_LOGS]) - present
    return (one for one in sources if one.name not in old)


def _form(segment: Segment) -> tuple[str, bool, bool]:
    return _partition(segment), segment.has_receipt, segment.has_sequence


def _partition(segment: Segment) -> str:
    return PurePosixPath(segment.path).parts[0]
