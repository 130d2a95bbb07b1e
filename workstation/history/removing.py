"""Taking a series out of the history, such as one that was imported under a wrong mapping."""

from pathlib import Path

from workstation.errors import HistoryMissing
from workstation.history.backfill import ASKED_NAME
from workstation.history.durable import one_writer, remove_leftovers, sync_folder
from workstation.history.layout import Series
from workstation.history.manifest import MANIFEST_NAME


def has_series(root: Path, series: Series) -> bool:
    """Whether there is a manifest or a file of rows, damaged ones included."""
    return bool(_stored_files(root / series.folder))


def remove_series(root: Path, series: Series) -> tuple[int, int]:
    """Deletes one series; the instrument's rules stay. Returns how many files there were, and their bytes.

    The manifest goes first: a removal that is cut short leaves nothing that a reader takes for rows, and a second one
    finishes it. Damaged and missing files are no hindrance; what was set aside stays. Raises HistoryMissing where there
    is no such series.
    """
    folder = root / series.folder
    if not has_series(root, series):
        raise HistoryMissing(f"{series}: not stored in {root}: see workstation data list")
    with one_writer(folder):
        files = _stored_files(folder)
        total = sum(path.stat().st_size for path in files)
        for path in files:
            path.unlink()
            sync_folder(path.parent)
        remove_leftovers(folder)
        for partition in folder.glob("date=*"):
            if not any(partition.iterdir()):
                partition.rmdir()
    return len(files), total


def _stored_files(folder: Path) -> list[Path]:
    """The manifest, what was asked of a venue, then the segments."""
    return [*folder.glob(MANIFEST_NAME), *folder.glob(ASKED_NAME), *sorted(folder.glob("date=*/*.parquet"))]
