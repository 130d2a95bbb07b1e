"""`workstation data check`: reads every stored file to its end; what is damaged is named, and set aside on request."""

import json
from dataclasses import asdict

import typer

from workstation.cli.progress import Progress
from workstation.history.durable import HistoryCorrupt
from workstation.history.setting_aside import Damaged, damaged_files, set_aside
from workstation.history.store import HistoryStore, shown_time


def check(store: HistoryStore, *, sets_aside: bool, as_json: bool) -> None:
    """Prints a line for each damaged file. Raises HistoryCorrupt where one stays in its place."""
    found: list[Damaged] = []
    manifests: list[str] = []
    wanted = store.series()
    with Progress("check") as progress:
        for number, series in enumerate(wanted):
            try:
                found += (set_aside if sets_aside else damaged_files)(store.root, series)
            except HistoryCorrupt as error:
                manifests.append(str(error))
            progress.show(number + 1, len(wanted))
    if as_json:
        typer.echo(json.dumps([as_plain(one) for one in found], indent=2))
    else:
        for one in found:
            typer.echo(told(one))
        typer.echo(f"{len(wanted)} series read in {store.root}: {len(found)} files damaged")
    if manifests:
        raise HistoryCorrupt("; ".join(manifests))
    if found and not sets_aside:
        raise HistoryCorrupt(
            f"{store.root}: {len(found)} files are damaged: restore them from a copy, or take them out of the way with "
            "workstation data check --set-aside"
        )


def told(one: Damaged) -> str:
    """What was lost, and how it comes back."""
    span = f"{shown_time(one.start_ns)} to {shown_time(one.end_ns)}"
    again = (
        "it was recorded, and nobody tells it again"
        if one.is_recorded
        else f"it comes back with {one.source}, imported or downloaded again"
    )
    where = f"set aside as {one.path}" if one.is_set_aside else f"damaged: {one.path}"
    return f"{one.series}: {one.rows:,} rows from {span} are gone, {where}; {again}"


def as_plain(one: Damaged) -> dict[str, object]:
    return asdict(one) | {"series": str(one.series), "path": str(one.path)}
