"""Built bars into the history: those that have ended, with what they were made of and how as their source."""

import hashlib
import json
from dataclasses import dataclass, replace

import pyarrow as pa

from workstation import __version__
from workstation.errors import HistoryMissing
from workstation.history.bar_building import BuiltBars
from workstation.history.bar_recipe import BarRecipe
from workstation.history.calendars import Calendar
from workstation.history.layout import HistoryKind, Series
from workstation.history.segments import SCHEMAS, Source, Table
from workstation.history.store import HistoryStore
from workstation.history.writing import Written
from workstation.model.ids import Venue
from workstation.model.instrument import Instrument, InstrumentKey, checked_key
from workstation.model.market import Bars


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBars:
    """Where the bars went, what came of it, and whether the instrument's rules were taken along."""

    series: Series
    written: Written
    has_rules: bool


def usual_venue(source: Series, recipe: BarRecipe) -> str:
    """Under which venue bars are kept: the source's own where they are such as the venue's bars would be.

    Bars of quotes, and those of another day than UTC's, would be taken for the venue's own: they get a name beside it.
    """
    words = [str(source.key.venue)]
    words += [str(recipe.price)] if source.kind is HistoryKind.QUOTES else []
    words += [str(recipe.calendar)] if recipe.calendar is not Calendar.UTC else []
    return "-".join(words)


def store_bars(store: HistoryStore, source: Series, recipe: BarRecipe, built: BuiltBars, venue: str) -> StoredBars:
    """Adds the bars that have ended; the last one, if it has not, would be kept for good as it is now.

    A bar that is there already stays. Raises BadInput for an impossible venue.
    """
    key = checked_key(venue, source.key.symbol)
    series = Series(kind=HistoryKind.BARS, key=key, interval_ns=recipe.interval_ns)
    table = bar_table(built.bars.slice(0, built.whole))
    made_of = {
        "source": str(source), "calendar": recipe.calendar, "empty": recipe.empty, "price": recipe.price,
    }  # fmt: skip
    lineage = Source(
        name=f"bars of {source}",
        content_hash=content_hash(table, json.dumps(made_of, sort_keys=True)),
        written_by=f"workstation {__version__}",
        options=json.dumps(made_of, sort_keys=True),
    )
    written = store.write(series, table, lineage) if table.num_rows else Written()
    return StoredBars(series=series, written=written, has_rules=_take_rules(store, source.key, key))


def bar_table(bars: Bars) -> Table:
    """Bars as the columns in which they are stored; they bear no time of receipt."""
    schema = SCHEMAS[HistoryKind.BARS]
    columns = [
        pa.nulls(len(bars), field.type) if field.name == "ts_received" else pa.array(getattr(bars, field.name))
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def content_hash(table: Table, *words: str) -> str:
    """SHA-256 of a table's rows and of words about them."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    return hashlib.sha256("\0".join(words).encode() + sink.getvalue()).hexdigest()


def _take_rules(store: HistoryStore, source: InstrumentKey, key: InstrumentKey) -> bool:
    """Whether the instrument has rules under its new venue, where need be those of the source."""
    if _rules(store, key) is not None:
        return True
    rules = _rules(store, source)
    if rules is not None:
        store.put_instrument(replace(rules, venue=Venue(key.venue)))
    return rules is not None


def _rules(store: HistoryStore, key: InstrumentKey) -> Instrument | None:
    try:
        return store.instrument(key)
    except HistoryMissing:
        return None
