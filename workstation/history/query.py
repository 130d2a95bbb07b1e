"""DuckDB over the Parquet files: an in-memory database for each question, so that no process waits for another."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from workstation.errors import BadInput
from workstation.history.layout import HistoryKind, Series
from workstation.history.manifest import load_manifest
from workstation.history.segments import SCHEMAS, Segment, Table
from workstation.model.market import interval_label

_SQL_TYPES = {"int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "string": "VARCHAR"}


def query_history(root: Path, stored: Sequence[Series], sql: str) -> Table:
    """The answer to `sql` as an Arrow table.

    The views quotes, trades and bars have the columns of their kind (times in ns UTC, prices and quantities as DOUBLE),
    then venue and symbol, and bars their interval ("1h"). Raises BadInput with the statement's fault. Files outside
    `root` are out of its reach.
    """
    with duckdb.connect(":memory:") as connection:
        for kind in HistoryKind:
            selects = [_empty_select(kind)]
            for series in stored:
                if series.kind is kind:
                    selects += _series_selects(root, series)
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


def _series_selects(root: Path, series: Series) -> list[str]:
    """One SELECT for the files with the same scales: a DuckDB scan has one type for each column."""
    segments = sorted(load_manifest(root / series.folder).segments, key=_scales)
    labels = [f"{_text(series.key.venue)} AS venue", f"{_text(series.key.symbol)} AS symbol"]
    if series.interval_ns is not None:
        labels.append(f"{_text(interval_label(series.interval_ns))} AS interval")
    selects = []
    for _, group in groupby(segments, key=_scales):
        files = list(group)
        columns = [_column(name, files[0].scales.get(name)) for name in SCHEMAS[series.kind].names]
        paths = ", ".join(_text(str(root / series.folder / file.path)) for file in files)
        source = f"read_parquet([{paths}], hive_partitioning=false)"
        selects.append(f"SELECT {', '.join([*columns, *labels])} FROM {source}")
    return selects


def _scales(segment: Segment) -> list[tuple[str, int]]:
    return sorted(segment.scales.items())


def _column(name: str, exponent: int | None) -> str:
    return f'"{name}"' if exponent is None else f'"{name}"::DOUBLE / 1e{exponent} AS "{name}"'


def _empty_select(kind: HistoryKind) -> str:
    types: list[tuple[str, Any]] = [(field.name, _SQL_TYPES[str(field.type)]) for field in SCHEMAS[kind]]
    types += [("venue", "VARCHAR"), ("symbol", "VARCHAR")]
    if kind is HistoryKind.BARS:
        types.append(("interval", "VARCHAR"))
    columns = ", ".join(f'NULL::{sql_type} AS "{name}"' for name, sql_type in types)
    return f"SELECT {columns} WHERE false"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
