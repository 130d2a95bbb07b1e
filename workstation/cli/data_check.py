"""`workstation data check`: reads every stored file to its end; what is damaged is named, and set aside on request."""

import json
from dataclasses import asdict

import typer

from workstation.cli.progress import Progress
from workstation.history.durable import HistoryCorrupt
from workstation.history.layout import PAIR_KINDS
from workstation.history.setting_aside import Damaged, damaged_files, set_aside
from workstation.history.store import HistoryStore, shown_time


def check(store: HistoryStore, *, sets_aside: bool, forgets_missing: bool, as_json: bool) -> None:
    """Prints a line for each damaged or missing file. Raises HistoryCorrupt where one stays in its series."""
    found: list[Damaged] = []
    failures: list[str] = []
    wanted = store.series()
    with Progress("check") as progress:
        for number, series in enumerate(wanted):
            try:
                if sets_aside or forgets_missing:
                    found += set_aside(store.root, series, forgets_missing=forgets_missing)
                else:
                    found += damaged_files(store.root, series)
            except HistoryCorrupt as error:
                failures.append(str(error))
            progress.show(number + 1, len(wanted))
    if as_json:
        typer.echo(json.dumps([as_plain(one) for one in found], indent=2))
    else:
        for one in found:
            typer.echo(told(one))
        missing = sum(one.is_missing for one in found)
        damaged = len(found) - missing
        typer.echo(f"{len(wanted)} series read in {store.root}: {damaged} files damaged, {missing} missing")
    failures += _left(store, found)
    if failures:
        raise HistoryCorrupt("; ".join(failures))


def _left(store: HistoryStore, found: list[Damaged]) -> list[str]:
    """What is to be done about files that are still in their series."""
    left = [one for one in found if not one.is_set_aside]
    missing = sum(one.is_missing for one in left)
    damaged = len(left) - missing
    told = []
    if damaged:
        told.append(
            f"{store.root}: {damaged} files are damaged: restore them from a copy, or take them out of the way with "
            "workstation data check --set-aside"
        )
    if missing:
        told.append(
            f"{store.root}: {missing} files are missing: see that their disk is there, or restore them from a copy; if "
            "they are gone for good, take them out of their series with workstation data check --forget-missing"
        )
    return told


def told(one: Damaged) -> str:
    """What was lost, and how it comes back."""
    span = f"{shown_time(one.start_ns)} to {shown_time(one.end_ns)}"
    if not one.is_missing:
        where = f"set aside as {one.path}" if one.is_set_aside else f"damaged: {one.path}"
    else:
        where = f"{'forgotten' if one.is_set_aside else 'missing'}: {one.path}"
    return f"{one.series}: {one.rows:,} rows from {span} are gone, {where}; {_again(one)}"


def _again(one: Damaged) -> str:
    if one.series.kind in PAIR_KINDS:
        (venue_a, symbol_a), (venue_b, symbol_b) = one.series.sides
        sides = f"{venue_a} {venue_b} {symbol_a}" + ("" if symbol_a == symbol_b else f" --symbol-b {symbol_b}")
        return f"workstation data {one.series.kind} {sides} finds it again in what is stored"
    if one.is_recorded:
        return "it was recorded, and nobody tells it again"
    return f"it comes back with {one.source}, imported or downloaded again"


def as_plain(one: Damaged) -> dict[str, object]:
    return asdict(one) | {"series": str(one.series), "path": str(one.path)}
