"""A foreign file as an Arrow table with line numbers: CSV, CSV in gzip, Parquet, or Feather."""

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from workstation.errors import ImportRefused
from workstation.history.columns import ColumnMap, Role
from workstation.history.segments import METADATA_KEY, Table
from workstation.model.market import IntArray

MapNames = Callable[[list[str]], ColumnMap]
FEATHER_1 = b"FEA1"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """The mapped columns of a file. `lines` are its line numbers from 1 (of Parquet and Feather, row numbers).

    `malformed` are lines that have another number of cells than the header. `text_of` gives a line as it stands.
    """

    path: Path
    content_hash: str
    columns: ColumnMap
    table: Table
    lines: IntArray
    malformed: dict[int, str]
    text_of: Callable[[int], str]


def read_source(path: Path, map_names: MapNames, skip_lines: int = 0) -> SourceTable:
    """Reads a .csv, .csv.gz, .parquet or .feather file whole into memory. Raises ImportRefused with file and fault."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        raise ImportRefused(f"{str(path)!a}: the name is not UTF-8: rename the file") from None
    if path.is_dir():
        raise ImportRefused(f"{path}: is a folder: name one file in it")
    if not path.is_file():
        raise ImportRefused(f"{path}: no such file")
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            return _read_columns(path, map_names, "Parquet", _parquet_schema, _parquet_table)
        if name.endswith(".feather"):
            return _read_columns(path, map_names, "Feather", _feather_schema, _feather_table)
        if name.endswith((".csv", ".csv.gz")):
            return _read_csv(path, map_names, skip_lines)
    except OSError as error:
        raise ImportRefused(f"{path}: not readable: {error.strerror or error}") from error
    raise ImportRefused(f"{path}: expected a name that ends with .csv, .csv.gz, .parquet or .feather")


def _read_columns(
    path: Path,
    map_names: MapNames,
    form: str,
    schema_of: Callable[[Path], Any],
    table_of: Callable[[Path, list[str]], Table],
) -> SourceTable:
    """A file that is stored by columns; only the mapped ones are read."""
    with path.open("rb") as file:
        content_hash = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        columns = map_names(schema_of(path).names)
        table = table_of(path, list(columns.roles)).combine_chunks()
    except (OSError, pa.ArrowException) as error:
        raise ImportRefused(f"{path}: not a readable {form} file: {error}") from error
    _refuse_empty(path, table.num_rows)
    return SourceTable(
        path=path,
        content_hash=content_hash,
        columns=columns,
        table=table,
        lines=np.arange(1, table.num_rows + 1),
        malformed={},
        text_of=lambda line: ", ".join(
            f"{name}={value}" for name, value in table.slice(line - 1, 1).to_pylist()[0].items()
        ),
    )


def _parquet_schema(path: Path) -> Any:
    schema = pq.read_schema(path)
    _refuse_own(path, schema)
    return schema


def _parquet_table(path: Path, names: list[str]) -> Table:
    return pq.read_table(path, columns=names, partitioning=None)


def _feather_schema(path: Path) -> Any:
    """Of version 2, which is Arrow's own file; the first version has been given up by Arrow too."""
    with path.open("rb") as file:
        if file.read(4) == FEATHER_1:
            raise ImportRefused(f"{path}: Feather of version 1: write it anew as version 2, or as Parquet")
    with pa.ipc.open_file(path) as reader:
        return reader.schema


def _feather_table(path: Path, names: list[str]) -> Table:
    with pa.ipc.open_file(path) as reader:
        places = [reader.schema.get_field_index(name) for name in names]
    with pa.ipc.open_file(path, options=pa.ipc.IpcReadOptions(included_fields=places)) as reader:
        return reader.read_all().select(names)


def _refuse_own(path: Path, schema: Any) -> None:
    """Our own files hold prices as whole numbers of steps: read as a foreign file, 100.25 would come in as 10,025."""
    if METADATA_KEY not in (schema.metadata or {}):
        return
    root = next((parent.parent for parent in path.parents if parent.name.startswith("kind=")), None)
    where = "the folder of that history" if root is None else str(root)
    raise ImportRefused(f"{path}: a file of a history of this package: do not import it, use it: --history {where}")


def _read_csv(path: Path, map_names: MapNames, skip_lines: int) -> SourceTable:
    raw = path.read_bytes()
    content = _text_content(path, raw, skip_lines)
    header, first = _first_lines(path, content)
    columns = map_names(header)
    delimiter = _delimiter(content)
    _refuse_spanning(path, content, delimiter, skip_lines)
    first_cells = dict(zip(header, first, strict=False))
    _refuse_decimal_commas(path, columns, first_cells)
    types = {name: _type_of(role, first_cells.get(name, "")) for name, role in columns.roles.items()}
    malformed: dict[int, str] = {}
    try:
        table = _parsed(content, header, delimiter, types, None)
    except pa.ArrowInvalid:  # a cell that is no number or a line with too few cells: read every cell as text instead
        texts = {name: pa.string() for name in types}
        try:
            table = _numbers_where_possible(_parsed(content, header, delimiter, texts, malformed), columns)
        except pa.ArrowInvalid as error:
            raise ImportRefused(f"{path}: not readable as CSV: {error}") from error
    _refuse_empty(path, table.num_rows + len(malformed))
    has_gaps = bool(malformed) or b"\n\n" in content or b"\n\r\n" in content
    lines, malformed = _line_numbers(table.num_rows, content if has_gaps else None, malformed)
    return SourceTable(
        path=path,
        content_hash=hashlib.sha256(raw).hexdigest(),
        columns=columns,
        table=table,
        lines=lines + skip_lines,
        malformed={line + skip_lines: text for line, text in malformed.items()},
        text_of=_line_reader(content, skip_lines),
    )


def _text_content(path: Path, raw: bytes, skip_lines: int) -> bytes:
    """The decompressed text from the header on, no byte order mark. Raises ImportRefused with the byte offset."""
    if path.suffix.lower() == ".gz":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ImportRefused(f"{path}: not a whole gzip file: {error}") from error
    content = raw.removeprefix(BYTE_ORDER_MARK)
    if not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            offset = error.start + len(raw) - len(content)
            raise ImportRefused(f"{path}: byte {offset} (0x{raw[offset]:02x}) is not UTF-8: save it as UTF-8") from None
    if b"\0" in content:
        raise ImportRefused(f"{path}: byte {content.index(0)} is zero: not UTF-8 text")
    bare = re.search(rb"\r(?!\n|\Z)", content)
    if bare:
        line = content.count(b"\n", 0, bare.start()) + 1
        raise ImportRefused(f"{path}: line {line}: a carriage return without a line feed: save it with LF or CRLF")
    for _ in range(skip_lines):
        content = content.partition(b"\n")[2]
    return content


def _first_lines(path: Path, content: bytes) -> tuple[list[str], list[str]]:
    text = content[:1_000_000].decode("utf-8", errors="ignore")
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(content))
    header = [name.strip() for name in next(reader, [])]
    first = next((cells for cells in reader if cells), None)
    if not any(header):
        raise ImportRefused(f"{path}: empty: expected a header line with the names of the columns")
    if all(re.match(_NUMBER, name) for name in header):
        raise ImportRefused(
            f"{path}: the first line holds numbers: expected a header line with the names of the columns"
        )
    if len(header) == 1 and "|" in header[0]:
        raise ImportRefused(f"{path}: the columns are separated by |: save it with commas, semicolons or tabs")
    if first is None:
        raise ImportRefused(f"{path}: a header and no rows")
    if "" in header:
        header = [name or f"column_{place}" for place, name in enumerate(header)]
    return header, [cell.strip() for cell in first]


def _refuse_spanning(path: Path, content: bytes, delimiter: str, skip_lines: int) -> None:
    """Raises ImportRefused for a cell over several lines: a stray quote swallows all rows up to the next."""
    last = content.rfind(b'"')
    if last < 0:
        return
    # behind the line after the last quote nothing can change: most files have quotes in their header alone
    looked_at = content[: _line_end(content, _line_end(content, last))]
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(looked_at), "utf-8", newline=""), delimiter=delimiter)
    line, fault = 0, 'a quote (") that is not closed in its line'
    try:
        for _ in reader:
            if reader.line_num > line + 1:
                break
            line = reader.line_num
        else:
            return
    except csv.Error as error:  # such as a cell of over 131,072 characters
        fault = f"{fault}: {error}"
    raise ImportRefused(f"{path}: line {line + 1 + skip_lines}: {fault}")


def _line_end(content: bytes, start: int) -> int:
    """Behind the line feed of the line that `start` lies in."""
    return content.find(b"\n", start) + 1 or len(content)


def _refuse_decimal_commas(path: Path, columns: ColumnMap, first_cells: dict[str, str]) -> None:
    for name, role in columns.roles.items():
        cell = first_cells.get(name, "")
        if role is Role.NUMBER and re.fullmatch(r"[+-]?[\d.]*\d,\d+", cell):
            raise ImportRefused(f"{path}: column {name!r}: {cell!r} has a decimal comma: save it with decimal points")


def _delimiter(content: bytes) -> str:
    header = content[: _line_end(content, 0)]
    return next((mark for mark in (",", ";", "\t") if mark.encode() in header), ",")


def _type_of(role: Role, first_cell: str) -> Any:
    if role is Role.NUMBER:
        return pa.float64()
    if role is Role.TIME and re.fullmatch(r"\d+", first_cell):
        return pa.int64()
    if role is Role.TIME and re.fullmatch(r"\d+\.\d*", first_cell):
        return pa.float64()
    return pa.string()


def _parsed(
    content: bytes, header: list[str], delimiter: str, types: dict[str, Any], malformed: dict[int, str] | None
) -> Table:
    """The columns named in `types`; with `malformed` given, rows of another length are put there and left out."""

    def skip(row: Any) -> str:
        assert malformed is not None
        malformed[row.number] = f"{row.actual_columns} cells, the header has {row.expected_columns}"
        return "skip"

    return pa_csv.read_csv(
        pa.py_buffer(content),
        read_options=pa_csv.ReadOptions(
            use_threads=malformed is None, block_size=1 << 22, column_names=header, skip_rows=1
        ),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=None if malformed is None else skip),
        convert_options=pa_csv.ConvertOptions(
            column_types=types, include_columns=list(types), strings_can_be_null=True
        ),
    ).combine_chunks()


def _numbers_where_possible(table: Table, columns: ColumnMap) -> Table:
    """Text columns that hold numbers as float64, null where a cell is none."""
    for place, (name, role) in enumerate(columns.roles.items()):
        if role is Role.NUMBER:
            text = pc.utf8_trim_whitespace(table[name])
            is_number = pc.match_substring_regex(text, _NUMBER)
            numbers = pc.if_else(is_number, text, pa.scalar(None, pa.string())).cast(pa.float64())
            table = table.set_column(place, name, numbers)
    return table


def _line_numbers(rows: int, content: bytes | None, malformed: dict[int, str]) -> tuple[IntArray, dict[int, str]]:
    """Line numbers of the rows and of the malformed ones, the header being line 1; `content` where lines have gaps.

    The parser passes over empty lines without counting them.
    """
    if content is None:
        return np.arange(2, rows + 2), malformed
    filled = [number for number, text in enumerate(content.split(b"\n"), 1) if text.strip(b"\r")]
    kept = [number for place, number in enumerate(filled, 1) if place > 1 and place not in malformed]
    return np.array(kept, np.int64), {filled[place - 1]: reason for place, reason in malformed.items()}


def _line_reader(content: bytes, skip_lines: int) -> Callable[[int], str]:
    text_lines: list[bytes] = []

    def text_of(line: int) -> str:
        if not text_lines:
            text_lines.extend(content.split(b"\n"))
        return text_lines[line - skip_lines - 1].decode("utf-8").strip()

    return text_of


def _refuse_empty(path: Path, rows: int) -> None:
    if rows == 0:
        raise ImportRefused(f"{path}: a header and no rows")
