"""Tables for a terminal: aligned columns without borders, so that eyes and `grep` read the same."""

from collections.abc import Sequence

from rich.table import Table

GAP = 2
LEAST_COLUMNS = 2


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """One line a row; the columns in `right` are aligned to the right, as numbers are."""
    widths = _widths(header, rows)
    return "\n".join(
        (" " * GAP)
        .join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        .rstrip()
        for row in [header, *rows]
    )


def fitting(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int,
    right: frozenset[int] = frozenset(),
    bold: frozenset[int] = frozenset(),
) -> Table:
    """The same for a screen of this width: what does not fit is left out by whole columns, the last ones first, since a
    number without its end is another number. Rows in `bold` stand out."""
    widths = _widths(header, rows)
    count = len(header)
    while count > LEAST_COLUMNS and sum(widths[:count]) + GAP * (count - 1) > width:
        count -= 1
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(header[:count]):
        table.add_column(name, justify="right" if place in right else "left", no_wrap=True)
    for place, row in enumerate(rows):
        table.add_row(*row[:count], style="bold green" if place in bold else None)
    return table


def _widths(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[place]) for row in [header, *rows]) for place in range(len(header))]
