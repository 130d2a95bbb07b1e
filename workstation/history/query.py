"""DuckDB over the Parquet files: an in-memory database for each question, so that no process waits for another."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from workstation.errors import BadInput
from workstation.history.layout import PAIR_KINDS, HistoryKind, Series
from workstation.history.segments import SCHEMAS, SEQUENCE, Segment, Table, TailSegment
from workstation.model.market import interval_label

_SQL_TYPES = {"int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "string": "VARCHAR"}


def query_history(root: Path, stored: Mapping[Series, Sequence[Segment]], sql: str) -> Table:
    """The answer to `sql` as an Arrow table.

    The views quotes, trades, bars, books, marks and funding have the columns of their kind (times in ns UTC, prices and
    quantities as DOUBLE), then `sequence` (the gate's number of a recorded row, else NULL), venue and symbol, and bars
    their interval ("1h"). Of a pair, spreads and opportunities have venue_a, symbol_a, venue_b and symbol_b instead.
    Raises BadInput with the statement's fault. Files outside `root` are out of its reach.
    """
    import duckdb  # 11 MB, and an engine never asks

    with duckdb.connect(":memory:") as connection:
        for kind in HistoryKind:
            selects = [_empty_select(kind)]
            for series, segments in stored.items():
                if series.kind is kind:
                    selects += _file_selects(root, series, [one for one in segments if not _is_tail(one)])
            tails = {series: [one for one in segments if _is_tail(one)] for series, segments in stored.items()}
            tail = _tail_table(kind, tails)
            if tail is not None:
                connection.register(f"tail_{kind}", tail)
                selects.append(f"SELECT * FROM tail_{kind}")
            connection.execute(f"CREATE VIEW {kind} AS {' UNION ALL '.join(selects)}")
        _lock_down(connection, root)
        try:
            answer = connection.sql(sql)
            table = None if answer is None else answer.to_arrow_table()
        except duckdb.Error as error:
            raise BadInput(f"history query {sql!r}: {error}") from error
        if table is None:
            raise BadInput(f"history query {sql!r}: expected a statement with an answer, such as SELECT")
        return table


def _lock_down(connection: Any, root: Path) -> None:
    """A question reads the history and nothing else on this machine."""
    connection.execute(f"SET allowed_directories = [{_text(str(root))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _file_selects(root: Path, series: Series, segments: Sequence[Segment]) -> list[str]:
    """One SELECT for the files of the same form: a DuckDB scan has one type for each column."""
    labels = [f"{_text(value)} AS {name}" for name, value in _labels(series).items()]
    selects = []
    for _, group in groupby(sorted(segments, key=_form), key=_form):
        files = list(group)
        columns = [_column(name, files[0].scales.get(name)) for name in SCHEMAS[series.kind].names]
        if series.kind not in PAIR_KINDS:
            columns.append(f'"{SEQUENCE}"' if files[0].has_sequence else f'NULL::BIGINT AS "{SEQUENCE}"')
        paths = ", ".join(_text(str(root / series.folder / file.path)) for file in files)
        source = f"read_parquet([{paths}], hive_partitioning=false)"
        selects.append(f"SELECT {', '.join([*columns, *labels])} FROM {source}")
    return selects


def _tail_table(kind: HistoryKind, tails: Mapping[Series, Sequence[Segment]]) -> Table | None:
    """The rows of a kind that are in no file yet, with the columns of its view; None where there are none."""
    tables = []
    for series, segments in tails.items():
        for segment in segments:
            if series.kind is kind and isinstance(segment, TailSegment):
                table = segment.table
                for name, value in _labels(series).items():
                    table = table.append_column(name, pa.repeat(value, table.num_rows))
                tables.append(table)
    return pa.concat_tables(tables) if tables else None


def _is_tail(segment: Segment) -> bool:
    return isinstance(segment, TailSegment)


def _labels(series: Series) -> dict[str, str]:
    if series.kind in PAIR_KINDS:
        a, b = series.sides
        sides = {"venue_a": a.venue, "symbol_a": a.symbol, "venue_b": b.venue, "symbol_b": b.symbol}
        return {name: str(value) for name, value in sides.items()}
    labels = {"venue": str(series.key.venue), "symbol": str(series.key.symbol)}
    return labels if series.interval_ns is None else labels | {"interval": interval_label(series.interval_ns)}


def _form(segment: Segment) -> tuple[bool, list[tuple[str, int]]]:
    return segment.has_sequence, sorted(segment.scales.items())


def _column(name: str, exponent: int | None) -> str:
    return f'"{name}"' if exponent is None else f'"{name}"::DOUBLE / 1e{exponent} AS "{name}"'


def _empty_select(kind: HistoryKind) -> str:
    types: list[tuple[str, Any]] = [(field.name, _SQL_TYPES[str(field.type)]) for field in SCHEMAS[kind]]
    if kind in PAIR_KINDS:
        types += [(name, "VARCHAR") for name in ("venue_a", "symbol_a", "venue_b", "symbol_b")]
    else:
        types += [(SEQUENCE, "BIGINT"), ("venue", "VARCHAR"), ("symbol", "VARCHAR")]
    if kind is HistoryKind.BARS:
        types.append(("interval", "VARCHAR"))
    columns = ", ".join(f'NULL::{sql_type} AS "{name}"' for name, sql_type in types)
    return f"SELECT {columns} WHERE false"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
