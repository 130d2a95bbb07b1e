"""Where reports are kept: `paths.reports`, an HTML file each, and beside it a small one that says what it is of.

NAME.html      the report
NAME.json      its entry in the list

A report that was asked to lie elsewhere lies there alone, and is not listed.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from workstation.errors import OperatorError
from workstation.history.durable import write_all_durably
from workstation.research.reports.page import page

ENTRY = "application/vnd.workstation.report+json"
"""What a notebook shows of its report's entry, beside the page."""
FORM = re.compile(r"[^a-z0-9.-]+")


class ReportEntry(BaseModel):
    """A report of the list; `figures` are the result's metrics, None where one is not defined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: str
    title: str
    summary: str
    made: datetime
    file: Path
    figures: dict[str, float | None]


class Kept(NamedTuple):
    """The list, newest first; `faults` has a sentence for each entry that cannot be read."""

    entries: list[ReportEntry]
    faults: list[str]


def reports(folder: Path) -> Kept:
    """The reports of a folder, which need not exist. One whose file is gone is listed all the same."""
    entries, faults = [], []
    for file in sorted(folder.glob("*.json")):
        try:
            entries.append(ReportEntry.model_validate_json(file.read_bytes()))
        except (OSError, ValidationError) as error:
            faults.append(
                f"{file}: is no entry of a report ({type(error).__name__}); remove it, the report is not lost"
            )
    return Kept(sorted(entries, key=lambda entry: entry.made, reverse=True), faults)


def free_name(folder: Path, kind: str, strategy: str, now: datetime) -> str:
    """A name that no report of the folder has, such as "backtest-ma-cross-20240501-133000"."""
    stem = FORM.sub("-", f"{kind}-{strategy}-{now.astimezone(UTC):%Y%m%d-%H%M%S}".lower())
    taken = {path.stem for path in folder.glob("*.json")} | {path.stem for path in folder.glob("*.html")}
    return next(name for number in range(1, len(taken) + 2) if (name := _numbered(stem, number)) not in taken)


def put_away(
    folder: Path, out: Path | None, now: datetime, facts: Mapping[str, Any], parts: Sequence[str]
) -> ReportEntry:
    """Writes a page of these parts: into the folder, with its entry, or to `out` alone. Raises OperatorError.

    What is written is whole, or is not there.
    """
    entry_facts = dict(facts)
    name = free_name(folder, entry_facts["kind"], entry_facts.pop("strategy"), now)
    file = folder / f"{name}.html" if out is None else out.absolute()
    entry = ReportEntry(name=name, made=now.astimezone(UTC), file=file, **entry_facts)
    contents = {file: page(entry.title, "\n".join(parts)).encode()}
    if out is None:
        contents[folder / f"{name}.json"] = entry.model_dump_json(indent=2).encode()
    try:
        write_all_durably(contents)
    except OSError as error:
        raise OperatorError(f"report {file}: cannot be written: {error.strerror}") from error
    return entry


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"
