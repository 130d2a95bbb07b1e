"""What `workstation data collect list|show|stop` print and do: all of it by the history's own files, engine or none."""

import json
import time
from pathlib import Path

import msgspec
import typer

from workstation.cli.connection import BY
from workstation.cli.data_lengths import shown_length
from workstation.cli.tables import aligned
from workstation.client.collection import CollectionDetail
from workstation.engine.collection_views import collection_detail
from workstation.errors import BadInput, CollectionNotFound, OperatorError
from workstation.history.collection import (
    LIVE_FOLDER,
    Collection,
    CollectionShelf,
    CollectionState,
    collections_of,
)
from workstation.history.durable import take_ownership
from workstation.history.store import shown_time

HEADER = ("NAME", "STATE", "WHAT", "FROM", "TO", "ROWS", "DROPPED", "GAPS", "WHY")
SERIES_HEADER = ("KIND", "VENUE", "SYMBOL", "INTERVAL", "ROWS", "DROPPED", "LAST")
PATIENCE_S = 30.0
"""For the recording process to end one."""
LOOK_S = 0.1
SHOWN_GAPS = 20


def list_all(root: Path, *, as_json: bool) -> None:
    found, faults = collections_of(root, time.time_ns())
    views = [collection_detail(one) for one in found]
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json", exclude={"series", "gaps"}) for one in views], indent=2))
    elif views:
        typer.echo(aligned(HEADER, [_cells(one) for one in views], right=frozenset({5, 6, 7})))
    else:
        typer.echo(f"no collections in {root}. `workstation data record` makes one")
    for fault in faults:
        typer.echo(fault, err=True)


def show(root: Path, name: str, *, as_json: bool) -> None:
    view = collection_detail(_named(root, name))
    typer.echo(view.model_dump_json(indent=2) if as_json else _in_full(view))


def stop(root: Path, name: str, *, as_json: bool) -> None:
    """Returns when it has ended. Raises CollectionNotFound, BadInput for one that has ended already."""
    record, shelf = _named(root, name), CollectionShelf(root)
    if not record.is_open:
        raise BadInput(f"collection {name}: it has ended: {record.state} {record.reason}".rstrip())
    if not shelf.is_recorded:
        _stop_here(root, record)
    else:
        shelf.ask_to_stop(name, BY)
        _wait_for_the_end(root, name)
    view = collection_detail(_named(root, name))
    ended = f"collection {name}: {view.state} {view.reason}; {view.rows:,} rows, {view.dropped:,} dropped"
    typer.echo(view.model_dump_json(indent=2) if as_json else ended)


def _stop_here(root: Path, record: Collection) -> None:
    """Of an engine that is not there: it is not to go on with it."""
    owner = take_ownership(root / LIVE_FOLDER)
    try:
        changes = {"state": CollectionState.STOPPED, "reason": f"by {BY}", "ended_ns": record.saved_ns}
        CollectionShelf(root).save(msgspec.structs.replace(record, **changes))
    finally:
        owner.close()


def _wait_for_the_end(root: Path, name: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while _named(root, name).is_open:
        if time.monotonic() > until_s:
            raise OperatorError(f"collection {name}: asked to stop, and still running after {PATIENCE_S:.0f} s")
        time.sleep(LOOK_S)


def _named(root: Path, name: str) -> Collection:
    """Raises CollectionNotFound with the last ones, HistoryCorrupt."""
    found, _ = collections_of(root, time.time_ns())
    for one in found:
        if one.name == name:
            return one
    CollectionShelf(root).load(name)  # which says what is wrong with it
    known = ", ".join(one.name for one in found[-3:])
    raise CollectionNotFound(f"collection {name}: there is none; " + (f"the last are {known}" if known else "no other"))


def _cells(one: CollectionDetail) -> tuple[str, ...]:
    planned = None if one.planned_end_ns is None else f"{shown_time(one.planned_end_ns)} planned"
    return (
        *(one.name, str(one.state), f"{','.join(one.symbols)} of {','.join(one.venues)}", shown_time(one.begun_ns)),
        shown_time(one.ended_ns) if one.ended_ns is not None else planned or "until stopped",
        *(f"{one.rows:,}", f"{one.dropped:,}", f"{one.gap_count:,}", one.reason),
    )


def _in_full(one: CollectionDetail) -> str:
    wanted = ["quotes", *(["trades"] if one.trades else []), *(f"bars {label}" for label in one.intervals)]
    wanted += ["funding and marks"] if one.funding else []
    wanted += [f"books of {one.book_levels} levels"] if one.book_levels else []
    lines = [aligned(HEADER, [_cells(one)], right=frozenset({5, 6, 7})), "", f"wanted: {', '.join(wanted)}", ""]
    if one.conflated:
        lines += [f"{one.conflated:,} quotes and levels of books gave way to newer ones: the engine was behind", ""]
    rows = [
        (each.kind, each.venue, each.symbol, each.interval or "-", f"{each.rows:,}", f"{each.dropped:,}",
         shown_time(each.last_ns) if each.last_ns is not None else "-")
        for each in one.series
    ]  # fmt: skip
    lines.append(aligned(SERIES_HEADER, rows, right=frozenset({4, 5})) if rows else "no rows yet")
    for gap in one.gaps[-SHOWN_GAPS:]:
        length = "lasts" if gap.to_ns is None else shown_length(gap.to_ns - gap.from_ns)
        rows_missing = "" if gap.rows is None else f", {gap.rows:,} rows"
        lines.append(f"gap of {gap.venue or 'all'} from {shown_time(gap.from_ns)}, {length}{rows_missing}: {gap.why}")
    if one.gap_count > SHOWN_GAPS:
        lines.append(f"{one.gap_count:,} gaps in all")
    return "\n".join(lines)
