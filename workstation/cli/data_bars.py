"""What `workstation data bars` does: bars of stored ticks or shorter bars, kept beside what they were made of."""

from dataclasses import dataclass

import typer

from workstation.history.bar_building import BuiltBars, built_bars
from workstation.history.bar_recipe import BarRecipe, EmptyBars, QuotePrice
from workstation.history.bar_storing import StoredBars, store_bars, usual_venue
from workstation.history.calendars import Calendar
from workstation.history.chosen import bar_source
from workstation.history.layout import Series
from workstation.history.store import HistoryStore, shown_time
from workstation.model.instrument import checked_key
from workstation.model.market import interval_label, interval_ns
from workstation.research.choices import span_of

source_of = bar_source
"""Of what, as the command's option says it."""
SHOWN = 5
"""Bars of a dry run that are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be made of what; `into` is the venue that it is kept under, None the usual one."""

    source: Series
    recipe: BarRecipe
    into: str | None


def bars(store: HistoryStore, wanted: Wanted, *, is_dry_run: bool) -> None:
    """Makes them, keeps them and says what came of it. Raises BadInput, HistoryMissing, HistoryCorrupt."""
    built = built_bars(store, wanted.source, wanted.recipe)
    venue = usual_venue(wanted.source, wanted.recipe) if wanted.into is None else wanted.into
    checked_key(venue, wanted.source.key.symbol)
    typer.echo(told(wanted, built))
    if is_dry_run:
        first = built.bars.slice(0, SHOWN)
        for row in zip(first.ts_open, first.open, first.high, first.low, first.close, first.volume, strict=True):
            typer.echo("  ".join([shown_time(int(row[0])), *(f"{value:.12g}" for value in row[1:])]))
        typer.echo("dry run: nothing was stored")
    else:
        typer.echo(stored_text(store_bars(store, wanted.source, wanted.recipe, built, venue)))


def told(wanted: Wanted, built: BuiltBars) -> str:
    """What was made, and what was left out."""
    label, count, made = interval_label(wanted.recipe.interval_ns), len(built.bars), built.bars
    lines = [
        f"{count:,} bars of {label} out of {wanted.source}, {shown_time(int(made.ts_open[0]))} to "
        f"{shown_time(int(made.ts_open[-1]))}, {int(built.is_empty.sum()):,} of them empty"
    ]
    if built.outside:
        lines.append(f"{built.outside:,} rows lie outside of the span or of the hours of {wanted.recipe.calendar}")
    if built.unusable:
        lines.append(f"{built.unusable:,} rows have a price that is none")
    if built.whole < count:
        lines.append(f"the last one has not ended at {shown_time(built.known_until_ns)}: it is not kept")
    return "\n".join(lines)


def stored_text(done: StoredBars) -> str:
    """Where they are, how many were there, and what the instrument lacks."""
    written = done.written
    text = f"stored: {written.rows_stored:,} bars as {done.series}; {written.rows_known:,} were stored before"
    if written.rows_differing:
        text += f"\nwarning: {written.rows_differing:,} of those have other values here; the stored stay"
    if not done.has_rules:
        text += f"\nno rules of {done.series.key} are stored: a back-test needs them; an import or a download has them"
    return text


def recipe_of(
    interval: str, calendar: Calendar, empty: EmptyBars, price: QuotePrice, start: str | None, end: str | None
) -> BarRecipe:
    """The words of the command line as a recipe. Raises BadInput."""
    span = span_of(start, end)
    return BarRecipe(
        interval_ns=interval_ns(interval),
        calendar=calendar,
        empty=empty,
        price=price,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
    )
