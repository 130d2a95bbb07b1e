"""How segments come to the disk: under temporary names, synced, read back, compared, and only then named.

Many small ones are brought there together: while the disk syncs one it takes in the next, which is most of the time
that a roll of hundreds of series takes.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from workstation.history.durable import HistoryCorrupt, new_folder, rename_durably, sync_all, temporary_path
from workstation.history.layout import HistoryKind, Series
from workstation.history.scaling import encode, scale_exponent
from workstation.history.segments import (
    METADATA_KEY,
    QUANTITIES,
    ROW_GROUP_ROWS,
    SCHEMA_VERSION,
    SCHEMAS,
    SEQUENCE,
    Segment,
    Source,
    Table,
    float_columns,
    footer_crc32,
    has_receipt,
    order_column,
)

COMPRESSION_LEVEL = 1
BATCH_ROWS = 524_288
"""Of tables that wait in memory to be compared with what the disk gives back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unnamed:
    """A file under its temporary name, and what must be in it."""

    temporary: Path
    target: Path
    stored: Table


class SegmentBatch:
    """Files on their way; `publish` brings them to the disk under their names, leaving the block removes the others."""

    def __init__(self) -> None:
        self._unnamed: list[_Unnamed] = []
        self._rows = 0
        self._unsynced: list[Path] = []
        """Folders with new folders in them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._unnamed:
            one.temporary.unlink(missing_ok=True)

    def make_folder(self, folder: Path) -> None:
        """Creates a folder, which is sure to be on the disk when what was added is."""
        self._unsynced += new_folder(folder)

    def add(self, folder: Path, path: str, series: Series, table: Table, source: Source) -> Segment:
        """Writes one partition's rows, sorted by their order column; publishes when BATCH_ROWS wait."""
        receipt = has_receipt(table)
        stored, scales = _encoded(series, table, source)
        target = folder / path
        self.make_folder(target.parent)
        one = _Unnamed(temporary=temporary_path(target), target=target, stored=stored)
        self._unnamed.append(one)
        pq.write_table(stored, one.temporary, **_write_options(series.kind, stored.schema, scales))
        times = table[order_column(series.kind, has_receipt=receipt)]
        segment = Segment(
            path=path,
            start_ns=times[0].as_py(),
            end_ns=times[-1].as_py(),
            rows=table.num_rows,
            bytes=one.temporary.stat().st_size,
            has_receipt=receipt,
            scales=scales,
            source=source,
            has_sequence=SEQUENCE in table.column_names,
            footer_crc32=footer_crc32(one.temporary),
        )
        self._rows += table.num_rows
        if self._rows >= BATCH_ROWS:
            self.publish()
        return segment

    def publish(self) -> None:
        """Syncs, reads back, compares, names. Raises HistoryCorrupt where the disk gave back something else."""
        sync_all([*self._unsynced, *(one.temporary for one in self._unnamed)])
        for one in self._unnamed:
            with pq.ParquetFile(one.temporary, page_checksum_verification=True) as file:
                read_back = file.read()
            if not read_back.equals(one.stored, check_metadata=False):
                rows = one.stored.num_rows
                raise HistoryCorrupt(f"{one.target}: {rows} rows were written, and read back as something else")
        rename_durably({one.temporary: one.target for one in self._unnamed})
        self._unnamed.clear()
        self._unsynced.clear()
        self._rows = 0


def _encoded(series: Series, table: Table, source: Source) -> tuple[Table, dict[str, int]]:
    scales: dict[str, int] = {}
    for name in float_columns(series.kind):
        values = table[name].to_numpy()
        exponent = scale_exponent(values)
        if exponent is not None:
            scales[name] = exponent
            position = table.schema.get_field_index(name)
            table = table.set_column(position, name, pa.array(encode(values, exponent)))
    origin = {name: value for name, value in asdict(source).items() if value is not None}
    version = SCHEMA_VERSION if SEQUENCE in table.column_names else 1
    described = {"schema_version": version, "series": str(series), "scales": scales, "source": origin}
    return table.replace_schema_metadata({METADATA_KEY: json.dumps(described).encode()}), scales


def _write_options(kind: HistoryKind, schema: Any, scales: dict[str, int]) -> dict[str, Any]:
    encodings = dict.fromkeys(float_columns(kind), "BYTE_STREAM_SPLIT")
    encodings |= dict.fromkeys(scales, "DELTA_BINARY_PACKED")
    encodings |= {field.name: "DELTA_BINARY_PACKED" for field in schema if field.type == pa.int64()}
    if kind is HistoryKind.TRADES:
        encodings["trade_id"] = "DELTA_BYTE_ARRAY"  # ids that count upwards share all but their last digits
    return {
        "compression": "zstd",
        "compression_level": COMPRESSION_LEVEL,
        "use_dictionary": False,
        "write_page_checksum": True,  # bit rot is noticed on reading, with the file's name
        "column_encoding": encodings,
        "row_group_size": ROW_GROUP_ROWS,
        # times, to find a span by; quantities, to know that all are true without reading them
        "write_statistics": [name for name in SCHEMAS[kind].names if name.startswith("ts_") or name in QUANTITIES],
    }
